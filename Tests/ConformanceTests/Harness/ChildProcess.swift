import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A running program whose output goes to files.
///
/// It is started with `posix_spawn` and waited for by polling: Foundation's `Process` lets the child inherit the blocked
/// signals of whatever thread starts it, and the suite's children have to hear their signals.
final class ChildProcess: Sendable {
  enum Ending: Equatable, Sendable {
    case exited(Int32)
    case signalled(Int32)
  }

  let identifier: pid_t
  private let outputPath: String
  private let errorPath: String
  private let ending = Mutex<Ending?>(nil)

  private static let running = Mutex<Set<pid_t>>([])

  /// - Parameters:
  ///   - descriptors: Open files of this process by the numbers that they get in the child.
  ///   - directory: Where it works; by default where this process does.
  init(
    _ executable: String, _ arguments: [String], environment: [String: String] = [:],
    descriptors: [Int32: Int32] = [:], directory: String? = nil
  ) throws {
    let folder = try Places.newFolder()
    outputPath = folder + "/stdout"
    errorPath = folder + "/stderr"
    var variables = ProcessInfo.processInfo.environment.filter {
      !$0.key.hasPrefix("FASTLIKE_") && !$0.key.hasPrefix("OTEL_")
    }
    variables.merge(environment) { _, given in given }
    // The shell becomes the program; what `posix_spawn` has for this is not everywhere.
    let there = directory.map { ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", $0] } ?? []
    identifier = try Self.spawn(
      there + [executable] + arguments, variables: variables.map { "\($0.key)=\($0.value)" }, outputPath: outputPath,
      errorPath: errorPath, descriptors: descriptors)
    Self.running.withLock { _ = $0.insert(identifier) }
  }

  /// What it has written so far.
  var output: String { Self.text(outputPath) }
  var errors: String { Self.text(errorPath) }

  /// How it ended; nil while it runs.
  var poll: Ending? {
    ending.withLock { ending in
      if ending == nil {
        var status: Int32 = 0
        guard waitpid(identifier, &status, WNOHANG) == identifier else { return nil }
        ending = status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .signalled(status & 0x7f)
        Self.running.withLock { _ = $0.remove(identifier) }
      }
      return ending
    }
  }

  func signal(_ number: Int32) {
    if poll == nil { kill(identifier, number) }
  }

  /// Waits for its end.
  @discardableResult
  func wait(within limit: Duration = Patience.limit) async throws -> Ending {
    try await eventually("the end of process \(identifier)", within: limit) { poll != nil }
    return poll ?? .exited(-1)
  }

  /// Ends it however it takes.
  func end() async {
    signal(SIGTERM)
    if (try? await wait(within: .seconds(5))) == nil {
      signal(SIGKILL)
      _ = try? await wait(within: .seconds(5))
    }
  }

  /// Ends everything that is still running; for the end of the suite.
  static func killAll() {
    for identifier in running.withLock({ $0 }) { kill(identifier, SIGKILL) }
  }

  /// A child that has an origin's socket keeps its connection open when the origin closes it, and NIO's sockets are inherited
  /// unless somebody says otherwise.
  private static func keepDescriptorsFromChildren() {
    for number in 3..<Int32(4096) {
      let flags = fcntl(number, F_GETFD)
      if flags >= 0, flags & FD_CLOEXEC == 0 { _ = fcntl(number, F_SETFD, flags | FD_CLOEXEC) }
    }
  }

  private static func text(_ path: String) -> String {
    String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
  }

  private static func spawn(
    _ arguments: [String], variables: [String], outputPath: String, errorPath: String, descriptors: [Int32: Int32]
  ) throws -> pid_t {
    #if canImport(Darwin)
      var files: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var files = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&files)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&files)
      posix_spawnattr_destroy(&attributes)
    }
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&files, 1, outputPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    posix_spawn_file_actions_addopen(&files, 2, errorPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    for (number, given) in descriptors { posix_spawn_file_actions_adddup2(&files, given, number) }
    var none = sigset_t()
    sigemptyset(&none)
    var defaults = sigset_t()
    sigemptyset(&defaults)
    for number in [SIGHUP, SIGINT, SIGTERM, SIGPIPE] { sigaddset(&defaults, number) }
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    var argumentPointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    var variablePointers: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
    defer { for pointer in argumentPointers + variablePointers { free(pointer) } }
    keepDescriptorsFromChildren()
    var identifier: pid_t = 0
    let failure = posix_spawn(&identifier, arguments[0], &files, &attributes, &argumentPointers, &variablePointers)
    guard failure == 0 else {
      throw HarnessError("\(arguments[0]) cannot be started: \(String(cString: strerror(failure)))")
    }
    return identifier
  }
}
