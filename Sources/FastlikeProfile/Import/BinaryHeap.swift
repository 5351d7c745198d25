/// A priority queue: the first element by an order is at hand, the others are not sorted.
///
/// Complexity: O(log count) to insert and to remove.
struct BinaryHeap<Element> {
  private var items: [Element] = []
  private let precedes: (Element, Element) -> Bool

  /// - Parameter precedes: Whether the first argument comes before the second.
  init(by precedes: @escaping (Element, Element) -> Bool) { self.precedes = precedes }

  /// The element that comes before all others; nil when the heap is empty.
  var first: Element? { items.first }

  mutating func insert(_ item: Element) {
    items.append(item)
    var child = items.count - 1
    while child > 0, precedes(items[child], items[(child - 1) / 2]) {
      items.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  /// Removes ``first`` and returns it.
  @discardableResult
  mutating func removeFirst() -> Element? {
    guard !items.isEmpty else { return nil }
    items.swapAt(0, items.count - 1)
    let first = items.removeLast()
    var parent = 0
    while true {
      var next = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < items.count && precedes(items[child], items[next]) {
        next = child
      }
      guard next != parent else { return first }
      items.swapAt(parent, next)
      parent = next
    }
  }
}
