import Foundation
import Testing

@testable import FastlikeProfile

/// Plants a secret in every input through which a host could pass one.
enum Canary {
  static let secret = "CANARY7f3a"

  /// A trace that was recorded with secrets in the values, queries, users and fragments of all that the host gives.
  static func record() -> RequestTrace {
    let url = "https://\(secret):\(secret)@host.test/path?\(secret)=\(secret)#\(secret)"
    let recorder = TraceRecorder(
      id: 1, head: TraceHead(moduleID: "m", moduleName: "app.wasm", method: "GET", url: RedactedURL(url)),
      hostcalls: TraceSamples.hostcalls, mode: .deep)
    recorder.beginSpan(hostcall: 1)
    recorder.label(.backend, "origin")
    recorder.label(.headerName, "Authorization")
    recorder.endSpan(status: 0)
    let call = recorder.backendCall(
      to: "origin", method: "GET",
      url: RedactedURL(scheme: "https", host: "\(secret)@host.test", path: "/p?\(secret)"), variant: .send)
    recorder.updateBackendCall(call) { $0.url = RedactedURL("\(secret):\(secret)@host.test") }
    recorder.finishBackendCall(call, outcome: .ok, status: 200)
    recorder.updateDeep {
      $0.requestHeaders = HeaderSummary.summarize([
        (name: "Cookie", value: secret), (name: "Accept", value: secret), (name: "X-Api-Key", value: secret),
      ])
      $0.bumpStoreAccess(kind: .secret, name: "vault")
    }
    recorder.note("a remark")
    return recorder.finish()
  }

  /// Whether bytes hold the secret as it is or in the encodings that formats use for text.
  static func isIn(_ bytes: [UInt8]) -> Bool {
    let data = Data(bytes)
    return [Data(secret.utf8), Data(secret.utf8).base64EncodedData().prefix(12)].contains { data.range(of: $0) != nil }
  }
}

struct PrivacyCanaryTests {
  @Test func theNativeJSONHoldsNoSecret() {
    #expect(!Canary.isIn(NativeJSONEncoder.encode(Canary.record())))
  }

  @Test func theTraceItselfHoldsNoSecret() {
    #expect(!Canary.isIn(Array(String(reflecting: Canary.record()).utf8)))
  }

  @Test func aDecodedFileHoldsNoSecretInItsURLs() throws {
    let text = """
      {"req_id": 1, "wall_nanos": 1, "url": "http://\(Canary.secret)@h/p?\(Canary.secret)", "\(Canary.secret)": 1,
       "headers": ["\(Canary.secret)"], "backend_calls": [{"name": "b", "url_redacted": "http://h/p?\(Canary.secret)"}]}
      """
    let trace = try #require(try NativeJSONDecoder.decode(Array(text.utf8)).first)
    #expect(!Canary.isIn(NativeJSONEncoder.encode(trace)))
  }

  @Test func errorsDoNotRepeatWhatTheyRefuse() {
    let text = "{\"req_id\": \"\(Canary.secret)\"}"
    let error = #expect(throws: NativeJSONError.self) { try NativeJSONDecoder.decode(Array(text.utf8)) }
    #expect(error.map { Canary.isIn(Array($0.description.utf8)) } == false)
  }

  @Test func settingsAndThePageDoNotTellTheToken() {
    let settings = ProfileStoreSettings(pageToken: Canary.secret)
    #expect(!Canary.isIn(Array("\(settings)".utf8)))
    let page = ProfilePageAuthorization(token: Canary.secret, address: "localhost:1")
    #expect(!Canary.isIn(Array(String(reflecting: page).utf8)))
  }
}
