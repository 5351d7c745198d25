import FastlikeProfile
import FastlikeRuntime

/// One page of the stores: what the template `stores` shows.
struct StoresView {
  let title: String
  /// What leads to the page's root.
  let base: String
  /// Pages above this one.
  let trail: [Link]
  let sections: [Section]

  struct Link {
    let title: String
    let address: String
  }

  /// A table with what belongs to it.
  struct Section {
    var heading: String
    var note: String?
    var filter: Filter?
    var purge: Purge?
    var headers: [Header]
    var rows: [Row] { didSet { hasRows = !rows.isEmpty } }
    /// What stands in place of the table when there are no rows.
    var empty: String?
    var back: String? { didSet { hasPages = back != nil || further != nil } }
    var further: String? { didSet { hasPages = back != nil || further != nil } }
    /// A text in full, in place of a table.
    var text: String?
    // Templates see what is stored, and nothing that is computed.
    private var hasRows: Bool
    private var hasPages = false

    init(
      heading: String, note: String? = nil, headers: [Header] = [], rows: [Row] = [], empty: String? = nil,
      text: String? = nil
    ) {
      self.heading = heading
      self.note = note
      self.headers = headers
      self.rows = rows
      self.empty = empty
      self.text = text
      hasRows = !rows.isEmpty
    }
  }

  /// The form with which keys are looked for.
  struct Filter {
    let address: String
    let store: String
    let prefix: String
  }

  /// The form with which cached objects are purged.
  struct Purge {
    let address: String
  }

  struct Header {
    let title: String
    var isNumber = false
  }

  struct Row {
    var cells: [Cell]
    /// A button that changes something.
    var action: Action?
  }

  struct Cell {
    let text: String
    var isNumber = false
    var link: String?

    static func number(_ text: String) -> Cell { Cell(text: text, isNumber: true) }
  }

  struct Action {
    let label: String
    let address: String
    let fields: [Field]
  }

  struct Field {
    let name: String
    let value: String
  }
}

// MARK: - All stores

extension StoresView {
  /// - Parameters:
  ///   - kvStores: nil where they cannot be read.
  ///   - problems: Mistakes in files, one line each.
  init(
    kvStores: [StoreInventory.KVStoreFacts]?, kvPlace: String, configStores: [String: ConfigStore],
    secretNames: [String: [String]], lists: [String: AccessControlList], cache: CacheListing, problems: [String]
  ) {
    title = "Stores"
    base = ""
    trail = []
    var sections: [Section] = []
    if !problems.isEmpty {
      sections.append(
        Section(
          heading: "Files with mistakes", note: "What was read before goes on.", headers: [Header(title: "mistake")],
          rows: problems.map { Row(cells: [Cell(text: $0)]) }))
    }
    sections.append(Self.section(kvStores: kvStores, place: kvPlace))
    sections.append(
      Self.section(
        "Config stores and dictionaries", page: "config", noun: "items",
        configStores.mapValues { (count: $0.items.count, file: $0.file) }))
    sections.append(
      Self.section("Secret stores", page: "secrets", noun: "secrets", secretNames.mapValues { ($0.count, nil) }))
    sections.append(
      Self.section(
        "Access control lists", page: "acl", noun: "entries",
        lists.mapValues { (count: $0.entries.count, file: $0.file) }))
    sections.append(
      Section(
        heading: "Cache", note: Self.summary(of: cache), headers: [Header(title: "cache")],
        rows: [Row(cells: [Cell(text: "cached objects", link: "stores/cache")])]))
    self.sections = sections
  }

  private static func section(kvStores: [StoreInventory.KVStoreFacts]?, place: String) -> Section {
    var section = Section(heading: "KV stores", note: place == "in memory" ? "Kept in memory." : "Kept in \(place).")
    guard let kvStores else {
      section.note = "\(place) cannot be read; guests get errors."
      return section
    }
    section.headers = [
      Header(title: "store"), Header(title: "keys", isNumber: true), Header(title: "bytes", isNumber: true),
      Header(title: ""),
    ]
    section.rows = kvStores.map { store in
      Row(cells: [
        Cell(text: store.name, link: StoreQuery.link("stores/kv", [("store", store.name)])),
        .number(Figures.count(store.keyCount)), .number(Figures.bytes(Int64(store.byteCount))),
        Cell(text: store.isLinked ? "" : "not in the configuration"),
      ])
    }
    section.empty = "None."
    return section
  }

  private static func section(
    _ heading: String, page: String, noun: String, _ stores: [String: (count: Int, file: String?)]
  ) -> Section {
    Section(
      heading: heading, headers: [Header(title: "store"), Header(title: noun, isNumber: true), Header(title: "file")],
      rows: stores.sorted { $0.key < $1.key }.map { name, facts in
        Row(cells: [
          Cell(text: name, link: StoreQuery.link("stores/" + page, [("store", name)])),
          .number(Figures.count(facts.count)), Cell(text: facts.file ?? ""),
        ])
      }, empty: "None.")
  }

  static func summary(of cache: CacheListing) -> String {
    "\(Figures.count(cache.objectCount, "object")), \(Figures.bytes(Int64(cache.heldBytes))) of "
      + "\(Figures.bytes(Int64(cache.capacity))); \(Figures.count(Int(clamping: cache.evictedCount))) had to make room."
  }
}
