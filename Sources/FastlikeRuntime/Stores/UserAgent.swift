/// A browser as its `User-Agent` names it (RFC 9110 §10.1.5): family and up to three parts of its version.
struct UserAgent: Equatable {
  var family = "Other"
  var major = ""
  var minor = ""
  var patch = ""

  /// Products that say who a browser is, before those that it only claims to be compatible with.
  private static let products: [(token: String, family: String)] = [
    ("Edg", "Edge"), ("EdgA", "Edge"), ("EdgiOS", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung Internet"),
    ("FxiOS", "Firefox iOS"), ("CriOS", "Chrome Mobile iOS"), ("Firefox", "Firefox"), ("Chrome", "Chrome"),
  ]

  init(parsing text: String) {
    let products = text.split(separator: " ").compactMap { word -> (name: Substring, version: Substring)? in
      guard let slash = word.firstIndex(of: "/") else { return nil }
      return (word[..<slash], word[word.index(after: slash)...])
    }
    for known in UserAgent.products {
      if let product = products.first(where: { $0.name == known.token }) {
        set(known.family, product.version)
        return
      }
    }
    if products.contains(where: { $0.name == "Safari" }), let version = products.first(where: { $0.name == "Version" })
    {
      set("Safari", version.version)
      return
    }
    // Tools name themselves first: `curl/8.5.0`.
    if let first = products.first, first.name != "Mozilla" { set(String(first.name), first.version) }
  }

  private mutating func set(_ family: String, _ version: Substring) {
    self.family = family
    let parts = version.split(separator: ".").map { String($0.prefix(while: \.isNumber)) }
    major = parts.first ?? ""
    minor = parts.dropFirst().first ?? ""
    patch = parts.dropFirst(2).first ?? ""
  }
}
