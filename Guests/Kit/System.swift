// What WASI offers: time, randomness, environment, console and exit.

/// The clocks, in nanoseconds.
enum Clock {
  /// Since the Unix epoch.
  static func realtime() -> UInt64 { read(0) }

  /// Since an arbitrary point in time; never goes back.
  static func monotonic() -> UInt64 { read(1) }

  private static func read(_ clock: UInt32) -> UInt64 {
    var time: UInt64 = 0
    _ = wasiClockTimeGet(clock, 1, &time)
    return time
  }
}

/// Timers.
enum Timer {
  /// Suspends the guest; the host goes on serving others.
  static func sleep(milliseconds: UInt64) {
    _ = poll(timeouts: [milliseconds * 1_000_000])
  }

  /// Suspends the guest until a point of the monotonic clock.
  static func sleep(untilMonotonic deadline: UInt64) {
    _ = poll(timeouts: [deadline], absolute: true)
  }

  /// Waits for the first of several timers of the monotonic clock, in nanoseconds; the places of those that went off.
  static func poll(timeouts: [UInt64], absolute: Bool = false) -> [Int] {
    // A subscription has six words: userdata, tag (0 is a clock), clock, timeout, precision, flags (1 is absolute).
    var subscriptions: [UInt64] = []
    for (place, timeout) in timeouts.enumerated() {
      subscriptions += [UInt64(place), 0, 1, timeout, 0, absolute ? 1 : 0]
    }
    // An event has four words, the first being the subscription's userdata.
    var events = [UInt64](repeating: UInt64.max, count: 4 * timeouts.count)
    var count: UInt32 = 0
    let errno = wasiPollOneoff(&subscriptions, &events, UInt32(timeouts.count), &count)
    if errno != 0 { return [] }
    return (0..<Int(count)).map { Int(truncatingIfNeeded: events[4 * $0]) }
  }
}

/// Random bytes from the host.
func randomBytes(count: Int) -> [UInt8] {
  [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
    initialized = wasiRandomGet(buffer.baseAddress, UInt32(count)) == 0 ? count : 0
  }
}

/// The guest's start parameters.
enum Environment {
  static func arguments() -> [Text] {
    strings(wasiArgsSizesGet, wasiArgsGet)
  }

  /// The variables as `NAME=value`.
  static func variables() -> [Text] {
    strings(wasiEnvironSizesGet, wasiEnvironGet)
  }

  static func value(_ name: Text) -> Text? {
    for variable in variables() {
      guard let equals = variable.firstIndex(of: UInt8(ascii: "=")) else { continue }
      if variable[..<equals] == name { return variable[(equals + 1)...] }
    }
    return nil
  }

  private static func strings(
    _ sizes: (UnsafeMutablePointer<UInt32>?, UnsafeMutablePointer<UInt32>?) -> UInt32,
    _ get: (UnsafeMutablePointer<UInt32>?, UnsafeMutablePointer<UInt8>?) -> UInt32
  ) -> [Text] {
    var count: UInt32 = 0
    var byteCount: UInt32 = 0
    if sizes(&count, &byteCount) != 0 || count == 0 { return [] }
    // The addresses are not needed: the strings follow one another, each with a NUL at its end.
    var addresses = [UInt32](repeating: 0, count: Int(count))
    var bytes = [UInt8](repeating: 0, count: Int(byteCount))
    if get(&addresses, &bytes) != 0 { return [] }
    return Array(Text(bytes).split(separator: 0).prefix(Int(count)))
  }
}

/// The guest's standard streams.
enum Console {
  static func write(_ text: Text) {
    _ = write(text, to: 1)
  }

  static func writeError(_ text: Text) {
    _ = write(text, to: 2)
  }

  /// One write call; the WASI errno and the number of bytes taken.
  static func write(_ text: Text, to descriptor: UInt32) -> (errno: UInt32, written: UInt32) {
    var written: UInt32 = 0
    let errno = text.withBytes { start, count in
      var vector = IOVector(start: UnsafeMutablePointer(mutating: start), count: count)
      return wasiFdWrite(descriptor, &vector, 1, &written)
    }
    return (errno, written)
  }

  /// One read of at most 64 bytes from stdin.
  static func read() -> (errno: UInt32, text: Text) {
    var errno: UInt32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: 64) { buffer, initialized in
      var vector = IOVector(start: buffer.baseAddress, count: 64)
      var count: UInt32 = 0
      errno = wasiFdRead(0, &vector, 1, &count)
      initialized = errno == 0 ? Int(min(count, 64)) : 0
    }
    return (errno, Text(bytes))
  }

  private struct IOVector {
    var start: UnsafeMutablePointer<UInt8>?
    var count: UInt32
  }
}

/// Ends the guest with an exit code.
func exit(_ code: UInt32) -> Never {
  wasiProcExit(code)
  fatalError()
}

/// The linear memory, in pages of 64 KiB.
enum Memory {
  static var pages: UInt32 { guestMemorySize() }

  /// Grows the memory; the former size, or -1 where the host refuses.
  static func grow(pages: UInt32) -> Int32 { guestMemoryGrow(pages) }
}

@_extern(c, "guest_memory_grow")
private func guestMemoryGrow(_ pages: UInt32) -> Int32

@_extern(c, "guest_memory_size")
private func guestMemorySize() -> UInt32
