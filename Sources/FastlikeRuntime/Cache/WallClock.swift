import CTimestamp
import Foundation

/// The time of day, for the dates in header fields. Ages and lifetimes are counted on the monotonic clock.
enum WallClock {
  /// Since 1970.
  static var seconds: Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec)
  }
}
