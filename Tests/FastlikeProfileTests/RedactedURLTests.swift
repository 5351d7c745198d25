import Testing

@testable import FastlikeProfile

struct RedactedURLTests {
  @Test(arguments: [
    ("https://user:pw@Example.com:8443/a/b?token=s#frag", "https://Example.com:8443/a/b"),
    ("HTTP://[::1]:80/x", "http://[::1]:80/x"),
    ("https://host", "https://host"),
    ("https://host?secret", "https://host"),
    ("https://a@b@host/p", "https://host/p"),
    ("https://host\\@evil/p", "https://host\\@evil/p"),
    ("//host/p?q", "//host/p"),
    ("/p?q=1", "/p"),
    ("/p#f", "/p"),
    ("host.test:443", "//host.test:443"),
    ("*", "*"),
    ("", ""),
    ("user:secret@host/p", ""),
    ("data:text/plain,secret", ""),
    ("secret", ""),
    ("mailto:me@secret", ""),
  ]) func schemeHostAndPathAreKept(text: String, expected: String) {
    #expect(RedactedURL(text).description == expected)
  }

  @Test func readingAgainChangesNothing() {
    for text in ["https://u@h:1/p?q", "/a//b?c", "//h/p", "*", "h:1", ""] {
      let once = RedactedURL(text)
      #expect(RedactedURL(once.description) == once)
    }
  }

  @Test func aServersPartsAreTakenAsTheyAre() {
    #expect(RedactedURL(scheme: "https", host: "h:1", path: "/p?q").description == "https://h:1/p")
    #expect(RedactedURL(scheme: "https", host: "u:p@h", path: "http://x:y@z/w?v").description == "https://h/w")
    #expect(RedactedURL(scheme: "https", host: "h", path: "//a?b").description == "https://h//a")
    #expect(RedactedURL(scheme: "", host: "", path: "//a?b").description == "/a")
  }

  @Test func longAndUnprintableTextIsMadeSafe() {
    let long = RedactedURL("/" + String(repeating: "é", count: 5000))
    #expect(long.path.utf8.count <= RedactedURL.maximumPathBytes)
    #expect(!long.path.contains("\u{FFFD}"))
    #expect(RedactedURL("/a\u{1B}[2Jb").path == "/a_[2Jb")
  }
}
