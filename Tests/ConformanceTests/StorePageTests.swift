import Foundation
import Testing

/// The page on which stores are seen.
@Suite("Conformance: the page of stores", .timeLimit(.minutes(5)))
struct StorePageTests {
  /// A process with a page, and the page's port.
  private func withPage(
    _ flags: [String], _ body: (FastlikeProcess, Int) async throws -> Void
  ) async throws {
    let seed = try temporaryFile("kv.json", #"{"one": "first value", "two": {"data": "second", "metadata": "meta"}}"#)
    let secrets = try temporaryFile("secrets.json", #"{"token": "a canary"}"#)
    let words = try temporaryFile("words.json", #"{"greeting": "hello there"}"#)
    let stores = ["--kv", "s=\(seed)", "--secret-store", "keys=\(secrets)", "-d", "words=\(words)"]
    try await withFastlike("kv", stores + ["--profile-ui", "127.0.0.1:0"] + flags) { edge in
      let mark = "fastlike: profile page on http://127.0.0.1:"
      try await eventually("the page's address") { edge.child.output.contains(mark) }
      let line = try #require(edge.child.output.split(separator: "\n").first { $0.hasPrefix(mark) })
      try await body(edge, try #require(Int(line.dropFirst(mark.count).dropLast())))
    }
  }

  private func ask(
    _ port: Int, _ target: String, method: String = "GET", origin: String? = nil, body: String = ""
  ) async throws -> HTTPReply {
    let client = RawHTTP(try await RawConnection.open(port: port))
    var head = "\(method) \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n"
    if let origin { head += "Origin: \(origin)\r\n" }
    if method == "POST" {
      head += "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: \(body.utf8.count)\r\n"
    }
    let reply = try await client.exchange(head + "\r\n" + body, method: method)
    await client.close()
    return reply
  }

  @Test(arguments: [[], ["--kv-dir", "FOLDER"]])
  func storesAreListedWithoutValues(_ flags: [String]) async throws {
    let folder = try Places.newFolder()
    try await withPage(flags.map { $0.replacing("FOLDER", with: folder) }) { edge, port in
      let all = try await ask(port, "/stores")
      #expect(all.status == 200)
      #expect(all["content-security-policy"]?.contains("default-src 'none'") == true)
      for text in ["stores/kv?store=s", "stores/config?store=words", "stores/secrets?store=keys"] {
        #expect(all.text.contains(text), "\(text)")
      }
      let keys = try await ask(port, "/stores/kv?store=s").text
      #expect(keys.contains("one") && keys.contains("two"))
      let other = try await ask(port, "/stores/kv?store=s&prefix=tw").text
      #expect(!other.contains(">one<") && other.contains("two"))
      let pages = [all.text, keys, try await ask(port, "/stores/config?store=words").text]
      for page in pages + [try await ask(port, "/stores/secrets?store=keys").text] {
        for value in ["first value", "second", "meta<", "a canary", "hello there"] { #expect(!page.contains(value)) }
      }
      #expect(try await ask(port, "/stores/kv-value?store=s&key=one").status == 403)
      let form = "store=s&key=one"
      let own = "http://127.0.0.1:\(port)"
      #expect(try await ask(port, "/stores/kv-delete", method: "POST", origin: own, body: form).status == 405)
      #expect(try await edge.get("/get?key=one").text == "first value")
      #expect(try await ask(port, "/stores/config?store=none").status == 404)
      #expect(try await ask(port, "/stores/cache").status == 200)
    }
  }

  @Test func valuesAndDeletionsNeedTheFlagAndThePagesOwnForms() async throws {
    try await withPage(["--profile-show-values"]) { edge, port in
      let value = try await ask(port, "/stores/kv-value?store=s&key=one").text
      #expect(value.contains("first value"))
      #expect(try await ask(port, "/stores/config?store=words").text.contains("hello there"))
      #expect(try await !ask(port, "/stores/secrets?store=keys").text.contains("a canary"))
      let own = "http://127.0.0.1:\(port)"
      let form = "store=s&key=one"
      for origin in [nil, "http://127.0.0.1:1", "null", "https://profiler.firefox.com"] {
        let refused = try await ask(port, "/stores/kv-delete", method: "POST", origin: origin, body: form)
        #expect(refused.status == 403)
      }
      // Reading never changes anything.
      #expect(try await ask(port, "/stores/kv-delete?\(form)").status == 404)
      #expect(try await edge.get("/get?key=one").text == "first value")
      let done = try await ask(port, "/stores/kv-delete", method: "POST", origin: own, body: form)
      #expect(done.status == 303)
      #expect(done["location"] == "kv?store=s")
      #expect(try await edge.get("/get?key=one").text == "not_found")
      let bad = try await ask(port, "/stores/cache-purge", method: "POST", origin: own, body: "surrogate_key=a+b")
      #expect(bad.status == 400)
      let purged = try await ask(port, "/stores/cache-purge", method: "POST", origin: own, body: "surrogate_key=k")
      #expect(purged.status == 303)
    }
  }

  @Test(arguments: [[], ["--profile-ui", ":0", "--profile-auth", "0123456789"]])
  func valuesAreOnlyForThisMachine(_ flags: [String]) async throws {
    let program = try temporaryFile("app.wat", TextModule.empty)
    let result = try await fastlike(["serve", "--profile-show-values"] + flags + [program])
    #expect(result.status == .exited(2))
    #expect(result.complaints.first?.contains("--profile-show-values: needs a page on a loopback address") == true)
  }
}
