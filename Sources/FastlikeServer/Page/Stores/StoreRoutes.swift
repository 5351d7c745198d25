import FastlikeProfile
import FastlikeRuntime
import Hummingbird

/// The pages of stores, and the forms with which their contents are deleted and purged.
struct StoreRoutes: Sendable {
  /// Everything that changes something lies under it.
  static let path = "/stores/"
  /// A form holds a key of at most 1,024 bytes, each of which may be three characters.
  private static let maximumFormBytes = 16_384

  /// What the service holds at present; nil where there is none to look at.
  let inventory: (@Sendable () -> StoreInventory)?
  /// Whether values may be shown, and keys and objects deleted.
  let isOpen: Bool
  let templates: PageTemplates

  func add(to router: Router<PageRoutes.Context>) {
    router.get("stores") { _, _ in try await withInventory { .view(await overview($0)) } }
    get("kv", on: router) { inventory, query in
      let page = await inventory.kvKeys(
        of: query.store, prefix: query.prefix, after: query.after, limit: StoreQuery.pageLength)
      return .view(StoresView(kvKeys: page, query: query, isOpen: isOpen))
    }
    get("kv-value", on: router) { inventory, query in
      guard isOpen else { return .refused }
      guard let value = await inventory.kvValue(of: query.key, in: query.store) else { return .missing }
      return .view(StoresView(kvValue: value, query: query))
    }
    get("config", on: router) { inventory, query in
      guard let store = inventory.configStores[query.store] else { return .missing }
      return .view(StoresView(config: store, query: query, isOpen: isOpen))
    }
    get("secrets", on: router) { inventory, query in
      guard let names = inventory.secretNames[query.store] else { return .missing }
      return .view(StoresView(secrets: names, query: query))
    }
    get("acl", on: router) { inventory, query in
      guard let list = inventory.accessControlLists[query.store] else { return .missing }
      return .view(StoresView(list: list, query: query))
    }
    get("cache", on: router) { inventory, query in
      let listing = inventory.cache.listing(limit: query.offset + StoreQuery.pageLength)
      return .view(StoresView(cache: listing, query: query, isOpen: isOpen))
    }
    addChanges(to: router)
  }

  private func addChanges(to router: Router<PageRoutes.Context>) {
    post("kv-delete", on: router) { inventory, query in
      _ = await inventory.deleteKV(query.key, in: query.store)
      return .redirect(StoreQuery.link("kv", [("store", query.store)]))
    }
    post("cache-remove", on: router) { inventory, query in
      guard let object = query.object else { return .malformed("object: must be the number of a cached object") }
      _ = inventory.cache.remove(object: object)
      return .redirect("cache")
    }
    post("cache-purge", on: router) { inventory, query in
      guard CacheStore.isSurrogateKey(query.surrogateKey) else {
        return .malformed("surrogate_key: must have 1 to 1024 visible ASCII characters")
      }
      inventory.cache.purge(surrogateKey: query.surrogateKey, soft: query.isSoft)
      return .redirect("cache")
    }
  }

  // MARK: Answers

  private enum Answer {
    case view(StoresView)
    case redirect(String)
    case malformed(String)
    case missing
    case refused
  }

  private func get(
    _ name: String, on router: Router<PageRoutes.Context>,
    _ answer: @escaping @Sendable (StoreInventory, StoreQuery) async -> Answer
  ) {
    router.get(RouterPath(Self.path + name)) { request, _ in
      try await withInventory { await answer($0, StoreQuery(form: request.uri.query ?? "")) }
    }
  }

  private func post(
    _ name: String, on router: Router<PageRoutes.Context>,
    _ answer: @escaping @Sendable (StoreInventory, StoreQuery) async -> Answer
  ) {
    router.post(RouterPath(Self.path + name)) { request, _ in
      let form = try await request.body.collect(upTo: Self.maximumFormBytes)
      return try await withInventory { inventory in
        guard isOpen else { return .refused }
        return await answer(inventory, StoreQuery(form: String(buffer: form)))
      }
    }
  }

  private func withInventory(_ answer: (StoreInventory) async throws -> Answer) async throws -> Response {
    guard let inventory else {
      return message("There are no stores here", "No service runs behind this page.", .notFound)
    }
    switch try await answer(inventory()) {
    case .view(let view): return PageAnswer.html(templates.stores(view))
    case .redirect(let place):
      var response = PageAnswer.text(.seeOther, "done")
      response.headers[.location] = place
      return response
    case .malformed(let text): return PageAnswer.text(.badRequest, text)
    case .missing: return message("Not found", "There is no such store, or no such key in it.", .notFound)
    case .refused:
      return message(
        "Values are not shown", "Start with --profile-show-values to see values, and to delete and purge.", .forbidden)
    }
  }

  private func message(_ title: String, _ text: String, _ status: HTTPResponse.Status) -> Response {
    PageAnswer.html(templates.message(title: title, text: text, base: "../"), status: status)
  }

  private func overview(_ inventory: StoreInventory) async -> StoresView {
    StoresView(
      kvStores: await inventory.kvStores(), kvPlace: inventory.kvPlace, configStores: inventory.configStores,
      secretNames: inventory.secretNames, lists: inventory.accessControlLists,
      cache: inventory.cache.listing(limit: 0), problems: inventory.problems)
  }
}
