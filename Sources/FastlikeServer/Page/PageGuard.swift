import FastlikeProfile
import Hummingbird

/// Stands before every route: turns away who may not see the page, and puts the security headers on every answer.
struct PageGuard<Context: RequestContext>: RouterMiddleware {
  /// The one other site that may read an export: the viewer that fetches it by its address.
  static var firefoxProfiler: String { "https://profiler.firefox.com" }

  /// The address that takes samples of a profiler.
  static var samplesPath: RouterPath { "/api/samples" }

  /// The addresses that a program may send something to. Browsers tell with every POST where it is from, so pages of other sites
  /// get no further than the check of the origin.
  private static var takers: [String] { [samplesPath.description, PurgeRoute.path.description] }

  let authorization: ProfilePageAuthorization
  /// Whether the forms of the stores' pages may be sent.
  let allowsChanges: Bool

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    var response: Response
    if let refusal = refusal(of: request) {
      response = refusal
    } else {
      do {
        response = try await next(request, context)
      } catch let error as any HTTPResponseError where error.status == .notFound {
        response = PageAnswer.text(.notFound, "there is nothing at this address; the list of requests is at /")
      }
    }
    PageAnswer.addSecurityHeaders(to: &response.headers)
    if request.headers[.origin] == Self.firefoxProfiler, isForFirefox(request) {
      PageAnswer.open(&response.headers, to: Self.firefoxProfiler)
    }
    return response
  }

  private func refusal(of request: Request) -> Response? {
    guard authorization.allows(authorization: request.headers[.authorization]) else {
      var response = PageAnswer.text(
        .unauthorized, "this page asks for a token: send the header Authorization: Bearer TOKEN")
      response.headers[.wwwAuthenticate] = "Bearer realm=\"fastlike\""
      return response
    }
    guard authorization.allows(host: request.head.authority) else {
      return PageAnswer.text(
        .forbidden,
        "this page is for this machine: open it under localhost, 127.0.0.1, [::1] or the address it listens on")
    }
    guard isOwnOrigin(request) else { return PageAnswer.text(.forbidden, "other sites may not read this page") }
    if request.method == .post, Self.takers.contains(request.uri.path) { return nil }
    if request.method == .post, allowsChanges, request.uri.path.hasPrefix(StoreRoutes.path) {
      // Browsers tell with every form where it is from; a form of another site must not change anything here.
      guard request.headers[.origin].map({ isOwn($0, request) }) == true else {
        return PageAnswer.text(
          .forbidden, "only this page's own forms may change something: Origin must be this page's")
      }
      return nil
    }
    guard request.method == .get || request.method == .head else {
      var response = PageAnswer.text(.methodNotAllowed, "this page can only be read: use GET")
      response.headers[.allow] = "GET, HEAD"
      return response
    }
    return nil
  }

  /// Whether the request comes from the page itself, or from none: a token cannot be sent by another site's page.
  private func isOwnOrigin(_ request: Request) -> Bool {
    guard !authorization.requiresToken, let origin = request.headers[.origin] else { return true }
    if origin == Self.firefoxProfiler { return isForFirefox(request) }
    return isOwn(origin, request)
  }

  private func isOwn(_ origin: String, _ request: Request) -> Bool {
    let authority = request.head.authority?.lowercased() ?? ""
    return origin.lowercased() == "http://" + authority || origin.lowercased() == "https://" + authority
  }

  private func isForFirefox(_ request: Request) -> Bool {
    request.uri.path.hasSuffix(TraceExportFormat.firefox.pageSuffix)
  }
}
