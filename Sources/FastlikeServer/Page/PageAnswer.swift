import FastlikeProfile
import Hummingbird

/// The kinds of responses that the page gives.
enum PageAnswer {
  /// Nothing but the page's own files may run or load; nothing is kept by caches; no address leaks to other sites.
  static func addSecurityHeaders(to headers: inout HTTPFields) {
    headers[.contentSecurityPolicy] =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
      + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    headers[.xContentTypeOptions] = "nosniff"
    headers[.cacheControl] = "no-store"
    set("Referrer-Policy", to: "no-referrer", in: &headers)
    set("Cross-Origin-Resource-Policy", to: "same-origin", in: &headers)
  }

  /// Lets one other site read this answer.
  static func open(_ headers: inout HTTPFields, to origin: String) {
    headers[.accessControlAllowOrigin] = origin
    headers[.vary] = "origin"
    set("Cross-Origin-Resource-Policy", to: "cross-origin", in: &headers)
  }

  /// For names that the library has no word for.
  private static func set(_ name: StaticString, to value: String, in headers: inout HTTPFields) {
    if let name = HTTPFields.Element.Name(name.description) { headers[name] = value }
  }

  static func html(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
    bytes(Array(text.utf8), contentType: "text/html; charset=utf-8", status: status)
  }

  /// One line for programs and for those who read the network panel.
  static func text(_ status: HTTPResponse.Status, _ line: String) -> Response {
    bytes(Array((line + "\n").utf8), contentType: "text/plain; charset=utf-8", status: status)
  }

  static func bytes(
    _ bytes: some Sequence<UInt8>, contentType: String, status: HTTPResponse.Status = .ok
  ) -> Response {
    Response(
      status: status, headers: [.contentType: contentType], body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  /// A file to save. No `Content-Encoding`: browsers would unpack what is compressed by its format.
  static func export(_ trace: RequestTrace, as format: TraceExportFormat) -> Response {
    var response = bytes(format.encode(trace), contentType: format.contentType)
    response.headers[.contentDisposition] =
      "attachment; filename=\"fastlike-request-\(trace.id)\(format.fileSuffix)\""
    return response
  }
}
