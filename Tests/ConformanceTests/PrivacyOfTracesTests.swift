import Foundation
import Testing

/// The promise that traces are safe to share: a word that a request carries everywhere, in its query, headers, cookies and
/// body, in keys and values of stores, in secrets, and to a backend, is in nothing that fastlike shows or keeps of it.
@Suite("Conformance: privacy of traces", .timeLimit(.minutes(5)))
struct PrivacyOfTracesTests {
  private static let canary = "C4N4RYw0rd"

  /// Also as it stands in texts that are compressed or encoded: those are opened by their readers' own tests.
  private func expectNoCanary(in text: String, of place: String) {
    let isClean = !text.contains(Self.canary) && !text.contains(Data(Self.canary.utf8).base64EncodedString().prefix(12))
    #expect(isClean, "\(place) has what nobody should see")
  }

  /// What one request with the word in all its places leaves behind, in every mode that records.
  @Test(arguments: ["trace", "deep"]) func theWordIsInNothingThatIsShownOrKept(mode: String) async throws {
    let archive = try Places.newFolder()
    let word = Self.canary
    try await withOrigin { origin in
      let manifest = try temporaryFile("fastly.toml", Self.manifest(originPort: origin.port))
      let flags = [
        "-C", manifest, "--profile", mode, "--profile-ui", "127.0.0.1:0", "--profile-dir", archive, "-v=3",
      ]
      // Deep traces come with a code map for samplers, which is written where the program works.
      let folder = try Places.newFolder()
      try await withFastlike("secretive", flags, directory: folder) { edge in
        let headers =
          "Authorization: Bearer \(word)\r\nCookie: s=\(word)\r\nX-Any: \(word)\r\nReferer: http://u:\(word)@h/?\(word)\r\n"
        let reply = try await edge.send("POST", "/all?word=\(word)", headers: headers, body: word)
        // The origin has had it in its query, three fields and the body, and it came back.
        #expect(reply.text.components(separatedBy: word).count > 6)
        _ = try await edge.send("POST", "/trap?word=\(word)", headers: headers, body: word)
        try await edge.waitForTrace(2)
        for path in Self.pages {
          let page = try await edge.page(path)
          #expect(page.status == 200, "\(path)")
          expectNoCanary(in: String(decoding: page.body, as: UTF8.self), of: path)
        }
        try await edge.stop()
        // What the guest itself writes to its standard error is the guest's own; it writes no word.
        expectNoCanary(in: edge.child.output, of: "the standard output")
        expectNoCanary(in: edge.child.errors, of: "the log")
      }
    }
    for format in ["json", "firefox", "chrome", "pprof", "perfetto", "speedscope", "collapsed", "har"] {
      let file = try Places.newFolder() + "/export"
      let result = try await fastlike([
        "trace", "export", "1", "2", "--dir", archive, "--format", format, "--output", file,
      ])
      #expect(result.status == .exited(0), "\(format): \(result.errors)")
      expectNoCanary(in: String(decoding: try Self.content(of: file), as: UTF8.self), of: "the archive as \(format)")
    }
    for file in try FileManager.default.subpathsOfDirectory(atPath: archive) {
      expectNoCanary(in: file, of: "a file's name")
      let bytes = FileManager.default.contents(atPath: archive + "/" + file) ?? Data()
      expectNoCanary(in: String(decoding: bytes, as: UTF8.self), of: file)
    }
  }

  private static let pages =
    ["", "api/traces"]
    + ["1", "2"].flatMap { id in
      ["", ".json", ".firefox.json", ".chrome.json", ".perfetto", ".speedscope.json", ".har"].map { "r/\(id)\($0)" }
    }

  /// The bytes of an export, unpacked where its format is a gzip file.
  private static func content(of path: String) throws -> Data {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    guard data.starts(with: [0x1F, 0x8B]) else { return data }
    let unpacked = Process()
    unpacked.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    unpacked.arguments = ["gzip", "-dc", path]
    let output = Pipe()
    unpacked.standardOutput = output
    try unpacked.run()
    let content = output.fileHandleForReading.readDataToEndOfFile()
    unpacked.waitUntilExit()
    return content
  }

  private static func manifest(originPort: Int) -> String {
    """
    [local_server.backends.origin]
    url = "http://127.0.0.1:\(originPort)"
    [local_server.config_stores.config]
    format = "inline-toml"
    [local_server.config_stores.config.contents]
    "\(canary)" = "\(canary)"
    [[local_server.kv_stores.kv]]
    key = "\(canary)"
    data = "\(canary)"
    [[local_server.secret_stores.secrets]]
    key = "\(canary)"
    data = "\(canary)"
    """
  }
}
