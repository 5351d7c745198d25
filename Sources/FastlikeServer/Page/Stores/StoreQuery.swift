import Foundation

/// Which part of which store is meant: what stands behind the `?` of the pages of stores, and in their forms.
struct StoreQuery: Equatable {
  /// Rows of one page.
  static let pageLength = 200

  var store = ""
  var key = ""
  /// What the listed keys begin with.
  var prefix = ""
  /// The key behind which the page begins.
  var after: String?
  /// So many rows are left out at the beginning, on pages that count.
  var offset = 0
  /// The number of a cached object.
  var object: UInt64?
  var surrogateKey = ""
  var isSoft = false

  init(store: String = "", key: String = "", prefix: String = "", after: String? = nil, offset: Int = 0) {
    self.store = store
    self.key = key
    self.prefix = prefix
    self.after = after
    self.offset = offset
  }

  /// Reads `name=value&…` as browsers write it (`application/x-www-form-urlencoded`). What is not understood is left out.
  init(form text: some StringProtocol) {
    for pair in text.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2,
        let value = parts[1].replacingOccurrences(of: "+", with: " ").removingPercentEncoding
      else { continue }
      switch parts[0] {
      case "store": store = value
      case "key": key = value
      case "prefix": prefix = value
      case "after": after = value
      case "offset": offset = max(0, Int(value) ?? 0)
      case "object": object = UInt64(value)
      case "surrogate_key": surrogateKey = value
      case "soft": isSoft = value == "1"
      default: continue
      }
    }
  }

  /// A link to a page of stores with these parts.
  static func link(_ page: String, _ parts: [(name: String, value: String)]) -> String {
    page + "?" + parts.map { "\($0.name)=\(RequestFilter.encode($0.value))" }.joined(separator: "&")
  }
}
