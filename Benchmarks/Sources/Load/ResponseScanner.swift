import NIOCore

/// Finds the ends of HTTP/1.1 responses to GET requests in a connection's bytes, with as little work as possible.
struct ResponseScanner {
  /// Bytes that are not responses to count.
  enum ScanError: Error {
    case noStatusLine
    case noLength
    case badChunk
  }

  private enum State {
    case head
    case body(Int)
    case chunkSize
    case chunk(Int)
    case trailer
  }

  private let keepsBody: Bool
  private var state = State.head
  private var pending = ByteBuffer()
  private var status = 0
  /// The body of the response that ``next()`` told of last, where bodies are kept.
  private(set) var body = ""
  private var collected: [UInt8] = []

  init(keepsBody: Bool) { self.keepsBody = keepsBody }

  mutating func feed(_ bytes: ByteBuffer) {
    if pending.readableBytes == 0 {
      pending = bytes
    } else {
      pending.writeImmutableBuffer(bytes)
    }
  }

  /// The status of the next response that is there as a whole; nil when more bytes are needed.
  mutating func next() throws -> Int? {
    while true {
      switch state {
      case .head:
        guard let head = try ResponseHeadScan(pending.readableBytesView) else { return nil }
        pending.moveReaderIndex(forwardBy: head.byteCount)
        if head.status < 200 { continue }
        status = head.status
        if status == 204 || status == 304 { return finish() }
        if head.isChunked {
          state = .chunkSize
        } else if let length = head.contentLength {
          state = .body(length)
        } else {
          throw ScanError.noLength
        }
      case .body(let left):
        let rest = left - take(left)
        guard rest == 0 else {
          state = .body(rest)
          return nil
        }
        return finish()
      case .chunkSize:
        guard let line = takeLine() else { return nil }
        guard let size = Int(line.prefix { $0 != ";" }, radix: 16), size >= 0 else { throw ScanError.badChunk }
        state = size == 0 ? .trailer : .chunk(size)
      case .chunk(let left):
        let rest = left - take(left)
        state = .chunk(rest)
        guard rest == 0, takeLine() != nil else { return nil }
        state = .chunkSize
      case .trailer:
        guard let line = takeLine() else { return nil }
        if line.isEmpty { return finish() }
      }
    }
  }

  private mutating func finish() -> Int {
    state = .head
    if keepsBody {
      body = String(decoding: collected, as: UTF8.self)
      collected = []
    }
    return status
  }

  private mutating func take(_ wanted: Int) -> Int {
    let count = min(wanted, pending.readableBytes)
    if keepsBody { collected += pending.readableBytesView.prefix(count) }
    pending.moveReaderIndex(forwardBy: count)
    return count
  }

  private mutating func takeLine() -> String? {
    guard let end = pending.readableBytesView.firstIndex(of: 0x0a) else { return nil }
    let length = end - pending.readerIndex + 1
    let line = pending.readString(length: length) ?? ""
    return line.filter { !$0.isNewline }
  }
}

/// The few facts of a response's head that tell where the response ends.
private struct ResponseHeadScan {
  var byteCount = 0
  var status = 0
  var contentLength: Int?
  var isChunked = false

  private static let contentLengthName = Array("content-length:".utf8)
  private static let transferEncodingName = Array("transfer-encoding:".utf8)

  /// nil when the end of the head is not there yet.
  init?(_ view: ByteBufferView) throws(ResponseScanner.ScanError) {
    guard let parts = view.withUnsafeBytes({ bytes in Self.scan(bytes) }) else { return nil }
    self = parts
    guard status >= 100 else { throw .noStatusLine }
  }

  private init() {}

  private static func scan(_ bytes: UnsafeRawBufferPointer) -> ResponseHeadScan? {
    var facts = ResponseHeadScan()
    var lineStart = 0
    var index = 0
    while index < bytes.count {
      guard bytes[index] == 0x0a else {
        index += 1
        continue
      }
      let lineEnd = index
      index += 1
      if lineEnd - lineStart <= 1 {
        facts.byteCount = index
        return facts
      }
      facts.read(bytes, lineStart..<lineEnd)
      lineStart = index
    }
    return nil
  }

  private mutating func read(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) {
    if line.lowerBound == 0 {
      // `HTTP/1.1 200`
      guard line.count >= 12, bytes[0] == UInt8(ascii: "H") else { return }
      status = Self.number(bytes, 9..<12)
    } else if Self.begins(bytes, line, with: Self.contentLengthName) {
      contentLength = Self.number(bytes, (line.lowerBound + Self.contentLengthName.count)..<line.upperBound)
    } else if Self.begins(bytes, line, with: Self.transferEncodingName) {
      // Servers send no other coding than chunked to a client that did not ask for one.
      isChunked = true
    }
  }

  private static func begins(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>, with name: [UInt8]) -> Bool {
    guard line.count > name.count else { return false }
    for (offset, byte) in name.enumerated() where bytes[line.lowerBound + offset] | 0x20 != byte | 0x20 { return false }
    return true
  }

  private static func number(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int {
    var value = 0
    for index in range where (0x30...0x39).contains(bytes[index]) { value = value &* 10 &+ Int(bytes[index] - 0x30) }
    return value
  }
}
