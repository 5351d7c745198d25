import Foundation
import Testing

/// Log endpoints and the guests' standard streams.
@Suite("Conformance: logs", .timeLimit(.minutes(5)))
struct LogTests {
  /// What the process wrote behind the line that says where it listens.
  private func output(of edge: FastlikeProcess) -> [String] {
    edge.child.output.split(separator: "\n").dropFirst().map(String.init)
  }

  @Test func aRecordIsOneLineWithTheEndpointsName() async throws {
    try await withFastlike("log") { edge in
      let report = try await edge.report("/write")
      #expect(
        report.lines == [
          "plain=12", "newline_at_end=15", "two_lines=9", "empty=0", "not_text=3", "bad_handle=!badf",
          "same_name_same_handle=1", "other_name_other_handle=1",
        ])
      let lines = output(of: edge)
      #expect(
        lines.prefix(3) == [
          "my-endpoint :: plain record", "my-endpoint :: newline at end", #"my-endpoint :: two\nlines"#,
        ])
      // An empty message writes nothing; bytes that are not text are kept.
      #expect(lines.count == 4)
      #expect(lines.last == "my-endpoint :: a\u{FFFD}b")
    }
  }

  @Test func namesOfThePlatformsStreamsAreReserved() async throws {
    let report = try await SharedEdges.edge("log").report("/names")
    let refused = [
      "stdout", "STDOUT", "stderr", "fst_managed_x", "FST_MANAGED_x", "with:colon", "with\\nnewline", "",
    ]
    #expect(report.names(with: "!inval") == refused.map { "open_" + $0 })
    #expect(report["open_stdout2"] == "ok")
    #expect(report["open_with space"] == "ok")
  }

  @Test func anEndpointCanWriteToAFileInstead() async throws {
    let file = try Places.newFolder() + "/records.log"
    try await withFastlike("log", ["--logger", "filed=\(file)"]) { edge in
      _ = try await edge.get("/records?endpoint=filed&count=2")
      _ = try await edge.get("/records?endpoint=filed&count=1")
      let text = try String(contentsOfFile: file, encoding: .utf8)
      #expect(text == "filed :: record 0 \nfiled :: record 1 \nfiled :: record 0 \n")
      #expect(output(of: edge).isEmpty)
    }
  }

  @Test func recordsOfManyGuestsAreNotMixed() async throws {
    try await withFastlike("log") { edge in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<8 { group.addTask { _ = try await edge.get("/records?count=20&bytes=2000") } }
        try await group.waitForAll()
      }
      let lines = output(of: edge)
      #expect(lines.count == 160)
      let filler = String(repeating: "0123456789abcdef", count: 125)
      let mixed = lines.filter { !$0.hasPrefix("my-endpoint :: record ") || !$0.hasSuffix(" " + filler) }
      #expect(mixed.isEmpty)
    }
  }

  @Test func theStandardStreamsPassThroughLineByLine() async throws {
    try await withFastlike("wasi") { edge in
      let report = try await edge.report("/console")
      #expect(report["errno"] == "0")
      #expect(report["bad_descriptor_errno"] == "8")
      try await eventually("the last line") { output(of: edge).count == 3 }
      #expect(output(of: edge) == ["first line", "second line", "half a line"])
      #expect(edge.child.errors.contains("error line\n"))
    }
  }

  @Test func theStandardStreamsCanGoThroughTheLog() async throws {
    try await withFastlike("wasi", ["--log-stdout", "--log-stderr"]) { edge in
      _ = try await edge.get("/console")
      try await eventually("the last line") { output(of: edge).count == 4 }
      #expect(
        Set(output(of: edge)) == [
          "stdout :: first line", "stdout :: second line", "stderr :: error line", "stdout :: half a line",
        ])
    }
  }

  @Test func aLevelShowsRequestsAndTheNextOneHostcalls() async throws {
    for (flag, showsHostcalls) in [("-v", false), ("-v=2", true), ("-vv", true)] {
      try await withFastlike("hello", [flag]) { edge in
        _ = try await edge.get("/path")
        try await eventually("the request's line") { edge.child.errors.contains("request 1: GET /path took ") }
        #expect(edge.child.errors.contains("fastly_http_resp.send_downstream = 0") == showsHostcalls)
      }
    }
  }

  @Test func oneRequestCanShowItsHostcalls() async throws {
    try await withFastlike("hello") { edge in
      _ = try await edge.get("/")
      _ = try await edge.get("/", headers: "fastlike-verbose: 1\r\n")
      try await eventually("the hostcalls of the second request") {
        edge.child.errors.contains("request 2: fastly_http_resp.send_downstream = 0")
      }
      #expect(!edge.child.errors.contains("request 1: fastly_"))
      let length = edge.child.errors.count
      _ = try await edge.get("/")
      #expect(edge.child.errors.count == length)
    }
  }
}
