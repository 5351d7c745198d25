import NIOCore

/// Takes the fields of a header block one after the other.
protocol HeaderFieldSink {
  /// Bytes as the client sent them; they are valid only within the call.
  mutating func take(name: Span<UInt8>, value: Span<UInt8>)
}

/// Decodes the header blocks of one connection (RFC 7541); pure, without I/O.
///
/// It is our own for the reason that the HTTP/1.1 parser is: values are bytes, and a guest may see each of them. A sink
/// may stop keeping fields, but a block is always decoded to its end, because the next ones build upon its table.
struct HeaderBlockDecoder {
  /// A block that cannot be decoded; nothing that follows on the connection can be then.
  struct Malformed: Error {}

  /// The size of the dynamic table that the edge allows, which is the initial one of every connection.
  static let tableSize = 4096

  private struct Entry {
    /// The name, and the value behind it.
    var text: [UInt8]
    var nameCount: Int

    /// The size that an entry counts with (§4.1).
    var size: Int { text.count + 32 }
  }

  private var entries = CircularBuffer<Entry>()
  private var size = 0
  /// At most ``tableSize``; the client may choose less.
  private var capacity = tableSize
  private var name: [UInt8] = []
  private var value: [UInt8] = []

  init() {}

  /// Decodes a complete block.
  mutating func decode(_ block: Span<UInt8>, into sink: inout some HeaderFieldSink) throws(Malformed) {
    var index = 0
    var isFirst = true
    while index < block.count {
      let byte = block[index]
      if byte & 0x80 != 0 {
        try emit(try Self.integer(block, &index, prefix: 7), into: &sink)
      } else if byte & 0xE0 == 0x20 {
        // The size may change only before the first field (§4.2).
        guard isFirst else { throw Malformed() }
        let size = try Self.integer(block, &index, prefix: 5)
        guard size <= Self.tableSize else { throw Malformed() }
        capacity = size
        evict(for: 0)
        continue
      } else {
        let isIndexed = byte & 0x40 != 0
        let reference = try Self.integer(block, &index, prefix: isIndexed ? 6 : 4)
        if reference == 0 { try Self.string(block, &index, into: &name) } else { try takeName(reference) }
        try Self.string(block, &index, into: &value)
        sink.take(name: name.span, value: value.span)
        if isIndexed { insert() }
      }
      isFirst = false
    }
  }

  // MARK: Tables

  private func emit(_ index: Int, into sink: inout some HeaderFieldSink) throws(Malformed) {
    let fields = HPACKStaticTable.fields
    guard index > fields.count else {
      guard index > 0 else { throw Malformed() }
      let field = fields[index - 1]
      return sink.take(name: field.name.span, value: field.value.span)
    }
    let entry = try entry(index)
    let text = entry.text.span
    sink.take(name: text.extracting(0..<entry.nameCount), value: text.extracting(entry.nameCount..<text.count))
  }

  private mutating func takeName(_ index: Int) throws(Malformed) {
    name.removeAll(keepingCapacity: true)
    let fields = HPACKStaticTable.fields
    guard index > fields.count else { return name.append(contentsOf: fields[index - 1].name) }
    let entry = try entry(index)
    name.append(contentsOf: entry.text[..<entry.nameCount])
  }

  private func entry(_ index: Int) throws(Malformed) -> Entry {
    let place = index - HPACKStaticTable.fields.count - 1
    guard place < entries.count else { throw Malformed() }
    return entries[offset: place]
  }

  /// Adds the present name and value; one that is larger than the table empties it (§4.4).
  private mutating func insert() {
    let entry = Entry(text: name + value, nameCount: name.count)
    evict(for: entry.size)
    guard entry.size <= capacity else { return }
    entries.prepend(entry)
    size += entry.size
  }

  private mutating func evict(for addition: Int) {
    while size + addition > capacity, let last = entries.popLast() { size -= last.size }
  }

  // MARK: Primitives

  /// An integer with a prefix of so many bits (§5.1); none of a header block needs more than 28 bits.
  private static func integer(_ block: Span<UInt8>, _ index: inout Int, prefix: Int) throws(Malformed) -> Int {
    let mask = 1 << prefix - 1
    var number = Int(block[index]) & mask
    index += 1
    guard number == mask else { return number }
    var shift = 0
    while true {
      guard index < block.count, shift <= 21 else { throw Malformed() }
      let byte = block[index]
      index += 1
      number += Int(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return number }
      shift += 7
    }
  }

  private static func string(_ block: Span<UInt8>, _ index: inout Int, into text: inout [UInt8]) throws(Malformed) {
    text.removeAll(keepingCapacity: true)
    guard index < block.count else { throw Malformed() }
    let isCompressed = block[index] & 0x80 != 0
    let count = try integer(block, &index, prefix: 7)
    guard count <= block.count - index else { throw Malformed() }
    let bytes = block.extracting(index..<index + count)
    index += count
    if isCompressed {
      guard HPACKHuffman.standard.decode(bytes, into: &text) else { throw Malformed() }
    } else {
      bytes.withUnsafeBufferPointer { text.append(contentsOf: $0) }
    }
  }
}
