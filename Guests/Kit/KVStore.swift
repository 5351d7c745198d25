/// A KV store, through `fastly_kv_store`.
struct KVStore {
  let handle: UInt32

  /// An unknown name throws `inval`.
  init(_ name: Text) throws(Status) {
    handle = try number { handle in name.withBytes { hostKVStoreOpen($0, $1, handle) } }
  }

  init(handle: UInt32) {
    self.handle = handle
  }

  /// What an operation came to; the numbers are the ABI's.
  enum Failure: UInt32 {
    case uninitialized = 0
    case ok, badRequest, notFound, preconditionFailed, payloadTooLarge, internalError, tooManyRequests

    var name: Text {
      switch self {
      case .uninitialized: "uninitialized"
      case .ok: "ok"
      case .badRequest: "bad_request"
      case .notFound: "not_found"
      case .preconditionFailed: "precondition_failed"
      case .payloadTooLarge: "payload_too_large"
      case .internalError: "internal_error"
      case .tooManyRequests: "too_many_requests"
      }
    }

    init(code: UInt32) { self = Failure(rawValue: code) ?? .uninitialized }
  }

  struct Entry {
    var body: Body
    var metadata: Text
    var generation: UInt64
  }

  /// What an insert may ask for.
  struct InsertOptions {
    /// 0 overwrites, 1 adds, 2 appends, 3 prepends.
    var mode: UInt32 = 0
    var metadata: Text?
    var timeToLive: UInt32?
    var generation: UInt64?
  }

  /// What a listing may ask for.
  struct ListOptions {
    var mode: UInt32 = 0
    var cursor: Text?
    var limit: UInt32?
    var prefix: Text?
  }

  // MARK: Starting

  /// The handle of a look-up.
  func startLookup(_ key: Text) throws(Status) -> UInt32 {
    var configuration: UInt32 = 0
    return try number { result in
      key.withBytes { hostKVStoreLookup(handle, $0, $1, 0, &configuration, result) }
    }
  }

  /// The handle of an insert; the body is gone afterwards.
  func startInsert(_ key: Text, _ body: Body, _ options: InsertOptions = InsertOptions()) throws(Status) -> UInt32 {
    var mask: UInt32 = 0
    if options.metadata != nil { mask |= 1 << 3 }
    if options.timeToLive != nil { mask |= 1 << 4 }
    if options.generation != nil { mask |= 1 << 5 }
    return try number { result in
      (options.metadata ?? "").withBytes { metadata, count in
        // The record has eight words: mode, nothing, metadata with its length, seconds, padding, generation.
        var words: [UInt64] = [
          UInt64(options.mode), UInt64(address(metadata)) | UInt64(count) << 32, UInt64(options.timeToLive ?? 0),
          options.generation ?? 0,
        ]
        return key.withBytes { hostKVStoreInsert(handle, $0, $1, body.handle, mask, &words, result) }
      }
    }
  }

  /// The handle of a deletion.
  func startDelete(_ key: Text) throws(Status) -> UInt32 {
    var configuration: UInt32 = 0
    return try number { result in
      key.withBytes { hostKVStoreDelete(handle, $0, $1, 0, &configuration, result) }
    }
  }

  /// The handle of a listing.
  func startList(_ options: ListOptions = ListOptions()) throws(Status) -> UInt32 {
    var mask: UInt32 = 0
    if options.cursor != nil { mask |= 1 << 1 }
    if options.limit != nil { mask |= 1 << 2 }
    if options.prefix != nil { mask |= 1 << 3 }
    return try number { result in
      (options.cursor ?? "").withBytes { cursor, cursorCount in
        (options.prefix ?? "").withBytes { prefix, prefixCount in
          var words: [UInt32] = [
            options.mode, address(cursor), cursorCount, options.limit ?? 0, address(prefix), prefixCount,
          ]
          return hostKVStoreList(handle, mask, &words, result)
        }
      }
    }
  }

  // MARK: Waiting

  /// The entry that a look-up found, or why there is none. Metadata beyond the capacity throws `buflen`.
  static func waitForLookup(
    _ operation: UInt32, capacity: UInt32 = 2000
  ) throws(Status) -> (entry: Entry?, failure: Failure) {
    var body = invalidHandle
    var generation: UInt64 = 0
    var failure: UInt32 = 0
    let reading = Reading.once(capacity: capacity) { buffer, capacity, written in
      hostKVStoreLookupWaitV2(operation, &body, buffer, capacity, written, &generation, &failure)
    }
    if reading.status != .ok { throw reading.status }
    guard failure == 1 else { return (nil, Failure(code: failure)) }
    return (Entry(body: Body(handle: body), metadata: reading.text, generation: generation), .ok)
  }

  static func waitForInsert(_ operation: UInt32) throws(Status) -> Failure {
    Failure(code: try number { hostKVStoreInsertWait(operation, $0) })
  }

  static func waitForDelete(_ operation: UInt32) throws(Status) -> Failure {
    Failure(code: try number { hostKVStoreDeleteWait(operation, $0) })
  }

  /// The page as JSON, or why there is none.
  static func waitForList(_ operation: UInt32) throws(Status) -> (page: Body?, failure: Failure) {
    var body = invalidHandle
    let failure = try number { hostKVStoreListWait(operation, &body, $0) }
    return failure == 1 ? (Body(handle: body), .ok) : (nil, Failure(code: failure))
  }

  // MARK: Both at once

  func lookup(_ key: Text) throws(Status) -> (entry: Entry?, failure: Failure) {
    try KVStore.waitForLookup(try startLookup(key))
  }

  func insert(_ key: Text, _ value: Text, _ options: InsertOptions = InsertOptions()) throws(Status) -> Failure {
    try KVStore.waitForInsert(try startInsert(key, try Body(value), options))
  }

  func delete(_ key: Text) throws(Status) -> Failure { try KVStore.waitForDelete(try startDelete(key)) }
}

/// An address as the ABI's records hold it.
func address(_ pointer: UnsafePointer<UInt8>?) -> UInt32 { UInt32(truncatingIfNeeded: UInt(bitPattern: pointer)) }
