// The platform's smaller services, one type each.

/// A log endpoint.
struct Log {
  let handle: UInt32

  /// The endpoint of a name; the same name gives the same endpoint.
  init(_ name: Text) throws(Status) {
    handle = try number { handle in name.withBytes { hostLogEndpointGet($0, $1, handle) } }
  }

  init(handle: UInt32) {
    self.handle = handle
  }

  /// Writes one record; the number of bytes taken.
  @discardableResult
  func write(_ message: Text) throws(Status) -> UInt32 {
    try number { written in message.withBytes { hostLogWrite(handle, $0, $1, written) } }
  }
}

/// A config store.
struct ConfigStore {
  let handle: UInt32

  init(_ name: Text) throws(Status) {
    handle = try number { handle in name.withBytes { hostConfigStoreOpen($0, $1, handle) } }
  }

  init(handle: UInt32) {
    self.handle = handle
  }

  /// An item's value; a missing one throws `none`.
  func get(_ key: Text) throws(Status) -> Text {
    try Reading.complete { buffer, capacity, written in
      key.withBytes { hostConfigStoreGet(handle, $0, $1, buffer, capacity, written) }
    }
  }

  func reading(_ key: Text, capacity: UInt32) -> Reading {
    Reading.once(capacity: capacity) { buffer, capacity, written in
      key.withBytes { hostConfigStoreGet(handle, $0, $1, buffer, capacity, written) }
    }
  }
}

/// A dictionary: the older name of a config store.
struct EdgeDictionary {
  let handle: UInt32

  init(_ name: Text) throws(Status) {
    handle = try number { handle in name.withBytes { hostDictionaryOpen($0, $1, handle) } }
  }

  init(handle: UInt32) {
    self.handle = handle
  }

  /// An item's value; a missing one throws `none`.
  func get(_ key: Text) throws(Status) -> Text {
    try Reading.complete { buffer, capacity, written in
      key.withBytes { hostDictionaryGet(handle, $0, $1, buffer, capacity, written) }
    }
  }

  func reading(_ key: Text, capacity: UInt32) -> Reading {
    Reading.once(capacity: capacity) { buffer, capacity, written in
      key.withBytes { hostDictionaryGet(handle, $0, $1, buffer, capacity, written) }
    }
  }
}

/// Geolocation.
enum Geo {
  /// The record of an address of 4 or 16 octets as JSON, empty where there is none.
  static func lookup(_ address: [UInt8], capacity: UInt32 = 1024) throws(Status) -> Text {
    try Reading.complete(capacity: capacity) { buffer, capacity, written in
      call(address, buffer, capacity, written)
    }
  }

  static func reading(_ address: [UInt8], capacity: UInt32) -> Reading {
    Reading.once(capacity: capacity) { buffer, capacity, written in
      call(address, buffer, capacity, written)
    }
  }

  private static func call(
    _ address: [UInt8], _ buffer: UnsafeMutablePointer<UInt8>?, _ capacity: UInt32,
    _ written: UnsafeMutablePointer<UInt32>
  ) -> UInt32 {
    Text(address).withBytes { hostGeoLookup($0, $1, buffer, capacity, written) }
  }
}

/// Device detection.
enum Device {
  /// The record of a user agent as JSON; an unknown one throws `none`.
  static func lookup(_ userAgent: Text) throws(Status) -> Text {
    try Reading.complete(capacity: 1024) { buffer, capacity, written in
      userAgent.withBytes { hostDeviceLookup($0, $1, buffer, capacity, written) }
    }
  }

  static func reading(_ userAgent: Text, capacity: UInt32) -> Reading {
    Reading.once(capacity: capacity) { buffer, capacity, written in
      userAgent.withBytes { hostDeviceLookup($0, $1, buffer, capacity, written) }
    }
  }
}

/// A user agent's family and version.
struct UserAgent {
  let family: Text
  let major: Text
  let minor: Text
  let patch: Text

  /// Parses with buffers of the given capacity each.
  init(parsing userAgent: Text, capacity: UInt32 = 256) throws(Status) {
    var lengths = (UInt32(0), UInt32(0), UInt32(0), UInt32(0))
    var status: UInt32 = 0
    let size = Int(capacity)
    let bytes = [UInt8](unsafeUninitializedCapacity: 4 * size) { buffer, initialized in
      let start = buffer.baseAddress
      status = userAgent.withBytes { text, count in
        hostUAPParse(
          text, count, start, capacity, &lengths.0, start.map { $0 + size }, capacity, &lengths.1,
          start.map { $0 + 2 * size }, capacity, &lengths.2, start.map { $0 + 3 * size }, capacity, &lengths.3)
      }
      initialized = status == 0 ? 4 * size : 0
    }
    try check(status)
    func piece(_ place: Int, length: UInt32) -> Text {
      Text([UInt8](bytes[place * size..<place * size + Int(min(length, capacity))]))
    }
    family = piece(0, length: lengths.0)
    major = piece(1, length: lengths.1)
    minor = piece(2, length: lengths.2)
    patch = piece(3, length: lengths.3)
  }
}

/// Waiting for any of several things: pending requests, bodies with data, streams with room.
enum AsyncIO {
  /// The place of the first handle that is ready; nil when the time is over. A timeout of 0 waits without limit.
  static func select(_ handles: [UInt32], timeoutMilliseconds: UInt32 = 0) throws(Status) -> Int? {
    let index = try number { index in
      handles.withUnsafeBufferPointer {
        hostAsyncIOSelect($0.baseAddress, UInt32($0.count), timeoutMilliseconds, index)
      }
    }
    return index == UInt32.max ? nil : Int(index)
  }

  static func isReady(_ handle: UInt32) throws(Status) -> Bool {
    try number { hostAsyncIOIsReady(handle, $0) } != 0
  }
}

/// Facts on the sandbox.
enum Runtime {
  /// CPU time used so far, in milliseconds; waiting does not count.
  static func vcpuMilliseconds() throws(Status) -> UInt64 {
    var time: UInt64 = 0
    try check(hostRuntimeGetVcpuMs(&time))
    return time
  }

  static func heapMebibytes() throws(Status) -> UInt32 {
    try number(hostRuntimeGetHeapMib)
  }
}
