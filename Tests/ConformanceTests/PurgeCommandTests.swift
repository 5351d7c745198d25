import Testing

/// `fastlike purge` against a running server, and the page's address behind it.
@Suite("Conformance: purge command", .timeLimit(.minutes(5)))
struct PurgeCommandTests {
  private func withPage(
    _ flags: [String] = [], _ body: (FastlikeProcess, String) async throws -> Void
  ) async throws {
    try await withFastlike("core_cache", ["--profile-ui", "127.0.0.1:0"] + flags) { edge in
      try await body(edge, try #require(edge.pageAddress))
    }
  }

  private func state(_ key: String, at edge: FastlikeProcess) async throws -> String? {
    try await edge.report("/find?key=\(key)")["state"]
  }

  /// Sends a POST to the page and gives the status.
  private func post(_ target: String, to page: String, headers: String = "") async throws -> Int {
    let port = try #require(page.split(separator: ":").last.flatMap { Int($0.dropLast()) })
    let client = RawHTTP(try await RawConnection.open(port: port))
    try await client.send("POST \(target) HTTP/1.1\r\nContent-Length: 0\r\n\(headers)\r\n")
    let status = try await client.readReply(to: "POST").status
    await client.close()
    return status
  }

  @Test func theCommandPurgesWhatHasTheKey() async throws {
    try await withPage { edge, page in
      for key in ["a", "b"] { _ = try await edge.report("/insert?key=\(key)&keys=all%20only-\(key)%26%25") }
      let soft = try await fastlike(["purge", "only-a&%", "--soft", "--server", page])
      #expect(soft.status == .exited(0))
      #expect(soft.output == "1 object made stale\n")
      #expect(try await state("a", at: edge) == "found+usable+stale")
      let hard = try await fastlike(["purge", "all", "--server", page])
      #expect(hard.output == "2 objects removed\n")
      #expect(try await state("a", at: edge) == "nothing")
      #expect(try await state("b", at: edge) == "nothing")
      #expect(try await fastlike(["purge", "all", "--server", page]).output == "0 objects removed\n")
    }
  }

  @Test func theServerAndItsTokenMayComeFromVariables() async throws {
    try await withPage(["--profile-auth", "sesame-sesame"]) { edge, page in
      _ = try await edge.report("/insert?key=a&keys=k")
      let environment = ["FASTLIKE_PROFILE_UI": page.replacing("http://", with: "").replacing("/", with: "")]
      let refused = try await fastlike(["purge", "k"], environment: environment)
      #expect(refused.status == .exited(1))
      #expect(refused.complaints.count == 1)
      #expect(refused.errors.contains("--token"))
      #expect(try await state("a", at: edge) == "found+usable")
      let done = try await fastlike(
        ["purge", "k", "--token", "sesame-sesame"], environment: environment)
      #expect(done.output == "1 object removed\n")
    }
  }

  @Test(arguments: [
    (["purge", "k"], "--server"), (["purge", "a b", "--server", "127.0.0.1:1"], "KEY"),
    (["purge", "--server", "127.0.0.1:1"], "key"), (["purge", "k", "--server", "https://x"], "--server"),
  ])
  func wrongUsageIsOneLineAndExitsWith2(_ arguments: [String], _ named: String) async throws {
    let result = try await fastlike(arguments)
    #expect(result.status == .exited(2))
    #expect(result.complaints.count == 1)
    #expect(result.errors.contains(named))
  }

  @Test func aServerThatIsNotThereIsOneLine() async throws {
    let port = try ReservedPort()
    let result = try await fastlike(["purge", "k", "--server", "127.0.0.1:\(port.port)"])
    #expect(result.status == .exited(1))
    #expect(result.complaints.count == 1)
    #expect(result.errors.contains("nobody answers"))
  }

  @Test func pagesOfOtherSitesCannotPurge() async throws {
    try await withPage { edge, page in
      _ = try await edge.report("/insert?key=a&keys=k")
      let own = "Host: localhost\r\n"
      #expect(try await post("/api/purge?key=k", to: page, headers: own + "Origin: https://evil.example\r\n") == 403)
      #expect(try await post("/api/purge?key=k", to: page, headers: own + "Origin: null\r\n") == 403)
      #expect(try await post("/api/purge?key=k", to: page, headers: "Host: evil.example\r\n") == 403)
      #expect(try await state("a", at: edge) == "found+usable")
      #expect(try await post("/api/purge?key=a%20b", to: page, headers: own) == 400)
      #expect(try await post("/api/purge?key=k&soft=yes", to: page, headers: own) == 400)
      #expect(try await post("/api/purge", to: page, headers: own) == 400)
      #expect(try await post("/api/purge?key=k", to: page, headers: own) == 200)
      #expect(try await state("a", at: edge) == "nothing")
    }
  }
}
