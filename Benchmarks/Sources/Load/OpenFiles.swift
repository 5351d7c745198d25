import Foundation

/// How many files and sockets this process and the ones it starts may have open.
enum OpenFiles {
  /// Raises the soft limit as far as allowed and wanted; child processes inherit it.
  /// - Returns: The limit from now on.
  static func raiseLimit(to wanted: UInt64) -> UInt64 {
    #if os(Linux)
      let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
      let resource = RLIMIT_NOFILE
    #endif
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { return 0 }
    let current = UInt64(limit.rlim_cur)
    guard current < wanted else { return current }
    limit.rlim_cur = min(rlim_t(wanted), limit.rlim_max)
    return setrlimit(resource, &limit) == 0 ? UInt64(limit.rlim_cur) : current
  }

  /// - Throws: ``Skipped`` with what to do when the limit cannot be raised so far.
  static func require(_ count: UInt64) throws {
    let limit = raiseLimit(to: count)
    guard limit >= count else {
      throw Skipped(
        reason:
          "needs \(count) open files, and the hard limit allows \(limit); raise it (ulimit -Hn \(count)) and run again")
    }
  }
}

/// The addresses that a client connects from.
enum LoopbackSources {
  /// The address for one of many connections to the same port, nil for the system's choice. An address has as many
  /// connections as there are ephemeral ports; only on Linux all of 127.0.0.0/8 is there without being set up.
  static func address(of index: Int, among count: Int) -> String? {
    let room = ephemeralPorts * 3 / 4
    guard count > room else { return nil }
    return "127.0.0.\(2 + index / room % 250)"
  }

  private static let ephemeralPorts: Int = {
    #if os(Linux)
      let text = (try? String(contentsOfFile: "/proc/sys/net/ipv4/ip_local_port_range", encoding: .utf8)) ?? ""
      let bounds = text.split { $0.isWhitespace }.compactMap { Int($0) }
      return bounds.count == 2 ? max(1000, bounds[1] - bounds[0]) : 28_000
    #else
      return .max / 4
    #endif
  }()
}
