import FastlikeProfile
import Testing

@testable import FastlikeRuntime
@testable import FastlikeServer

@Suite("Page: stores")
struct PageStoresTests {
  private func html(_ view: StoresView) throws -> String { try PageTemplates().stores(view) }

  private func key(_ name: String, metadata: String? = "about it") -> StoreInventory.KVKey {
    StoreInventory.KVKey(key: name, byteCount: 1536, metadata: metadata, generation: 77, timeLeft: 2_000_000_000)
  }

  // MARK: Queries

  @Test func aFormsFieldsAreRead() {
    let query = StoreQuery(form: "store=a+b&key=%C3%A9%26&prefix=&after=x&offset=-3&object=9&soft=1&other=1&=&bad")
    #expect(query.store == "a b")
    #expect(query.key == "é&")
    #expect(query.after == "x")
    #expect(query.offset == 0)
    #expect(query.object == 9)
    #expect(query.isSoft)
  }

  @Test func aLinkIsReadBackAsItWasMade() {
    let link = StoreQuery.link("kv", [("store", "a&b=c"), ("after", "é/+%")])
    let query = StoreQuery(form: link.dropFirst("kv?".count))
    #expect(query.store == "a&b=c")
    #expect(query.after == "é/+%")
  }

  // MARK: Views

  @Test func allStoresAreListedWithTheirSizes() throws {
    let kv = StoreInventory.KVStoreFacts(name: "carts", keyCount: 1_234_567, byteCount: 2048, isLinked: true)
    let old = StoreInventory.KVStoreFacts(name: "old", keyCount: 1, byteCount: 1, isLinked: false)
    let view = StoresView(
      kvStores: [kv, old], kvPlace: "/data/kv.sqlite", configStores: ["words": ConfigStore(items: ["a": "canary"])],
      secretNames: ["keys": ["token"]], lists: [:], cache: CacheStore(capacity: 1 << 20).listing(),
      problems: ["words.json:3: a: must be a string"])
    let html = try html(view)
    for text in [
      "carts", "stores/kv?store=carts", "Kept in /data/kv.sqlite.", "not in the configuration",
      "stores/config?store=words", "stores/secrets?store=keys", "words.json:3: a: must be a string", "0 objects",
    ] {
      #expect(html.contains(text), "\(text)")
    }
    #expect(!html.contains("canary"))
  }

  @Test func keysAreShownAndTheirValuesAndMetadataOnlyWhereTheyMayBe() throws {
    let page = (keys: [key("a<b"), key("c", metadata: nil)], hasMore: true)
    let closed = try html(StoresView(kvKeys: page, query: StoreQuery(store: "carts"), isOpen: false))
    #expect(closed.contains("a&lt;b"))
    #expect(closed.contains("77"))
    #expect(closed.contains("kv?store=carts&amp;after=c"))
    for text in ["about it", "method=\"post\"", "kv-value"] { #expect(!closed.contains(text), "\(text)") }
    let open = try html(StoresView(kvKeys: page, query: StoreQuery(store: "carts", after: "_"), isOpen: true))
    for text in ["about it", "action=\"kv-delete\"", "kv-value?store=carts&amp;key=a%3Cb", "← back"] {
      #expect(open.contains(text), "\(text)")
    }
  }

  @Test func keysThatCannotBeReadAreAnEmptyPageThatSaysSo() throws {
    let html = try html(StoresView(kvKeys: nil, query: StoreQuery(store: "s"), isOpen: false))
    #expect(html.contains("The keys cannot be read."))
  }

  @Test func aLongStoreIsShownPageByPage() throws {
    let names = (0..<450).map { "name-\($0)" }
    func page(_ offset: Int) throws -> String {
      try html(StoresView(secrets: names, query: StoreQuery(store: "s", offset: offset)))
    }
    #expect(try page(0).contains("name-199") && !page(0).contains("name-200"))
    #expect(try page(0).contains("secrets?store=s&amp;offset=200"))
    #expect(try !page(400).contains("further"))
    #expect(try page(400).contains("name-449"))
  }

  @Test func itemsOfAConfigStoreHaveTheirValuesOnlyWhereTheyMayBe() throws {
    let store = ConfigStore(items: ["a": "canary"])
    #expect(try !html(StoresView(config: store, query: StoreQuery(store: "s"), isOpen: false)).contains("canary"))
    #expect(try html(StoresView(config: store, query: StoreQuery(store: "s"), isOpen: true)).contains("canary"))
  }

  @Test func aValueIsTextOrBytesAndNotWithoutEnd() {
    #expect(StoresView.shown(Array("é\n<".utf8)) == "é\n<")
    #expect(StoresView.shown([0, 0xFF, 0x61]) == "00 ff 61")
    let long = StoresView.shown(Array(String(repeating: "é", count: 40_000).utf8))
    #expect(long.hasSuffix("é\n… and 14.1 KiB more"))
    // A character that is cut in two is left away.
    let odd = StoresView.shown([0x61] + Array(String(repeating: "é", count: 40_000).utf8))
    #expect(odd.hasPrefix("aé"))
    #expect(odd.contains("é\n… and"))
  }
}
