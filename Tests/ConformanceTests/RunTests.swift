import Testing

/// `fastlike run`, the test runner.
@Suite("Conformance: fastlike run", .timeLimit(.minutes(5)))
struct RunTests {
  @Test func aProgramThatReturnsExitsWith0() async throws {
    let result = try await fastlikeRun(try temporaryFile("app.wat", TextModule.empty))
    #expect(result.status == .exited(0))
    #expect(result.output.isEmpty)
    #expect(result.complaints.isEmpty)
  }

  @Test(arguments: [(0, 0), (7, 7), (255, 255), (300, 44)])
  func theGuestsStatusIsTheExitCode(_ status: Int, code: Int32) async throws {
    let result = try await fastlikeRun(try temporaryFile("app.wat", TextModule.exiting(status)))
    #expect(result.status == .exited(code))
  }

  @Test func aTrapExitsWith134AndSaysWhy() async throws {
    let result = try await fastlikeRun(try temporaryFile("app.wat", TextModule.trapping))
    #expect(result.status == .exited(134))
    #expect(result.errors.contains("unreachable"))
  }

  @Test(arguments: [
    (["one", "--flag", "two words"], "app one --flag two words "), (["--", "one", "-v"], "app one -v "), ([], "app "),
  ])
  func whatFollowsTheProgramAreItsArguments(_ arguments: [String], line: String) async throws {
    let path = try temporaryFile("app.wat", TextModule.printingArguments)
    let result = try await fastlikeRun(path, arguments: arguments)
    #expect(result.status == .exited(0))
    #expect(result.output.replacing("\u{0}", with: " ") == line + "\n")
  }

  @Test func theProgramSeesARequestMadeUpForIt() async throws {
    let result = try await fastlikeRun(try Places.guest("hello"), flags: ["-vv"])
    #expect(result.status == .exited(0))
    #expect(result.errors.contains("fastly_http_resp.send_downstream = 0"))
  }

  @Test(arguments: [["--max-wall", "200ms"], ["--max-vcpu", "100ms"]])
  func aLimitEndsTheRun(_ flags: [String]) async throws {
    let loop = #"(module (memory (export "memory") 1) (func (export "_start") (loop $again (br $again))))"#
    let result = try await fastlikeRun(try temporaryFile("app.wat", loop), flags: flags)
    #expect(result.status == .exited(1))
    #expect(result.errors.contains("limit was reached"))
  }

  @Test func theStandardStreamsPassThrough() async throws {
    let path = try temporaryFile("app.wat", TextModule.printingArguments)
    let logged = try await fastlikeRun(path, flags: ["--log-stdout"])
    #expect(logged.output.hasPrefix("stdout :: app"))
  }

  @Test func aRunReachesItsBackends() async throws {
    // The guest passes the made-up request on and reports nothing, but the origin sees it.
    try await withOrigin { origin in
      let result = try await fastlikeRun(
        try Places.guest("proxy"), flags: ["-b", "origin=127.0.0.1:\(origin.port)"])
      #expect(result.status == .exited(0))
      #expect(origin.seen.map(\.line) == ["GET / HTTP/1.1"])
      #expect(origin.seen.first?.head.contains("\r\nhost: example.com\r\n") == true)
      #expect(origin.seen.first?.head.contains("transfer-encoding") == false)
    }
  }
}
