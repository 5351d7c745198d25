import CTimestamp
import ComputeABI
import Foundation
import NIOCore

/// `wasi_snapshot_preview1`: standard streams, clocks, randomness, arguments and environment. There is no file system.
extension Sandbox {
  // MARK: Arguments and environment

  func wasiArgsSizesGet() throws(Status) -> (argc: UInt32, argvBufSize: UInt32) { Sandbox.sizes(service.arguments) }

  func wasiArgsGet(argv: UInt32, argvBuf: UInt32) throws(Status) {
    try writeStrings(service.arguments, pointers: argv, text: argvBuf)
  }

  func wasiEnvironSizesGet() throws(Status) -> (environCount: UInt32, environBufSize: UInt32) {
    Sandbox.sizes(GuestEnvironment.variables(traceID: sandboxID))
  }

  func wasiEnvironGet(environ: UInt32, environBuf: UInt32) throws(Status) {
    try writeStrings(GuestEnvironment.variables(traceID: sandboxID), pointers: environ, text: environBuf)
  }

  private static func sizes(_ strings: [String]) -> (UInt32, UInt32) {
    (UInt32(strings.count), UInt32(strings.reduce(0) { $0 + $1.utf8.count + 1 }))
  }

  private func writeStrings(_ strings: [String], pointers: UInt32, text: UInt32) throws(Status) {
    var pointer = pointers
    var place = text
    for string in strings {
      try memory.store(place, at: pointer)
      let count = UInt32(string.utf8.count)
      let target = try memory.buffer(place, count: count + 1)
      target.raw.copyBytes(from: string.utf8)
      target.raw[Int(count)] = 0
      pointer &+= 4
      place &+= count + 1
    }
  }

  // MARK: Clocks and randomness

  func wasiClockTimeGet(id: WASIClockid, precision: UInt64) throws(Status) -> UInt64 {
    var now = timespec()
    let clock: clockid_t =
      switch id {
      case .realtime: CLOCK_REALTIME
      case .monotonic: CLOCK_MONOTONIC
      case .processCputimeId, .threadCputimeId: throw .wasi(.inval)
      }
    guard clock_gettime(clock, &now) == 0 else { throw .wasi(.inval) }
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
  }

  func wasiRandomGet(buf: GuestBuffer) throws(Status) {
    var rest = buf.raw[...]
    while !rest.isEmpty {
      // A system call gives up to 256 bytes one way and any number the other; both are the system's own generator.
      let piece = UnsafeMutableRawBufferPointer(rebasing: rest)
      let count =
        piece.count <= 256
        ? (getentropy(piece.baseAddress, piece.count) == 0 ? piece.count : 0)
        : read(
          Sandbox.randomDevice, piece.baseAddress, piece.count)
      guard count > 0 else { throw .wasi(.io) }
      rest = rest.dropFirst(count)
    }
  }

  private static let randomDevice = open("/dev/urandom", O_RDONLY | O_CLOEXEC)

  func wasiSchedYield() throws(Status) {}

  // MARK: Standard streams

  func wasiFdWrite(fd: UInt32, ciovs: UInt32, ciovsLen: UInt32) throws(Status) -> UInt32 {
    guard fd == 1 || fd == 2 else { throw .badf }
    var total: UInt32 = 0
    for index in 0..<ciovsLen {
      let bytes = try vector(ciovs, index)
      let (sum, overflow) = total.addingReportingOverflow(UInt32(bytes.count))
      if overflow { throw .wasi(.inval) }
      total = sum
      output.write(bytes.raw, isError: fd == 2) { line in service.logs.writeOutput(line, isError: fd == 2) }
    }
    return total
  }

  private func vector(_ base: UInt32, _ index: UInt32) throws(Status) -> GuestBytes {
    let (offset, overflow) = index.multipliedReportingOverflow(by: 8)
    let (entry, carried) = base.addingReportingOverflow(offset)
    if overflow || carried { throw .inval }
    return try memory.bytes(
      try memory.load(entry, as: UInt32.self), count: try memory.load(try place(entry, 4), as: UInt32.self))
  }

  private func place(_ base: UInt32, _ offset: UInt32) throws(Status) -> UInt32 {
    let (address, overflow) = base.addingReportingOverflow(offset)
    if overflow { throw .inval }
    return address
  }

  /// Standard input is empty.
  func wasiFdRead(fd: UInt32, iovs: UInt32, iovsLen: UInt32) throws(Status) -> Blocking<UInt32> {
    guard fd == 0 else { throw .badf }
    for index in 0..<iovsLen { _ = try vector(iovs, index) }
    return .ready(0)
  }

  func wasiFdPread(fd: UInt32, iovs: UInt32, iovsLen: UInt32, offset: UInt64) throws(Status) -> UInt32 {
    throw fd <= 2 ? .wasi(.spipe) : .badf
  }

  func wasiFdSeek(fd: UInt32, offset: Int64, whence: WASIWhence) throws(Status) -> UInt64 {
    throw fd <= 2 ? .wasi(.spipe) : .badf
  }

  func wasiFdClose(fd: UInt32) throws(Status) {
    guard fd <= 2 else { throw .badf }
  }

  func wasiFdFdstatGet(fd: UInt32, fdstat: UInt32) throws(Status) {
    guard fd <= 2 else { throw .badf }
    let record = try memory.buffer(fdstat, count: 24)
    if fdstat & 7 != 0 { throw .badalign }
    record.raw.initializeMemory(as: UInt8.self, repeating: 0)
    try memory.store(WASIFiletype.characterDevice.rawValue, at: fdstat)
    // The right to read or to write, as the stream has it.
    try memory.store(fd == 0 ? UInt64(2) : 64, at: fdstat + 8)
  }

  func wasiFdFdstatSetFlags(fd: UInt32, flags: UInt16) throws(Status) {
    guard fd <= 2 else { throw .badf }
  }

  func wasiFdFilestatGet(fd: UInt32, filestat: UInt32) throws(Status) {
    guard fd <= 2 else { throw .badf }
    let record = try memory.buffer(filestat, count: 64)
    if filestat & 7 != 0 { throw .badalign }
    record.raw.initializeMemory(as: UInt8.self, repeating: 0)
    try memory.store(WASIFiletype.characterDevice.rawValue, at: filestat + 16)
  }

  // MARK: Files, of which there are none

  func wasiFdPrestatGet(fd: UInt32, prestat: UInt32) throws(Status) { throw .badf }
  func wasiFdPrestatDirName(fd: UInt32, path: GuestBuffer) throws(Status) { throw .badf }
  func wasiFdReaddir(fd: UInt32, buf: GuestOutput, cookie: UInt64) throws(Status) { throw noDirectory(fd) }
  func wasiPathCreateDirectory(fd: UInt32, path: GuestBytes) throws(Status) { throw noDirectory(fd) }
  func wasiPathFilestatGet(fd: UInt32, flags: UInt32, path: GuestBytes, filestat: UInt32) throws(Status) {
    throw noDirectory(fd)
  }
  func wasiPathOpen(
    fd: UInt32, dirflags: UInt32, path: GuestBytes, oflags: UInt16, rightsBase: UInt64, rightsInheriting: UInt64,
    fdflags: UInt16
  ) throws(Status) -> UInt32 {
    throw noDirectory(fd)
  }
  func wasiPathReadlink(fd: UInt32, path: GuestBytes, buf: GuestOutput) throws(Status) { throw noDirectory(fd) }
  func wasiPathRemoveDirectory(fd: UInt32, path: GuestBytes) throws(Status) { throw noDirectory(fd) }
  func wasiPathUnlinkFile(fd: UInt32, path: GuestBytes) throws(Status) { throw noDirectory(fd) }

  private func noDirectory(_ fd: UInt32) -> Status { fd <= 2 ? .wasi(.notdir) : .badf }

  // MARK: Waiting

  private struct Subscription {
    var userdata: UInt64
    var tag: UInt8
    /// Monotonic deadline of a clock, relative to now.
    var delay: UInt64?
  }

  /// Waits for the earliest of several clocks. Standard streams are always ready.
  func wasiPollOneoff(subscriptions: UInt32, events: UInt32, nsubscriptions: UInt32) throws(Status) -> Blocking<UInt32>
  {
    guard nsubscriptions > 0, nsubscriptions <= 4096 else { throw .wasi(.inval) }
    if subscriptions & 7 != 0 || events & 7 != 0 { throw .badalign }
    _ = try memory.buffer(subscriptions, count: nsubscriptions * 48)
    _ = try memory.buffer(events, count: nsubscriptions * 32)
    var wanted: [Subscription] = []
    for index in 0..<nsubscriptions { wanted.append(try subscription(at: subscriptions + index * 48)) }
    let delays = wanted.compactMap(\.delay)
    let earliest = wanted.count > delays.count ? 0 : delays.min() ?? 0
    let alarm =
      earliest == 0
      ? nil : Alarm(after: .nanoseconds(Int64(clamping: earliest)), on: eventLoop, waking: waker)
    return try .waiting(for: .timer) { () throws(Status) in
      guard alarm?.hasRung ?? true else { return nil }
      var count: UInt32 = 0
      for item in wanted where (item.delay ?? 0) <= earliest {
        try self.write(item, at: events + count * 32)
        count += 1
      }
      return count
    }
  }

  private func subscription(at address: UInt32) throws(Status) -> Subscription {
    let tag = try memory.load(address + 8, as: UInt8.self)
    let userdata = try memory.load(address, as: UInt64.self)
    guard tag == WASIEventtype.clock.rawValue else { return Subscription(userdata: userdata, tag: tag) }
    guard let clock = WASIClockid(rawValue: try memory.load(address + 16, as: UInt32.self)) else {
      throw .wasi(.inval)
    }
    var delay = try memory.load(address + 24, as: UInt64.self)
    let isAbsolute = try memory.load(address + 40, as: UInt16.self) & 1 != 0
    if isAbsolute {
      let now = try wasiClockTimeGet(id: clock, precision: 0)
      delay = delay > now ? delay - now : 0
    }
    return Subscription(userdata: userdata, tag: tag, delay: delay)
  }

  private func write(_ item: Subscription, at address: UInt32) throws(Status) {
    let event = try memory.buffer(address, count: 32)
    event.raw.initializeMemory(as: UInt8.self, repeating: 0)
    try memory.store(item.userdata, at: address)
    try memory.store(item.tag, at: address + 10)
  }
}
