import Testing

/// Clients that send what costs them nothing: each is cut off, and the others are served.
@Suite("Conformance: HTTP/2 floods", .timeLimit(.minutes(5)))
struct HTTP2FloodTests {
  private func edge() async throws -> FastlikeProcess { try await SharedEdges.edge("hello") }

  /// Sends the same frames again and again until the edge has enough of them.
  ///
  /// - Returns: The code with which the connection ended; `.max` where it ended without one.
  private func flood(
    _ frames: @escaping (HTTP2Wire, _ round: Int) throws -> [WireFrame], rounds: Int
  ) async throws -> UInt32 {
    let edge = try await edge()
    let client = try await edge.http2()
    for round in 0..<rounds {
      do { try await client.send(try frames(client, round).flatMap(\.bytes)) } catch { break }
    }
    let code = try await client.goAway()
    await client.close()
    #expect(try await edge.get("/").text == "Hello from the edge\n")
    return code
  }

  @Test func resetsInRapidSuccession() async throws {
    // CVE-2023-44487
    let code = try await flood(
      { client, round in
        let stream = UInt32(round * 2 + 1)
        return [client.headers(stream, try client.block()), .resetStream(stream)]
      }, rounds: 2000)
    #expect(code == WireError.enhanceYourCalm)
  }

  @Test func requestsThatHaveThemselvesReset() async throws {
    // CVE-2025-8671
    let code = try await flood(
      { client, round in
        let stream = UInt32(round * 2 + 1)
        return [client.headers(stream, try client.block("/", "POST"), end: false), .windowUpdate(stream, 0)]
      }, rounds: 2000)
    #expect(code == WireError.enhanceYourCalm)
  }

  @Test func settingsOneAfterTheOther() async throws {
    // CVE-2019-9515
    #expect(try await flood({ _, _ in [.settings([(4, 70_000)])] }, rounds: 500) == WireError.enhanceYourCalm)
  }

  @Test func pingsOneAfterTheOther() async throws {
    // CVE-2019-9512
    let pings = (0..<20).map { _ in WireFrame.ping() }
    #expect(try await flood({ _, _ in pings }, rounds: 200) == WireError.enhanceYourCalm)
  }

  @Test func continuationsWithoutEnd() async throws {
    // CVE-2024-27316
    let empty = WireFrame(kind: WireFrame.Kind.continuation, stream: 1)
    let code = try await flood(
      { client, round in
        guard round == 0 else { return [empty] }
        return [WireFrame(kind: WireFrame.Kind.headers, stream: 1, payload: try client.block())]
      }, rounds: 200)
    #expect(code == WireError.enhanceYourCalm)
  }

  @Test func aHeaderBlockWithoutEnd() async throws {
    let piece = [UInt8](repeating: 0x82, count: 16_000)
    let code = try await flood(
      { _, round in
        [WireFrame(kind: round == 0 ? WireFrame.Kind.headers : WireFrame.Kind.continuation, stream: 1, payload: piece)]
      }, rounds: 40)
    #expect(code == WireError.enhanceYourCalm)
  }

  @Test func dataWithoutAByte() async throws {
    // CVE-2019-9518
    let code = try await flood(
      { client, round in
        if round == 0 { return [client.headers(1, try client.block("/", "POST"), end: false)] }
        return (0..<20).map { _ in WireFrame.data(1, []) }
      }, rounds: 200)
    // A guest that is done has its stream reset; the rest is passed over until there is too much of it.
    #expect(code == WireError.enhanceYourCalm)
  }

  @Test func prioritiesOneAfterTheOther() async throws {
    // CVE-2019-9513
    let frames = (0..<20).map { _ in WireFrame(kind: WireFrame.Kind.priority, stream: 9, payload: [0, 0, 0, 0, 1]) }
    #expect(try await flood({ _, _ in frames }, rounds: 300) == WireError.enhanceYourCalm)
  }

  @Test func windowUpdatesOneAfterTheOther() async throws {
    let frames = (0..<20).map { _ in WireFrame.windowUpdate(0, 1) }
    #expect(try await flood({ _, _ in frames }, rounds: 600) == WireError.enhanceYourCalm)
  }

  @Test func framesOfUnknownKinds() async throws {
    let frames = (0..<20).map { _ in WireFrame(kind: 0x42) }
    #expect(try await flood({ _, _ in frames }, rounds: 200) == WireError.enhanceYourCalm)
  }

  @Test func aHeaderListThatGrowsWhenItIsDecoded() async throws {
    // One field of 4,000 bytes is kept and then named again and again, which is one byte each time.
    let edge = try await edge()
    let client = try await edge.http2()
    var block = try client.block()
    block += [0x40, 1, 0x61, 0x7F, 0xA1, 0x1E] + [UInt8](repeating: 0x62, count: 4000)
    block += [UInt8](repeating: 0xBE, count: 12_000)
    try await client.send(client.headers(1, block))
    #expect(try await client.reply(1).status == "431")
    await client.close()
    #expect(try await edge.get("/").text == "Hello from the edge\n")
  }
}
