/// The labels of one recording. Most requests have a few, which lie in the recording itself.
struct LabelList {
  private var first = TraceLabel.none
  private var second = TraceLabel.none
  private var third = TraceLabel.none
  private var fourth = TraceLabel.none
  /// Those after the fourth.
  private var others: [TraceLabel] = []
  private var places: [TraceLabel: Int] = [:]
  private(set) var count = 0

  /// Up to so many labels are compared one by one.
  private static let compared = 16

  /// The place of a label, from 0.
  func firstIndex(of label: TraceLabel) -> Int? {
    if count > 0, first == label { return 0 }
    if count > 1, second == label { return 1 }
    if count > 2, third == label { return 2 }
    if count > 3, fourth == label { return 3 }
    guard count > 4 else { return nil }
    if count > Self.compared { return places[label] }
    return others.firstIndex(of: label).map { $0 + 4 }
  }

  /// - Parameter label: One that is not there.
  mutating func append(_ label: TraceLabel) {
    switch count {
    case 0: first = label
    case 1: second = label
    case 2: third = label
    case 3: fourth = label
    default: others.append(label)
    }
    count += 1
    guard count > Self.compared else { return }
    if places.isEmpty {
      for (place, label) in all.enumerated() { places[label] = place }
    } else {
      places[label] = count - 1
    }
  }

  /// All of them, in order.
  var all: [TraceLabel] { [first, second, third, fourth].prefix(count) + others }

  mutating func removeAll() {
    guard count > 0 else { return }
    (first, second, third, fourth) = (.none, .none, .none, .none)
    if count > 4 { others = [] }
    if count > Self.compared { places = [:] }
    count = 0
  }

  /// Gives back what is not needed for reading.
  mutating func settle() {
    if count > Self.compared { places = [:] }
    if count > 4 { others = others.exactCopy() }
  }
}
