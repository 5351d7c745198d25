/// The header fields of a request or a response.
struct Headers {
  private enum Owner {
    case request(UInt32)
    case response(UInt32)
  }

  private let owner: Owner

  init(request handle: UInt32) {
    owner = .request(handle)
  }

  init(response handle: UInt32) {
    owner = .response(handle)
  }

  /// The first value of a field, nil where the field is missing.
  subscript(name: Text) -> Text? {
    do throws(Status) { return try value(name) } catch { return nil }
  }

  /// The first value of a field; a missing field throws `inval`.
  func value(_ name: Text) throws(Status) -> Text {
    try Reading.complete { buffer, capacity, written in
      valueCall(name, buffer, capacity, written)
    }
  }

  /// One attempt to read a value into a buffer of the given size.
  func valueReading(_ name: Text, capacity: UInt32) -> Reading {
    Reading.once(capacity: capacity) { buffer, capacity, written in
      valueCall(name, buffer, capacity, written)
    }
  }

  /// Every value of a field, in order.
  func values(_ name: Text) throws(Status) -> [Text] {
    try MultiValuePage.all { buffer, capacity, cursor, ending, written in
      valuesCall(name, buffer, capacity, cursor, ending, written)
    }
  }

  func valuesPage(_ name: Text, capacity: UInt32, cursor: UInt32) -> MultiValuePage {
    MultiValuePage.once(capacity: capacity, cursor: cursor) { buffer, capacity, cursor, ending, written in
      valuesCall(name, buffer, capacity, cursor, ending, written)
    }
  }

  /// The field names, each once.
  func names() throws(Status) -> [Text] {
    try MultiValuePage.all(namesCall)
  }

  func namesPage(capacity: UInt32, cursor: UInt32) -> MultiValuePage {
    MultiValuePage.once(capacity: capacity, cursor: cursor, namesCall)
  }

  /// Sets a field to one value.
  func insert(_ name: Text, _ value: Text) throws(Status) {
    try check(
      name.withBytes { name, nameCount in
        value.withBytes { value, valueCount in
          switch owner {
          case .request(let handle): hostRequestHeaderInsert(handle, name, nameCount, value, valueCount)
          case .response(let handle): hostResponseHeaderInsert(handle, name, nameCount, value, valueCount)
          }
        }
      })
  }

  /// Adds a value to a field.
  func append(_ name: Text, _ value: Text) throws(Status) {
    try check(
      name.withBytes { name, nameCount in
        value.withBytes { value, valueCount in
          switch owner {
          case .request(let handle): hostRequestHeaderAppend(handle, name, nameCount, value, valueCount)
          case .response(let handle): hostResponseHeaderAppend(handle, name, nameCount, value, valueCount)
          }
        }
      })
  }

  /// Removes a field; a missing one throws `inval`.
  func remove(_ name: Text) throws(Status) {
    try check(
      name.withBytes { name, nameCount in
        switch owner {
        case .request(let handle): hostRequestHeaderRemove(handle, name, nameCount)
        case .response(let handle): hostResponseHeaderRemove(handle, name, nameCount)
        }
      })
  }

  /// Sets a field to several values, in order.
  func set(_ name: Text, _ values: [Text]) throws(Status) {
    var list: [UInt8] = []
    for value in values {
      list += value.bytes
      list.append(0)
    }
    try set(name, list: Text(list))
  }

  /// Sets a field to values that each end with a NUL.
  func set(_ name: Text, list: Text) throws(Status) {
    try check(
      name.withBytes { name, nameCount in
        list.withBytes { list, listCount in
          switch owner {
          case .request(let handle): hostRequestHeaderValuesSet(handle, name, nameCount, list, listCount)
          case .response(let handle): hostResponseHeaderValuesSet(handle, name, nameCount, list, listCount)
          }
        }
      })
  }

  private func valueCall(
    _ name: Text, _ buffer: UnsafeMutablePointer<UInt8>?, _ capacity: UInt32, _ written: UnsafeMutablePointer<UInt32>
  ) -> UInt32 {
    name.withBytes { name, nameCount in
      switch owner {
      case .request(let handle): hostRequestHeaderValueGet(handle, name, nameCount, buffer, capacity, written)
      case .response(let handle): hostResponseHeaderValueGet(handle, name, nameCount, buffer, capacity, written)
      }
    }
  }

  private func valuesCall(
    _ name: Text, _ buffer: UnsafeMutablePointer<UInt8>?, _ capacity: UInt32, _ cursor: UInt32,
    _ ending: UnsafeMutablePointer<Int64>, _ written: UnsafeMutablePointer<UInt32>
  ) -> UInt32 {
    name.withBytes { name, nameCount in
      switch owner {
      case .request(let handle):
        hostRequestHeaderValuesGet(handle, name, nameCount, buffer, capacity, cursor, ending, written)
      case .response(let handle):
        hostResponseHeaderValuesGet(handle, name, nameCount, buffer, capacity, cursor, ending, written)
      }
    }
  }

  private func namesCall(
    _ buffer: UnsafeMutablePointer<UInt8>?, _ capacity: UInt32, _ cursor: UInt32,
    _ ending: UnsafeMutablePointer<Int64>, _ written: UnsafeMutablePointer<UInt32>
  ) -> UInt32 {
    switch owner {
    case .request(let handle): hostRequestHeaderNamesGet(handle, buffer, capacity, cursor, ending, written)
    case .response(let handle): hostResponseHeaderNamesGet(handle, buffer, capacity, cursor, ending, written)
    }
  }
}
