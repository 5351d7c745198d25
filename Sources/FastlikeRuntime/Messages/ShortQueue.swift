import DequeModule

/// A queue that mostly has one element or none, and then is not in memory of its own.
///
/// All empty `Deque`s are one object: where many come and go, the event loops would count their references to it in one place, and
/// wait for each other.
struct ShortQueue<Element>: RandomAccessCollection {
  private var head: Element?
  /// What is behind the first element; nil until there is a second one.
  private var tail: Deque<Element>?

  init() {}

  var startIndex: Int { 0 }
  var endIndex: Int { head == nil ? 0 : 1 + (tail?.count ?? 0) }
  var isEmpty: Bool { head == nil }
  var first: Element? { head }

  subscript(place: Int) -> Element {
    if place > 0, let tail { return tail[place - 1] }
    precondition(place == 0, "outside of the queue")
    return head!
  }

  mutating func append(_ element: consuming Element) {
    if head == nil {
      head = element
    } else if tail == nil {
      tail = [element]
    } else {
      tail!.append(element)
    }
  }

  mutating func prepend(_ element: consuming Element) {
    if let second = head.take() {
      if tail == nil { tail = [second] } else { tail!.prepend(second) }
    }
    head = element
  }

  mutating func popFirst() -> Element? {
    guard let first = head.take() else { return nil }
    if tail != nil { head = tail!.popFirst() }
    return first
  }

  mutating func popLast() -> Element? {
    if tail != nil, let last = tail!.popLast() { return last }
    return head.take()
  }

  mutating func removeAll() {
    head = nil
    tail = nil
  }
}
