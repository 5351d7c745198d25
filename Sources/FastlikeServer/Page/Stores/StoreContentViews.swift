import FastlikeProfile
import FastlikeRuntime

/// The pages of single stores. Values are on them only when they may be shown; those of secrets never.
extension StoresView {
  private static var toStores: [Link] { [Link(title: "Stores", address: "../stores")] }

  // MARK: KV stores

  /// The keys of a KV store.
  /// - Parameters:
  ///   - page: nil where they cannot be read.
  ///   - isOpen: Whether values may be shown and keys deleted.
  init(kvKeys page: (keys: [StoreInventory.KVKey], hasMore: Bool)?, query: StoreQuery, isOpen: Bool) {
    title = query.store
    base = "../"
    trail = Self.toStores
    var section = Section(heading: "Keys")
    section.filter = Filter(address: "kv", store: query.store, prefix: query.prefix)
    section.empty = "No key."
    section.headers = [
      Header(title: "key"), Header(title: "bytes", isNumber: true), Header(title: "generation", isNumber: true),
      Header(title: "vanishes in", isNumber: true), Header(title: isOpen ? "metadata" : "metadata bytes"),
    ]
    section.rows = (page?.keys ?? []).map { Self.row($0, store: query.store, isOpen: isOpen) }
    if page == nil { section.empty = "The keys cannot be read." }
    let parts = [("store", query.store)] + (query.prefix.isEmpty ? [] : [("prefix", query.prefix)])
    if query.after != nil { section.back = StoreQuery.link("kv", parts) }
    if page?.hasMore == true, let last = page?.keys.last {
      section.further = StoreQuery.link("kv", parts + [("after", last.key)])
    }
    sections = [section]
  }

  private static func row(_ key: StoreInventory.KVKey, store: String, isOpen: Bool) -> Row {
    let link = StoreQuery.link("kv-value", [("store", store), ("key", key.key)])
    let metadata = key.metadata.map { isOpen ? $0 : Figures.count($0.utf8.count) } ?? ""
    return Row(
      cells: [
        Cell(text: key.key, link: isOpen ? link : nil), .number(Figures.bytes(Int64(key.byteCount))),
        .number(String(key.generation)),
        .number(key.timeLeft.map { Figures.duration(Int64(clamping: $0)) } ?? ""), Cell(text: metadata),
      ],
      action: isOpen
        ? Action(
          label: "Delete", address: "kv-delete",
          fields: [Field(name: "store", value: store), Field(name: "key", value: key.key)]) : nil)
  }

  /// The value of one key.
  init(kvValue value: [UInt8], query: StoreQuery) {
    title = query.key
    base = "../"
    trail =
      Self.toStores + [Link(title: query.store, address: StoreQuery.link("kv", [("store", query.store)]))]
    sections = [
      Section(heading: "Value", note: Figures.bytes(Int64(value.count)), text: Self.shown(value))
    ]
  }

  /// Bytes of a value that are shown.
  static let shownBytes = 64 << 10

  /// Text as it is, and other bytes in hexadecimal; what is beyond ``shownBytes`` is left out and counted.
  static func shown(_ value: [UInt8]) -> String {
    let part = value.prefix(shownBytes)
    let rest = value.count - part.count
    let end = rest > 0 ? "\n… and \(Figures.bytes(Int64(rest))) more" : ""
    // The last characters may be cut, and are dropped then.
    for cut in 0..<4 where part.count >= cut {
      guard let text = String(validating: part.dropLast(rest > 0 ? cut : 0), as: UTF8.self) else { continue }
      let isText = text.unicodeScalars.allSatisfy { $0.value >= 0x20 || $0 == "\n" || $0 == "\r" || $0 == "\t" }
      if isText { return text + end }
      break
    }
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for (place, byte) in part.enumerated() {
      if place > 0 { text.append(place % 32 == 0 ? UInt8(ascii: "\n") : UInt8(ascii: " ")) }
      text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
    return String(decoding: text, as: UTF8.self) + end
  }

  // MARK: Stores without their own place

  init(config store: ConfigStore, query: StoreQuery, isOpen: Bool) {
    let items = store.items.sorted { $0.key < $1.key }
    self.init(
      rows: items.map { item in
        Row(cells: [
          Cell(text: item.key), .number(Figures.bytes(Int64(item.value.utf8.count))),
          Cell(text: isOpen ? item.value : ""),
        ])
      }, page: "config", heading: "Items",
      headers: [Header(title: "key"), Header(title: "bytes", isNumber: true), Header(title: isOpen ? "value" : "")],
      query: query)
  }

  /// The names of secrets; nothing else of them is ever shown, their lengths neither.
  init(secrets names: [String], query: StoreQuery) {
    self.init(
      rows: names.map { Row(cells: [Cell(text: $0)]) }, page: "secrets", heading: "Secrets",
      headers: [Header(title: "name")], query: query)
  }

  init(list: AccessControlList, query: StoreQuery) {
    self.init(
      rows: list.entries.map { Row(cells: [Cell(text: $0.prefix.description), Cell(text: $0.action)]) }, page: "acl",
      heading: "Entries", headers: [Header(title: "prefix"), Header(title: "action")], query: query)
  }

  private init(rows: [Row], page: String, heading: String, headers: [Header], query: StoreQuery) {
    title = query.store
    base = "../"
    trail = Self.toStores
    var section = Section(heading: heading, headers: headers, empty: "None.")
    section.rows = Array(rows.dropFirst(query.offset).prefix(StoreQuery.pageLength))
    Self.paginate(&section, page: page, parts: [("store", query.store)], offset: query.offset, count: rows.count)
    sections = [section]
  }

  private static func paginate(
    _ section: inout Section, page: String, parts: [(String, String)], offset: Int, count: Int
  ) {
    func link(_ offset: Int) -> String { StoreQuery.link(page, parts + [("offset", String(offset))]) }
    if offset > 0 { section.back = link(max(0, offset - StoreQuery.pageLength)) }
    if offset + StoreQuery.pageLength < count { section.further = link(offset + StoreQuery.pageLength) }
  }

  // MARK: The cache

  /// - Parameter cache: At least the objects up to the end of this page.
  init(cache: CacheListing, query: StoreQuery, isOpen: Bool) {
    title = "Cache"
    base = "../"
    trail = Self.toStores
    var section = Section(heading: "Objects, the one used last first", note: Self.summary(of: cache), empty: "None.")
    if isOpen { section.purge = Purge(address: "cache-purge") }
    section.headers = [
      Header(title: "key"), Header(title: "cache"), Header(title: "age", isNumber: true),
      Header(title: "lives for", isNumber: true), Header(title: "state"), Header(title: "bytes", isNumber: true),
      Header(title: "hits", isNumber: true), Header(title: "depends on"), Header(title: "surrogate keys"),
    ]
    section.rows = cache.objects.dropFirst(query.offset).prefix(StoreQuery.pageLength).map { object in
      Row(
        cells: [
          Cell(text: Self.key(of: object, isOpen: isOpen)), Cell(text: object.space),
          .number(Figures.duration(Int64(clamping: object.age))),
          .number(Figures.duration(Int64(clamping: object.lifetime.maxAge))), Cell(text: Self.state(of: object)),
          .number(Figures.bytes(Int64(object.bodyBytes))), .number(Figures.count(Int(clamping: object.hits))),
          Cell(text: object.varyRule), Cell(text: object.surrogateKeys.joined(separator: " ")),
        ],
        action: isOpen
          ? Action(
            label: "Purge", address: "cache-remove", fields: [Field(name: "object", value: String(object.id))]) : nil)
    }
    Self.paginate(&section, page: "cache", parts: [], offset: query.offset, count: cache.objectCount)
    sections = [section]
  }

  /// The key where values may be shown and it is readable, and else its digest: guests build keys of what they like.
  private static func key(of object: CacheListing.Row, isOpen: Bool) -> String {
    guard isOpen, !object.isSensitive, let text = String(validating: object.key, as: UTF8.self),
      text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
    else { return object.keyDigest }
    return text
  }

  private static func state(of object: CacheListing.Row) -> String {
    var words: [String] =
      switch object.freshness {
      case .fresh: ["fresh"]
      case .stale: ["stale, usable while it is fetched anew"]
      case .staleIfError: ["stale, usable when fetching fails"]
      case .expired: ["expired"]
      }
    if object.isSoftPurged { words.append("purged softly") }
    if object.isUncacheable { words.append("known as not to be stored") }
    if object.isBeingWritten { words.append("being written") }
    if object.isSensitive { words.append("sensitive") }
    return words.joined(separator: ", ")
  }
}
