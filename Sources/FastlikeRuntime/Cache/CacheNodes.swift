/// The objects of a ``CacheTable``: the order in which they were used, and indices by number and surrogate key.
///
/// They lie in one array, linked by indices, so that finding an object again costs the same however many there are.
struct CacheNodes {
  /// Where an object is among the variants of its key.
  struct Place: Sendable {
    let rule: VaryRule
    let variant: CacheVariant
  }

  private struct Node {
    var object: CachedObject?
    var place: Place
    /// The one used after it, -1 for none.
    var newer: Int
    /// The one used before it, -1 for none.
    var older: Int
  }

  private var nodes: [Node] = []
  private var unused: [Int] = []
  private var newest = -1
  private var oldest = -1
  private var byNumber: [UInt64: Int] = [:]
  private var bySurrogateKey: [String: Set<Int>] = [:]

  init() {}

  var count: Int { byNumber.count }

  /// The object at an index that an insertion has given and no removal taken back.
  subscript(index: Int) -> CachedObject {
    guard let object = nodes[index].object else { preconditionFailure("a removed object has no index") }
    return object
  }

  func place(of index: Int) -> Place { nodes[index].place }

  func node(of number: UInt64) -> Int? { byNumber[number] }

  /// The one that was not used for longest.
  var last: Int? { oldest < 0 ? nil : oldest }

  /// The one that was used next after it.
  func previous(_ index: Int) -> Int? { nodes[index].newer < 0 ? nil : nodes[index].newer }

  /// All, the one used last first.
  var indices: [Int] {
    var found: [Int] = []
    found.reserveCapacity(count)
    var next = newest
    while next >= 0 {
      found.append(next)
      next = nodes[next].older
    }
    return found
  }

  func indices(withSurrogateKey key: String) -> [Int] { bySurrogateKey[key].map { $0.sorted() } ?? [] }

  /// Whether nothing outside of the table refers to the object, and its body has ended.
  mutating func isIdle(_ index: Int) -> Bool {
    isKnownUniquelyReferenced(&nodes[index].object) && nodes[index].object?.body.isBeingWritten == false
  }

  mutating func insert(_ object: CachedObject, _ place: Place) -> Int {
    let node = Node(object: object, place: place, newer: -1, older: -1)
    let index = unused.popLast() ?? nodes.count
    if index == nodes.count { nodes.append(node) } else { nodes[index] = node }
    link(index)
    byNumber[object.number] = index
    for key in object.attributes.surrogateKeys.keys { bySurrogateKey[key, default: []].insert(index) }
    return index
  }

  mutating func remove(_ index: Int) -> CachedObject {
    let object = self[index]
    unlink(index)
    nodes[index].object = nil
    nodes[index].place = Place(rule: .none, variant: VaryRule.none.variant(of: HeaderList()))
    unused.append(index)
    byNumber[object.number] = nil
    for key in object.attributes.surrogateKeys.keys {
      bySurrogateKey[key]?.remove(index)
      if bySurrogateKey[key]?.isEmpty ?? false { bySurrogateKey[key] = nil }
    }
    return object
  }

  /// It has just been used.
  mutating func touch(_ index: Int) {
    guard index != newest else { return }
    unlink(index)
    link(index)
  }

  private mutating func link(_ index: Int) {
    nodes[index].newer = -1
    nodes[index].older = newest
    if newest >= 0 { nodes[newest].newer = index }
    newest = index
    if oldest < 0 { oldest = index }
  }

  private mutating func unlink(_ index: Int) {
    let (newer, older) = (nodes[index].newer, nodes[index].older)
    if newer >= 0 { nodes[newer].older = older } else { newest = older }
    if older >= 0 { nodes[older].newer = newer } else { oldest = newer }
  }
}
