import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A headless Chromium, spoken to over two pipes in the DevTools protocol: JSON messages, each ended by a NUL byte.
///
/// One browser serves the whole suite; each test has a page with a profile of its own (a browser context), so that nothing of
/// one test is seen by another.
final class Chromium: Sendable {
  /// What the browser tells by itself, by the session of the page it is about.
  struct Event: Sendable {
    var session: String
    var method: String
    /// The event's parameters as JSON.
    var parameters: Data
  }

  private struct State {
    var nextID = 1
    var waiting: [Int: CheckedContinuation<Data, any Error>] = [:]
    var listeners: [String: @Sendable (Event) -> Void] = [:]
    var isClosed = false
  }

  private let child: ChildProcess
  private let commands: Int32
  private let state = Mutex(State())

  /// Where Chromium is; nil on a machine without one.
  static let executable: String? = {
    let environment = ProcessInfo.processInfo.environment
    if let named = environment["CHROMIUM"], !named.isEmpty { return named }
    let folders = (environment["PATH"] ?? "").split(separator: ":").map(String.init)
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    let found = names.lazy.flatMap { name in folders.lazy.map { "\($0)/\(name)" } }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
    if let found { return found }
    let bundled = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
    if FileManager.default.isExecutableFile(atPath: bundled) { return bundled }
    FileHandle.standardError.write(
      Data("SKIPPED: the browser tests, because there is no Chromium; `make bootstrap` tells how to install it\n".utf8))
    return nil
  }()

  private static let shared = Mutex<Chromium?>(nil)

  /// The suite's browser, started when it is first asked for.
  static func running() throws -> Chromium {
    try shared.withLock { browser in
      if let browser { return browser }
      guard let executable else { throw HarnessError("there is no Chromium") }
      let started = try Chromium(executable)
      browser = started
      return started
    }
  }

  private init(_ executable: String) throws {
    let towards = try Self.pipe()
    let back = try Self.pipe()
    let profile = try Places.newFolder()
    let arguments = [
      executable, "--headless=new", "--remote-debugging-pipe", "--user-data-dir=\(profile)", "--no-first-run",
      "--no-default-browser-check", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
      "--disable-component-update", "--disable-extensions", "--hide-scrollbars", "--mute-audio",
      // The suite runs as root on build machines, where Chromium's sandbox refuses to start.
      "--no-sandbox", "about:blank",
    ]
    child = try ChildProcess(
      arguments[0], Array(arguments.dropFirst()), descriptors: [3: towards.reading, 4: back.writing])
    close(towards.reading)
    close(back.writing)
    commands = towards.writing
    let answers = back.reading
    Thread.detachNewThread { [self] in read(answers) }
  }

  /// A pipe that other children do not inherit, with numbers above those that the browser's ends get.
  private static func pipe() throws -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [0, 0]
    #if canImport(Glibc)
      let made = Glibc.pipe(&ends)
    #else
      let made = Darwin.pipe(&ends)
    #endif
    guard made == 0 else { throw HarnessError("there is no pipe for the browser") }
    defer { for end in ends { close(end) } }
    return (fcntl(ends[0], F_DUPFD_CLOEXEC, 16), fcntl(ends[1], F_DUPFD_CLOEXEC, 16))
  }

  // MARK: - Messages

  /// Sends a command and waits for its result, as JSON.
  func call(_ method: String, _ parameters: [String: Any] = [:], session: String? = nil) async throws -> Data {
    let parameters = try JSONSerialization.data(withJSONObject: parameters)
    return try await withCheckedThrowingContinuation { continuation in
      let id = state.withLock { state -> Int? in
        guard !state.isClosed else { return nil }
        defer { state.nextID += 1 }
        state.waiting[state.nextID] = continuation
        return state.nextID
      }
      guard let id else { return continuation.resume(throwing: HarnessError("the browser has ended")) }
      var message = Data("{\"id\":\(id),\"method\":\"\(method)\",\"params\":".utf8) + parameters
      if let session { message += Data(",\"sessionId\":\"\(session)\"".utf8) }
      write(message + Data("}\0".utf8))
    }
  }

  /// Has the events of a session delivered, on the browser's reading thread.
  func listen(to session: String, _ listener: @escaping @Sendable (Event) -> Void) {
    state.withLock { $0.listeners[session] = listener }
  }

  func forget(session: String) { state.withLock { $0.listeners[session] = nil } }

  private func write(_ message: Data) {
    message.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let written = Self.systemWrite(commands, UnsafeRawBufferPointer(rebasing: rest))
        guard written > 0 else { return closed() }
        rest = rest.dropFirst(written)
      }
    }
  }

  private static func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    #if canImport(Glibc)
      Glibc.write(descriptor, bytes.baseAddress, bytes.count)
    #else
      Darwin.write(descriptor, bytes.baseAddress, bytes.count)
    #endif
  }

  /// Takes what is there, where `FileHandle` would wait until it has all it was asked for.
  private static func systemRead(_ descriptor: Int32, into bytes: UnsafeMutableRawBufferPointer) -> Int {
    #if canImport(Glibc)
      Glibc.read(descriptor, bytes.baseAddress, bytes.count)
    #else
      Darwin.read(descriptor, bytes.baseAddress, bytes.count)
    #endif
  }

  private func read(_ descriptor: Int32) {
    var pending = Data()
    var piece = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
      let count = piece.withUnsafeMutableBytes { Self.systemRead(descriptor, into: $0) }
      guard count > 0 else { break }
      pending += piece[..<count]
      while let end = pending.firstIndex(of: 0) {
        take(Data(pending[pending.startIndex..<end]))
        pending = Data(pending[(end + 1)...])
      }
    }
    close(descriptor)
    closed()
  }

  private func closed() {
    let waiting = state.withLock { state in
      state.isClosed = true
      defer { state.waiting = [:] }
      return state.waiting
    }
    for continuation in waiting.values { continuation.resume(throwing: HarnessError("the browser has ended")) }
  }

  private func take(_ message: Data) {
    guard let fields = try? JSONSerialization.jsonObject(with: message) as? [String: Any] else { return }
    if let id = fields["id"] as? Int {
      let continuation = state.withLock { $0.waiting.removeValue(forKey: id) }
      if let error = fields["error"] as? [String: Any] {
        continuation?.resume(throwing: HarnessError("the browser refuses: \(error["message"] ?? error)"))
      } else {
        continuation?.resume(returning: Self.json(fields["result"]))
      }
    } else if let method = fields["method"] as? String, let session = fields["sessionId"] as? String {
      let listener = state.withLock { $0.listeners[session] }
      listener?(Event(session: session, method: method, parameters: Self.json(fields["params"])))
    }
  }

  private static func json(_ value: Any?) -> Data {
    value.flatMap { try? JSONSerialization.data(withJSONObject: $0) } ?? Data("{}".utf8)
  }
}
