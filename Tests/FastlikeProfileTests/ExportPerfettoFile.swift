/// A Perfetto trace with its numbers resolved.
struct ExportPerfettoFile {
  enum Kind: UInt64 {
    case begin = 1
    case end = 2
    case instant = 3
    case counter = 4
  }

  struct Track {
    let name: String
    let parent: UInt64?
    let isCounter: Bool
  }

  struct Event {
    let instant: UInt64
    let kind: Kind
    let track: UInt64
    let name: String
    let annotations: [String]
    let counter: Int64?
    let outgoing: [UInt64]
    let incoming: [UInt64]
  }

  struct Sample {
    let instant: UInt64
    let thread: UInt64
    /// From the root on.
    let stack: [String]
  }

  private(set) var tracks: [UInt64: Track] = [:]
  private(set) var events: [Event] = []
  private(set) var samples: [Sample] = []
  private(set) var threads: Set<UInt64> = []
  private(set) var clocks: [UInt64: UInt64] = [:]

  private struct Interned {
    var categories: [UInt64: String] = [:]
    var names: [UInt64: String] = [:]
    var annotations: [UInt64: String] = [:]
    var callstacks: [UInt64: [String]] = [:]

    init(_ data: ExportProtobuf) throws {
      func table(_ field: Int) throws -> [UInt64: String] {
        let pairs = try data.messages(field).map { (try $0.number(1) ?? 0, try $0.string(2) ?? "") }
        guard pairs.allSatisfy({ $0.0 > 0 }) else { throw ExportReadingError("interned data without a number") }
        return Dictionary(uniqueKeysWithValues: pairs)
      }
      categories = try table(1)
      names = try table(2)
      annotations = try table(3)
      let functions = try table(5)
      let paths = try table(17)
      var mappings: [UInt64: String] = [:]
      for mapping in try data.messages(19) {
        guard let path = paths[try mapping.number(7) ?? 0] else { throw ExportReadingError("path of a mapping") }
        mappings[try mapping.number(1) ?? 0] = path
      }
      var frames: [UInt64: String] = [:]
      for frame in try data.messages(6) {
        guard let function = functions[try frame.number(2) ?? 0], let mapping = mappings[try frame.number(3) ?? 0]
        else {
          throw ExportReadingError("function or mapping of a frame")
        }
        frames[try frame.number(1) ?? 0] = "\(function) [\(mapping)]"
      }
      for callstack in try data.messages(7) {
        callstacks[try callstack.number(1) ?? 0] = try callstack.numbers(2)
          .map { id in
            guard let frame = frames[id] else { throw ExportReadingError("frame \(id) is unknown") }
            return frame
          }
      }
    }
  }

  init(_ bytes: [UInt8]) throws {
    var interned: Interned?
    for packet in try ExportProtobuf(bytes).messages(1) {
      guard try packet.number(10) ?? 0 != 0 else { throw ExportReadingError("a packet without a sequence") }
      let flags = try packet.number(13) ?? 0
      for clock in try packet.message(6)?.messages(1) ?? [] {
        clocks[try clock.number(1) ?? 0] = try clock.number(2) ?? 0
      }
      if let data = try packet.message(12) {
        guard flags & 1 == 1 else { throw ExportReadingError("interned data before the state is cleared") }
        interned = try Interned(data)
      }
      if let descriptor = try packet.message(60) { try add(descriptor) }
      let instant = try packet.number(8)
      guard let event = try packet.message(11) ?? packet.message(66) else { continue }
      guard let instant, let interned, flags & 2 == 2 else {
        throw ExportReadingError("an event without time or state")
      }
      if try packet.message(11) != nil {
        try add(event, at: instant, interned)
      } else {
        guard let stack = interned.callstacks[try event.number(4) ?? 0], let thread = try event.number(3) else {
          throw ExportReadingError("stack or thread of a sample")
        }
        samples.append(Sample(instant: instant, thread: thread, stack: stack))
      }
    }
  }

  private mutating func add(_ descriptor: ExportProtobuf) throws {
    guard let uuid = try descriptor.number(1), uuid != 0, tracks[uuid] == nil else {
      throw ExportReadingError("uuid of a track")
    }
    let process = try descriptor.message(3)
    let thread = try descriptor.message(4)
    if let id = try thread?.number(2) { threads.insert(id) }
    let name = try descriptor.string(2) ?? process?.string(6) ?? thread?.string(5)
    guard let name, !name.isEmpty else { throw ExportReadingError("name of a track") }
    tracks[uuid] = Track(
      name: name, parent: try descriptor.number(5), isCounter: try descriptor.message(8) != nil)
  }

  private mutating func add(_ event: ExportProtobuf, at instant: UInt64, _ interned: Interned) throws {
    guard let kind = Kind(rawValue: try event.number(9) ?? 0), let track = try event.number(11) else {
      throw ExportReadingError("kind or track of an event")
    }
    var name = ""
    if kind == .begin || kind == .instant {
      guard let found = interned.names[try event.number(10) ?? 0], interned.categories[try event.number(3) ?? 0] != nil
      else { throw ExportReadingError("name or category of an event") }
      name = found
    }
    let annotations = try event.messages(4)
      .map { annotation in
        guard let key = interned.annotations[try annotation.number(1) ?? 0] else {
          throw ExportReadingError("name of an annotation")
        }
        if let text = try annotation.string(6) { return "\(key)=\(text)" }
        return "\(key)=\(Int64(bitPattern: try annotation.number(4) ?? 0))"
      }
    events.append(
      Event(
        instant: instant, kind: kind, track: track, name: name, annotations: annotations,
        counter: try event.number(30).map { Int64(bitPattern: $0) }, outgoing: try event.numbers(47),
        incoming: try event.numbers(48)))
  }

  /// For goldens.
  var text: String {
    var lines = clocks.sorted { $0.key < $1.key }.map { "clock \($0.key) at \($0.value)" }
    for (uuid, track) in tracks.sorted(by: { $0.key < $1.key }) {
      lines.append("track \(uuid) in \(track.parent ?? 0): \(track.name)\(track.isCounter ? " (counter)" : "")")
    }
    for event in events {
      var line = "\(event.instant) \(event.kind) on \(event.track)"
      if !event.name.isEmpty { line += " \(event.name)" }
      if let counter = event.counter { line += " = \(counter)" }
      if !event.annotations.isEmpty { line += " {\(event.annotations.joined(separator: ", "))}" }
      if !event.outgoing.isEmpty { line += " from \(event.outgoing)" }
      if !event.incoming.isEmpty { line += " to \(event.incoming)" }
      lines.append(line)
    }
    lines += samples.map { "\($0.instant) sample on \($0.thread): \($0.stack.joined(separator: " > "))" }
    return lines.joined(separator: "\n") + "\n"
  }
}
