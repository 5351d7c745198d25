import Foundation
import Synchronization

/// One page in a browser context of its own.
final class BrowserPage: Sendable {
  private let browser: Chromium
  private let context: String
  private let target: String
  private let session: String
  private let heard = Mutex<[String]>([])
  /// The folder that downloads go to.
  let downloads: String

  /// What a person would see in the console as trouble: errors, exceptions, and what the security policy stopped.
  var complaints: [String] { heard.withLock { $0 } }

  /// Opens an empty page.
  static func open(width: Int = 1280, height: Int = 900) async throws -> BrowserPage {
    let browser = try Chromium.running()
    let context: String = try await browser.value("Target.createBrowserContext", [:], "browserContextId")
    let target: String = try await browser.value(
      "Target.createTarget", ["url": "about:blank", "browserContextId": context], "targetId")
    let session: String = try await browser.value(
      "Target.attachToTarget", ["targetId": target, "flatten": true], "sessionId")
    let page = BrowserPage(
      browser: browser, context: context, target: target, session: session, downloads: try Places.newFolder())
    browser.listen(to: session) { [weak page] event in page?.hear(event) }
    for domain in ["Page", "Runtime", "Log", "Network"] { try await page.call("\(domain).enable") }
    _ = try await browser.call(
      "Browser.setDownloadBehavior",
      ["behavior": "allow", "browserContextId": context, "downloadPath": page.downloads])
    try await page.resize(width: width, height: height)
    return page
  }

  private init(browser: Chromium, context: String, target: String, session: String, downloads: String) {
    self.browser = browser
    self.context = context
    self.target = target
    self.session = session
    self.downloads = downloads
  }

  func close() async {
    browser.forget(session: session)
    _ = try? await browser.call("Target.disposeBrowserContext", ["browserContextId": context])
  }

  @discardableResult
  private func call(_ method: String, _ parameters: [String: Any] = [:]) async throws -> Data {
    try await browser.call(method, parameters, session: session)
  }

  // MARK: - What a person does

  /// Opens an address and waits until it is loaded.
  func visit(_ address: String) async throws {
    try await call("Page.navigate", ["url": address])
    try await until("document.readyState === 'complete' && location.href !== 'about:blank'")
  }

  func resize(width: Int, height: Int, isPhone: Bool = false) async throws {
    try await call(
      "Emulation.setDeviceMetricsOverride",
      ["width": width, "height": height, "deviceScaleFactor": isPhone ? 2 : 1, "mobile": isPhone])
  }

  /// Prefers light or dark colours.
  func prefer(_ scheme: String) async throws {
    try await call(
      "Emulation.setEmulatedMedia", ["features": [["name": "prefers-color-scheme", "value": scheme]]])
  }

  /// Sends these headers with every request of the page.
  func send(headers: [String: String]) async throws {
    try await call("Network.setExtraHTTPHeaders", ["headers": headers])
  }

  func allowScripts(_ allowed: Bool) async throws {
    try await call("Emulation.setScriptExecutionDisabled", ["value": !allowed])
  }

  /// Types one key outside of fields.
  func press(_ key: String) async throws {
    for type in ["keyDown", "keyUp"] {
      var parameters: [String: Any] = ["type": type, "key": key]
      if key.count == 1, type == "keyDown" { parameters["text"] = key }
      if key == "Enter" {
        parameters["windowsVirtualKeyCode"] = 13
        if type == "keyDown" { parameters["text"] = "\r" }
      }
      try await call("Input.dispatchKeyEvent", parameters)
    }
  }

  // MARK: - What a person sees

  /// The value of an expression, which may be a promise.
  func evaluate<Value: Decodable>(_ expression: String, as _: Value.Type = Value.self) async throws -> Value {
    let wrapped = "(async () => JSON.stringify([await (\(expression))]))()"
    let answer = try JSONDecoder().decode(
      Evaluation.self,
      from: try await call(
        "Runtime.evaluate", ["expression": wrapped, "awaitPromise": true, "returnByValue": true]))
    if let failure = answer.exceptionDetails { throw HarnessError("\(expression): \(failure.text)") }
    guard let text = answer.result.value,
      let value = try JSONDecoder().decode([Value].self, from: Data(text.utf8)).first
    else { throw HarnessError("\(expression) has no value") }
    return value
  }

  /// Waits until an expression is true.
  func until(_ expression: String) async throws {
    try await eventually("in the browser: \(expression)") {
      // While a page is being replaced, there is nothing to evaluate in.
      (try? await evaluate("Boolean(\(expression))", as: Bool.self)) == true
    }
  }

  /// The text of the first element that a selector finds.
  func text(_ selector: String) async throws -> String {
    try await evaluate("document.querySelector('\(selector)').innerText")
  }

  /// Writes what is seen as PNG.
  func screenshot(to path: String, wholePage: Bool = false) async throws {
    let data: String = try await browser.value(
      "Page.captureScreenshot", ["format": "png", "captureBeyondViewport": wholePage], "data", session: session)
    guard let bytes = Data(base64Encoded: data) else { throw HarnessError("the browser's picture cannot be read") }
    try bytes.write(to: URL(fileURLWithPath: path))
  }

  private func hear(_ event: Chromium.Event) {
    guard let fields = try? JSONSerialization.jsonObject(with: event.parameters) as? [String: Any] else { return }
    switch event.method {
    case "Runtime.consoleAPICalled":
      guard let type = fields["type"] as? String, ["error", "assert"].contains(type) else { return }
      add("console.\(type): \(fields["args"] ?? "")")
    case "Runtime.exceptionThrown": add("exception: \(fields["exceptionDetails"] ?? "")")
    case "Log.entryAdded":
      guard let entry = fields["entry"] as? [String: Any], let level = entry["level"] as? String else { return }
      if level == "error" || entry["source"] as? String == "security" { add("\(level): \(entry["text"] ?? "")") }
    default: break
    }
  }

  private func add(_ complaint: String) { heard.withLock { $0.append(complaint) } }
}

/// What the browser answers about an expression.
private struct Evaluation: Decodable {
  struct Result: Decodable { var value: String? }
  struct Failure: Decodable { var text: String }
  var result: Result
  var exceptionDetails: Failure?
}

extension Chromium {
  /// One text of a command's result.
  fileprivate func value(
    _ method: String, _ parameters: [String: Any], _ key: String, session: String? = nil
  ) async throws -> String {
    let data = try await call(method, parameters, session: session)
    guard let fields = try JSONSerialization.jsonObject(with: data) as? [String: Any],
      let value = fields[key] as? String
    else { throw HarnessError("\(method) gave no \(key)") }
    return value
  }
}
