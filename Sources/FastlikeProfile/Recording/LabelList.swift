/// The labels of one recording, in memory that the next one uses again.
struct LabelList {
  /// A label: the number of a header's name, or the place of its text.
  enum Entry: BitwiseCopyable, Hashable {
    case header(TracedHeaderName)
    case text(TraceLabel.Kind, Int32)
  }

  /// The first ``count`` are this recording's, the others are left from earlier ones.
  private var entries: [Entry] = []
  private(set) var count = 0
  private var texts: [String] = []
  private var places: [TraceLabel: Int] = [:]
  private var headerPlaces: [TracedHeaderName: Int] = [:]

  /// Up to so many labels are compared one by one.
  private static let compared = 16

  /// - Parameter place: From 0, below ``count``.
  func entry(at place: Int) -> Entry { entries[place] }

  /// The text of an entry that has one.
  func text(_ place: Int32) -> String { texts[Int(place)] }

  /// The place of a label, from 0.
  func firstIndex(of label: TraceLabel) -> Int? {
    if count > Self.compared { return places[label] }
    return entries[..<count].firstIndex { entry in
      if case .text(let kind, let text) = entry { kind == label.kind && texts[Int(text)] == label.name } else { false }
    }
  }

  /// The place of a header's label, from 0.
  @inline(__always)
  func firstIndex(of name: TracedHeaderName) -> Int? {
    if count > Self.compared { return headerPlaces[name] }
    for place in 0..<count { if case .header(name) = entries[place] { return place } }
    return nil
  }

  /// - Parameter label: One that is not there.
  mutating func append(_ label: TraceLabel) {
    append(.text(label.kind, Int32(texts.count)))
    texts.append(label.name)
    if count > Self.compared { enterPlaces() }
  }

  /// - Parameter name: One that is not there.
  @inline(__always)
  mutating func append(_ name: TracedHeaderName) {
    append(.header(name))
    if count > Self.compared { enterPlaces() }
  }

  @inline(__always)
  private mutating func append(_ entry: Entry) {
    if count < entries.count { entries[count] = entry } else { entries.append(entry) }
    count += 1
  }

  /// Enters the last label into the tables, or all when they are needed from here on.
  @inline(never)
  private mutating func enterPlaces() {
    let first = count == Self.compared + 1 ? 0 : count - 1
    for place in first..<count {
      switch entries[place] {
      case .header(let name): headerPlaces[name] = place
      case .text(let kind, let text): places[TraceLabel(keptKind: kind, name: self.text(text))] = place
      }
    }
  }

  mutating func removeAll() {
    if count > Self.compared {
      self = LabelList()
    } else {
      count = 0
      if !texts.isEmpty { texts.removeAll(keepingCapacity: true) }
    }
  }
}
