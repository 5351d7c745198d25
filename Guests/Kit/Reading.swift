/// One call of a hostcall that fills a buffer: what it answered, how much it says it wrote, and the bytes.
struct Reading {
  let status: Status
  /// The length that the host stored: bytes written on `ok`, bytes needed on `buflen`.
  let written: UInt32
  let text: Text

  /// Calls once with a buffer of the given capacity, which may be 0.
  static func once(
    capacity: UInt32, _ call: (UnsafeMutablePointer<UInt8>?, UInt32, UnsafeMutablePointer<UInt32>) -> UInt32
  ) -> Reading {
    var written: UInt32 = 0
    var status = Status.ok
    let bytes = [UInt8](unsafeUninitializedCapacity: Int(capacity)) { buffer, count in
      status = Status(code: call(buffer.baseAddress, capacity, &written))
      count = status == .ok ? Int(min(written, capacity)) : 0
    }
    return Reading(status: status, written: written, text: Text(bytes))
  }

  /// Calls until the value fits: a buffer that is too small is answered with the length it needs.
  static func complete(
    capacity: UInt32 = 256, _ call: (UnsafeMutablePointer<UInt8>?, UInt32, UnsafeMutablePointer<UInt32>) -> UInt32
  ) throws(Status) -> Text {
    var reading = once(capacity: capacity, call)
    if reading.status == .buflen, reading.written > capacity {
      reading = once(capacity: reading.written, call)
    }
    if reading.status != .ok { throw reading.status }
    return reading.text
  }
}

/// One call of a hostcall that lists values behind a cursor.
struct MultiValuePage {
  typealias Call = (
    UnsafeMutablePointer<UInt8>?, UInt32, UInt32, UnsafeMutablePointer<Int64>, UnsafeMutablePointer<UInt32>
  ) -> UInt32

  let status: Status
  let written: UInt32
  /// The index to go on from, or -1 after the last value.
  let endingCursor: Int64
  let values: [Text]

  static func once(capacity: UInt32, cursor: UInt32, _ call: Call) -> MultiValuePage {
    // Neither a legal cursor nor the end mark, so that a host which stores nothing is found out.
    var endingCursor: Int64 = -77
    let reading = Reading.once(capacity: capacity) { buffer, capacity, written in
      call(buffer, capacity, cursor, &endingCursor, written)
    }
    // Each value ends with a NUL, so the last piece is empty.
    let values = reading.text.isEmpty ? [] : Array(reading.text.split(separator: 0).dropLast())
    return MultiValuePage(
      status: reading.status, written: reading.written, endingCursor: endingCursor, values: values)
  }

  /// Follows the cursor to the last value, with a larger buffer where a value does not fit.
  static func all(capacity initialCapacity: UInt32 = 1024, _ call: Call) throws(Status) -> [Text] {
    var capacity = initialCapacity
    var cursor: UInt32 = 0
    var values: [Text] = []
    while true {
      let page = once(capacity: capacity, cursor: cursor, call)
      if page.status == .buflen, page.written > capacity {
        capacity = page.written
        continue
      }
      if page.status != .ok { throw page.status }
      values += page.values
      if page.endingCursor < 0 { return values }
      cursor = UInt32(page.endingCursor)
    }
  }
}
