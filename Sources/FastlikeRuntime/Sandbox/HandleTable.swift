/// The objects of one kind that a guest holds, by number. Numbers count up from 0 and are never given twice, so that a
/// handle used after it was consumed is found out.
struct HandleTable<Element> {
  /// No honest guest comes near it, and a greedy one stays within a few megabytes.
  private static var limit: Int { 1 << 18 }
  private var slots: [Element?] = []

  subscript(handle: UInt32) -> Element? {
    get { Int(handle) < slots.count ? slots[Int(handle)] : nil }
    set {
      guard Int(handle) < slots.count else { return }
      slots[Int(handle)] = newValue
    }
  }

  /// Takes the element in; nil when the numbers are used up.
  mutating func insert(_ element: Element) -> UInt32? {
    guard slots.count < HandleTable.limit else { return nil }
    slots.append(element)
    return UInt32(slots.count - 1)
  }

  /// Takes the element out.
  mutating func remove(_ handle: UInt32) -> Element? {
    guard let element = self[handle] else { return nil }
    slots[Int(handle)] = nil
    return element
  }

  /// What is still held, in the order of the handles.
  var elements: [Element] { slots.compactMap(\.self) }
}
