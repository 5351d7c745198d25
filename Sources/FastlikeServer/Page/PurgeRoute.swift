import FastlikeRuntime
import Hummingbird

/// `POST /api/purge?key=KEY`, with `&soft=1` for a soft purge: purges what has a surrogate key, as `fastlike purge` does.
struct PurgeRoute: Sendable {
  static let path: RouterPath = "/api/purge"

  /// nil where no service runs behind the page.
  let inventory: (@Sendable () -> StoreInventory)?

  func add(to router: Router<PageRoutes.Context>) {
    router.post(Self.path) { request, _ in answer(request.uri.queryParameters) }
  }

  private func answer(_ parameters: Parameters) -> Response {
    guard let cache = inventory?().cache else { return PageAnswer.text(.notFound, "no service runs behind this page") }
    let key = parameters["key"].map(String.init) ?? ""
    guard CacheStore.isSurrogateKey(key) else {
      return PageAnswer.text(.badRequest, "key: must have 1 to 1024 visible ASCII characters")
    }
    let soft = parameters["soft"] ?? "0"
    guard soft == "0" || soft == "1" else { return PageAnswer.text(.badRequest, "soft: must be 1 or 0") }
    let count = cache.purge(surrogateKey: key, soft: soft == "1")
    return PageAnswer.bytes(PurgeAnswer.next().json(objectCount: count).utf8, contentType: "application/json")
  }
}
