import Foundation

/// `fastlike serve` on a free port.
final class FastlikeProcess: Sendable {
  let child: ChildProcess
  let port: Int

  /// Starts it and waits for the line that says where it listens.
  ///
  /// - Parameter module: A file, or the name of a test guest.
  static func start(
    _ module: String, _ arguments: [String] = [], environment: [String: String] = [:], directory: String? = nil
  ) async throws -> FastlikeProcess {
    let path = module.contains("/") ? module : try Places.guest(module)
    let cache = arguments.contains { $0.contains("module-cache") } ? [] : ["--module-cache", Places.moduleCache]
    let child = try ChildProcess(
      try Places.binary(), ["--bind", "127.0.0.1:0"] + cache + arguments + [path], environment: environment,
      directory: directory)
    do {
      var port: Int?
      try await eventually("fastlike serves \(module)") {
        port = Self.port(in: child.output)
        if port == nil, let ending = child.poll { throw HarnessError("fastlike ended: \(ending)\n\(child.errors)") }
        return port != nil
      }
      return FastlikeProcess(child: child, port: port ?? 0)
    } catch {
      await child.end()
      throw error
    }
  }

  private init(child: ChildProcess, port: Int) {
    self.child = child
    self.port = port
  }

  private static func port(in output: String) -> Int? {
    let marks = [" on http://127.0.0.1:", " on https://127.0.0.1:"]
    for line in output.split(separator: "\n") where line.hasPrefix("fastlike: serving ") {
      for mark in marks {
        if let found = line.range(of: mark) { return Int(line[found.upperBound...]) }
      }
    }
    return nil
  }

  /// The profile page's address, with a slash behind it; nil without a page.
  var pageAddress: String? {
    let mark = "fastlike: profile page on "
    let line = child.output.split(separator: "\n").first { $0.hasPrefix(mark) }
    return line.map { String($0.dropFirst(mark.count)) }
  }

  /// What commands take as their `--server`.
  var server: String {
    get throws {
      guard let pageAddress else { throw HarnessError("there is no profile page\n\(child.errors)") }
      return pageAddress
    }
  }

  /// One request to the profile page, under its own name.
  func page(_ path: String, headers: String = "") async throws -> HTTPReply {
    guard let address = pageAddress, let port = address.dropLast().split(separator: ":").last.flatMap({ Int($0) })
    else {
      throw HarnessError("there is no profile page\n\(child.errors)")
    }
    let client = RawHTTP(try await RawConnection.open(port: port))
    try await client.send("GET /\(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\(headers)\r\n")
    let reply = try await client.readReply(to: "GET")
    await client.close()
    return reply
  }

  /// Waits until a request is finished for its trace too; a client has its response a little earlier.
  func waitForTrace(_ id: Int) async throws {
    try await eventually("the trace of request \(id)") { try await page("r/\(id).json").status == 200 }
  }

  func connect() async throws -> RawHTTP {
    do {
      return RawHTTP(try await RawConnection.open(port: port))
    } catch {
      throw HarnessError(
        "no connection to fastlike (\(child.poll.map { "\($0)" } ?? "running")): \(error)\n\(child.errors)")
    }
  }

  /// One request on a connection of its own, and the whole response.
  func send(
    _ method: String = "GET", _ target: String, headers: String = "", body: String = ""
  ) async throws -> HTTPReply {
    let client = try await connect()
    let length = body.isEmpty ? "" : "Content-Length: \(body.utf8.count)\r\n"
    try await client.send("\(method) \(target) HTTP/1.1\r\nHost: edge.example\r\n\(length)\(headers)\r\n\(body)")
    let reply = try await client.readReply(to: method)
    await client.close()
    return reply
  }

  func get(_ target: String, headers: String = "") async throws -> HTTPReply {
    try await send("GET", target, headers: headers)
  }

  /// Asks it to end and waits for that.
  @discardableResult
  func stop() async throws -> ChildProcess.Ending {
    child.signal(SIGTERM)
    return try await child.wait()
  }
}

/// Runs the test with a process of its own.
func withFastlike<Result: Sendable>(
  _ module: String, _ arguments: [String] = [], environment: [String: String] = [:], directory: String? = nil,
  _ body: (FastlikeProcess) async throws -> Result
) async throws -> Result {
  try await Turnstile.processes.pass {
    let edge = try await FastlikeProcess.start(module, arguments, environment: environment, directory: directory)
    do {
      let result = try await body(edge)
      await edge.child.end()
      return result
    } catch {
      await edge.child.end()
      throw error
    }
  }
}

/// A command that ran to its end.
struct FinishedCommand: Sendable {
  var status: ChildProcess.Ending
  var output: String
  var errors: String

  /// The lines on the standard error, without warnings.
  var complaints: [String] {
    errors.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("fastlike: warning: ") }
  }
}

/// Runs `fastlike` with these arguments to its end.
func fastlike(_ arguments: [String], environment: [String: String] = [:]) async throws -> FinishedCommand {
  try await Turnstile.processes.pass {
    let child = try ChildProcess(try Places.binary(), arguments, environment: environment)
    do {
      let ending = try await child.wait()
      return FinishedCommand(status: ending, output: child.output, errors: child.errors)
    } catch {
      await child.end()
      throw error
    }
  }
}

/// Runs a program with `fastlike run`.
func fastlikeRun(_ module: String, flags: [String] = [], arguments: [String] = []) async throws -> FinishedCommand {
  try await fastlike(["run", "--module-cache", Places.moduleCache] + flags + [module] + arguments)
}
