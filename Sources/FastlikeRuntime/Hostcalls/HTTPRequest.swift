import ComputeABI
import FastlikeProfile

/// `fastly_http_req`: making and reading requests. Sending is in `HTTPRequest+Sending.swift`, the client's facts in
/// `Downstream.swift`.
extension Sandbox {
  func httpReqBodyDownstreamGet() throws(Status) -> (requestHandle: RequestHandle, bodyHandle: BodyHandle) {
    (downstreamHandles.request, downstreamHandles.body)
  }

  func httpReqNew() throws(Status) -> RequestHandle {
    guard let handle = requests.insert(GuestRequest()) else { throw .limitexceeded }
    return RequestHandle(rawValue: handle)
  }

  func httpReqClose(handle: RequestHandle) throws(Status) {
    guard requests.remove(handle.rawValue) != nil else { throw .badf }
  }

  // MARK: Method, URI, version

  func httpReqMethodGet(handle: RequestHandle, buf: GuestOutput) throws(Status) {
    try buf.write(try guestRequest(handle).head.method)
  }

  func httpReqMethodSet(handle: RequestHandle, method: GuestBytes) throws(Status) {
    let request = try guestRequest(handle)
    guard WireSyntax.isToken(method.raw) else { throw .error }
    request.head.method = try method.string()
  }

  func httpReqURIGet(handle: RequestHandle, buf: GuestOutput) throws(Status) {
    try buf.write(try guestRequest(handle).head.uri)
  }

  func httpReqURISet(handle: RequestHandle, uri: GuestBytes) throws(Status) {
    let request = try guestRequest(handle)
    guard (1...65_534).contains(uri.count) else { throw .error }
    let text = try uri.string()
    guard BackendTarget.isValid(text) else { throw .error }
    request.head.uri = text
  }

  func httpReqVersionGet(handle: RequestHandle) throws(Status) -> HTTPVersionTag {
    try guestRequest(handle).head.version
  }

  func httpReqVersionSet(handle: RequestHandle, version: HTTPVersionTag) throws(Status) {
    try guestRequest(handle).head.version = version
  }

  // MARK: Headers

  func httpReqHeaderNamesGet(handle: RequestHandle, buf: GuestItemOutput) throws(Status) {
    try HeaderRules.writeNames(of: try guestRequest(handle).head.headers, to: buf)
  }

  func httpReqHeaderValueGet(handle: RequestHandle, name: GuestBytes, value: GuestOutput) throws(Status) {
    let request = try guestRequest(handle)
    label(header: name)
    try HeaderRules.writeValue(of: name, in: request.head.headers, to: value)
  }

  func httpReqHeaderValuesGet(handle: RequestHandle, name: GuestBytes, buf: GuestItemOutput) throws(Status) {
    let request = try guestRequest(handle)
    label(header: name)
    try HeaderRules.writeValues(of: name, in: request.head.headers, to: buf)
  }

  func httpReqHeaderValuesSet(handle: RequestHandle, name: GuestBytes, values: GuestBytes) throws(Status) {
    let request = try guestRequest(handle)
    label(header: name)
    try HeaderRules.setValues(of: name, to: values, in: &request.head.headers)
  }

  func httpReqHeaderInsert(handle: RequestHandle, name: GuestBytes, value: GuestBytes) throws(Status) {
    let request = try guestRequest(handle)
    label(header: name)
    try HeaderRules.insert(name, value, in: &request.head.headers)
  }

  func httpReqHeaderAppend(handle: RequestHandle, name: GuestBytes, value: GuestBytes) throws(Status) {
    let request = try guestRequest(handle)
    label(header: name)
    try HeaderRules.append(name, value, in: &request.head.headers)
  }

  func httpReqHeaderRemove(handle: RequestHandle, name: GuestBytes) throws(Status) {
    let request = try guestRequest(handle)
    label(header: name)
    try HeaderRules.remove(name, in: &request.head.headers)
  }

  // MARK: How it is sent

  func httpReqFramingHeadersModeSet(handle: RequestHandle, mode: FramingHeadersMode) throws(Status) {
    try guestRequest(handle).framing = mode
  }

  func httpReqAutoDecompressResponseSet(handle: RequestHandle, encodings: ContentEncodings) throws(Status) {
    try guestRequest(handle).decodesGzip = encodings.contains(.gzip)
  }

  func httpReqCacheOverrideSet(
    handle: RequestHandle, tag: CacheOverrideTag, ttl: UInt32, staleWhileRevalidate: UInt32
  ) throws(Status) {
    try guestRequest(handle).cacheOverride = CacheOverride(
      tag, ttl: ttl, staleWhileRevalidate: staleWhileRevalidate, surrogateKeys: "")
  }

  func httpReqCacheOverrideV2Set(
    handle: RequestHandle, tag: CacheOverrideTag, ttl: UInt32, staleWhileRevalidate: UInt32, surrogateKeys: GuestBytes
  ) throws(Status) {
    let request = try guestRequest(handle)
    guard surrogateKeys.raw.allSatisfy(WireSyntax.isFieldValueByte) else { throw .inval }
    let keys = surrogateKeys.raw.split { $0 == 0x20 || $0 == 0x09 }.compactMap { SurrogateKeys.key($0) }
    request.cacheOverride = CacheOverride(
      tag, ttl: ttl, staleWhileRevalidate: staleWhileRevalidate, surrogateKeys: keys.joined(separator: " "))
  }

  /// The platform bills a request to another service; there is none here.
  func httpReqOnBehalfOf(req: RequestHandle, service: GuestBytes) throws(Status) {
    _ = try guestRequest(req)
    throw .unsupported
  }

  /// Names the header that the open hostcall touches in the trace.
  func label(header name: GuestBytes) {
    recording?._withUnsafeGuaranteedRef { $0.label(headerName: name.raw) }
  }
}
