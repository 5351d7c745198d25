/// The names of the request headers on which an object depends.
struct VaryRule: Hashable, Sendable {
  /// Lower case, sorted, each once.
  let names: [[UInt8]]

  /// An object under this rule suits every request.
  static let none = VaryRule(names: [])

  private init(names: [[UInt8]]) { self.names = names }

  /// A rule of names separated by spaces. Nil for no name at all and for what is no name.
  init?(parsing text: some Collection<UInt8>) {
    let words = text.split(separator: UInt8(ascii: " "))
    guard !words.isEmpty, words.allSatisfy({ WireSyntax.isToken($0) }) else { return nil }
    names = Set(words.map { $0.map(asciiLowercased) }).sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// The names as they are written, separated by spaces.
  var text: String { names.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ") }

  /// Which of the variants under this rule a request asks for.
  func variant(of headers: HeaderList) -> CacheVariant {
    CacheVariant(values: names.map { name in headers.indices(of: name).map { Array(headers.value(at: $0)) } })
  }
}

/// One of the variants under a ``VaryRule``: for each name all values of the request, in order. A missing header is not an
/// empty one, and `a, b` in one field is not `a` and `b` in two.
struct CacheVariant: Hashable, Sendable {
  fileprivate let values: [[[UInt8]]]
}
