/// The labels of one recording, in memory that the next one uses again.
struct LabelList {
  private var labels: [TraceLabel] = []
  private var places: [TraceLabel: Int] = [:]

  /// Up to so many labels are compared one by one.
  private static let compared = 16

  var count: Int { labels.count }

  /// - Parameter place: From 0, below ``count``.
  subscript(place: Int) -> TraceLabel { labels[place] }

  /// The place of a label, from 0.
  func firstIndex(of label: TraceLabel) -> Int? {
    labels.count > Self.compared ? places[label] : labels.firstIndex(of: label)
  }

  /// - Parameter label: One that is not there.
  mutating func append(_ label: TraceLabel) {
    labels.append(label)
    if labels.count > Self.compared { find(label) }
  }

  private mutating func find(_ label: TraceLabel) {
    if places.isEmpty {
      for (place, label) in labels.enumerated() { places[label] = place }
    } else {
      places[label] = labels.count - 1
    }
  }

  mutating func removeAll() {
    if labels.isEmpty { return }
    if labels.count > Self.compared {
      self = LabelList()
    } else {
      labels.removeAll(keepingCapacity: true)
    }
  }
}
