import ComputeABI

/// What a request looks like that is handed over to a backend or to a GRIP proxy with its client's connection.
enum HandoffTarget {
  /// Fields that stay the client's own where the guest hands a request of its own making over: those that the connection
  /// and its switch of protocols are about.
  private static let protectedNames = [
    "host", "connection", "sec-websocket-version", "sec-websocket-key", "upgrade", "pushpin-route", "content-length",
    "content-range", "expect", "fastly-ff", "proxy-authenticate", "proxy-authorization", "te", "trailer",
    "transfer-encoding", "cdn-loop",
  ]

  /// The client's head with the guest's method, target and fields, apart from the protected ones.
  static func merged(_ original: RequestHead, with guest: RequestHead) -> RequestHead {
    var head = guest
    head.version = original.version
    head.headers = HeaderList()
    append(original.headers, to: &head.headers, where: isProtected)
    append(guest.headers, to: &head.headers) { !isProtected($0) }
    return head
  }

  private static func append(
    _ fields: HeaderList, to headers: inout HeaderList, where isWanted: (ArraySlice<UInt8>) -> Bool
  ) {
    for index in 0..<fields.count where isWanted(fields.name(at: index)) {
      headers.append(name: fields.name(at: index), value: fields.value(at: index))
    }
  }

  private static func isProtected(_ name: ArraySlice<UInt8>) -> Bool {
    protectedNames.contains { WireSyntax.equalIgnoringCase(name, $0.utf8) }
  }

  /// The head for a WebSocket backend: `Host` is the backend's own, its path prefix counts.
  static func websocket(_ head: RequestHead, to backend: BackendDefinition) throws(SendError) -> RequestHead {
    var head = head
    head.headers.set("host", backend.overrideHost ?? backend.authority)
    return try BackendTarget.wireHead(for: head, to: backend)
  }

  /// The head for the GRIP proxy, which learns from `pushpin-route` whom to ask.
  static func grip(_ head: RequestHead, route: String, proxy: BackendDefinition) throws(SendError) -> RequestHead {
    var head = head
    head.headers.set("pushpin-route", route)
    return try websocket(head, to: proxy)
  }

  /// The proxy that listens for requests to hand over.
  static func gripProxy(port: UInt16) -> BackendDefinition {
    var proxy = BackendDefinition(name: "pushpin", host: "127.0.0.1", port: port, usesTLS: false)
    proxy.isPooled = false
    return proxy
  }

  /// Puts back what a request for a switch of protocols consists of, which no other request may carry to a backend.
  static func restoreUpgrade(of original: HeaderList, in headers: inout HeaderList) {
    let asks = original.members(of: "connection").contains { WireSyntax.equalIgnoringCase($0, "upgrade".utf8) }
    let protocols = original.indices(of: "upgrade".utf8)
    guard asks, !protocols.isEmpty else { return }
    headers.remove("upgrade")
    headers.append("connection", "Upgrade")
    for index in protocols { headers.append(name: "upgrade".utf8, value: original.value(at: index)) }
  }
}
