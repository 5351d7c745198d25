/// A request's or response's body: a list of chunks, or the write end of a stream.
struct Body {
  /// Where a write goes.
  enum End: UInt32 {
    case back = 0
    case front = 1
  }

  let handle: UInt32

  init(handle: UInt32) {
    self.handle = handle
  }

  /// A new, empty body.
  init() throws(Status) {
    handle = try number(hostBodyNew)
  }

  /// A body with content.
  init(_ content: Text) throws(Status) {
    try self.init()
    try write(content)
  }

  /// Writes everything; waits while a stream's reader is behind.
  func write(_ content: Text) throws(Status) {
    var offset: UInt32 = 0
    let total = UInt32(content.count)
    while offset < total {
      var written: UInt32 = 0
      try check(
        content.withBytes { start, count in
          hostBodyWrite(handle, start.map { $0 + Int(offset) }, count - offset, End.back.rawValue, &written)
        })
      if written == 0 { throw .error }
      offset += written
    }
  }

  /// One write call; the number of bytes that the host took.
  func writeOnce(_ content: Text, at end: End = .back) throws(Status) -> UInt32 {
    var written: UInt32 = 0
    try check(
      content.withBytes { start, count in
        hostBodyWrite(handle, start, count, end.rawValue, &written)
      })
    return written
  }

  /// What is there to read, at most `limit` bytes; empty only at the end.
  func read(limit: UInt32) throws(Status) -> Text {
    var count: UInt32 = 0
    var status: UInt32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: Int(limit)) { buffer, initialized in
      status = hostBodyRead(handle, buffer.baseAddress, limit, &count)
      initialized = status == 0 ? Int(min(count, limit)) : 0
    }
    try check(status)
    return Text(bytes)
  }

  /// Everything up to the end.
  func readAll() throws(Status) -> Text {
    var all = Text()
    while true {
      let chunk = try read(limit: 16_384)
      if chunk.isEmpty { return all }
      all += chunk
    }
  }

  /// Reads to the end and writes each chunk to another body as it comes; the number of bytes.
  @discardableResult
  func copy(to other: Body, chunk: UInt32 = 16_384) throws(Status) -> Int {
    var total = 0
    while true {
      let piece = try read(limit: chunk)
      if piece.isEmpty { return total }
      try other.write(piece)
      total += piece.count
    }
  }

  /// Moves another body's content to the end of this one; the other body is gone afterwards.
  func append(_ other: Body) throws(Status) {
    try check(hostBodyAppend(handle, other.handle))
  }

  /// Ends a stream properly, or frees a body.
  func close() throws(Status) {
    try check(hostBodyClose(handle))
  }

  /// Breaks a stream off, so that its reader learns that something is missing.
  func abandon() throws(Status) {
    try check(hostBodyAbandon(handle))
  }

  /// The length in bytes, where it is known; `none` is thrown where it is not.
  func knownLength() throws(Status) -> UInt64 {
    var length: UInt64 = 0
    try check(hostBodyKnownLength(handle, &length))
    return length
  }
}

/// Trailers: fields behind the body.
extension Body {
  func appendTrailer(_ name: Text, _ value: Text) throws(Status) {
    try check(
      name.withBytes { name, nameCount in
        value.withBytes { value, valueCount in
          hostBodyTrailerAppend(handle, name, nameCount, value, valueCount)
        }
      })
  }

  /// The trailers' names; `again` is thrown before the body was read to its end.
  func trailerNames() throws(Status) -> [Text] {
    try MultiValuePage.all { buffer, capacity, cursor, ending, written in
      hostBodyTrailerNamesGet(handle, buffer, capacity, cursor, ending, written)
    }
  }

  func trailer(_ name: Text) throws(Status) -> Text {
    try Reading.complete { buffer, capacity, written in
      name.withBytes { name, nameCount in
        hostBodyTrailerValueGet(handle, name, nameCount, buffer, capacity, written)
      }
    }
  }

  func trailerValues(_ name: Text) throws(Status) -> [Text] {
    try MultiValuePage.all { buffer, capacity, cursor, ending, written in
      name.withBytes { name, nameCount in
        hostBodyTrailerValuesGet(handle, name, nameCount, buffer, capacity, cursor, ending, written)
      }
    }
  }
}
