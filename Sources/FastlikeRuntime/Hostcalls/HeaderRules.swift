import ComputeABI

/// The checks and packings that the header hostcalls of requests, responses and trailers share.
enum HeaderRules {
  /// The most bytes in a name.
  static let maximumNameLength = 65_535
  /// The most bytes in one message's fields; the platform's own limit lies far below.
  private static let maximumListSize = 1 << 20

  /// Throws `limitexceeded` when a message would grow beyond all measure.
  private static func checkRoom(_ headers: HeaderList, for byteCount: Int) throws(Status) {
    guard headers.storedBytes + byteCount <= maximumListSize else { throw .limitexceeded }
  }

  /// Checks a name: too long is `inval`, anything but an HTTP token `error`.
  static func check(name: GuestBytes) throws(Status) {
    if name.count > maximumNameLength { throw .inval }
    guard WireSyntax.isToken(name.raw) else { throw .error }
  }

  /// Checks a value: control characters other than tab are `error`.
  static func check(value: some Sequence<UInt8>) throws(Status) {
    guard value.allSatisfy(WireSyntax.isFieldValueByte) else { throw .error }
  }

  /// The distinct names in lower case, which is how every SDK's header map keys them.
  static func writeNames(of headers: HeaderList, to output: GuestItemOutput) throws(Status) {
    let names = headers.distinctNameIndices().map { ArraySlice(headers.name(at: $0).map(asciiLowercased)) }
    try output.write(count: names.count) { names[$0] }
  }

  static func writeValue(of name: GuestBytes, in headers: HeaderList, to output: GuestOutput) throws(Status) {
    try check(name: name)
    guard let value = headers.firstValue(of: name.raw) else { throw .inval }
    try output.write(value)
  }

  static func writeValues(of name: GuestBytes, in headers: HeaderList, to output: GuestItemOutput) throws(Status) {
    try check(name: name)
    let indices = headers.indices(of: name.raw)
    try output.write(count: indices.count) { headers.value(at: indices[$0]) }
  }

  /// Replaces all values of a name by a list of values that each end with a NUL; what follows the last NUL is dropped.
  static func setValues(of name: GuestBytes, to list: GuestBytes, in headers: inout HeaderList) throws(Status) {
    try check(name: name)
    var values = list.array().split(separator: 0, omittingEmptySubsequences: false)
    _ = values.popLast()
    for value in values { try check(value: value) }
    try checkRoom(headers, for: values.count * (name.count + 16) + list.count)
    headers.remove(name: name.raw)
    for value in values { headers.append(name: name.raw, value: value) }
  }

  static func insert(_ name: GuestBytes, _ value: GuestBytes, in headers: inout HeaderList) throws(Status) {
    try check(name: name)
    try check(value: value.raw)
    try checkRoom(headers, for: name.count + value.count)
    headers.set(name: name.raw, value: value.raw)
  }

  static func append(_ name: GuestBytes, _ value: GuestBytes, in headers: inout HeaderList) throws(Status) {
    try check(name: name)
    try check(value: value.raw)
    try checkRoom(headers, for: name.count + value.count)
    headers.append(name: name.raw, value: value.raw)
  }

  static func remove(_ name: GuestBytes, in headers: inout HeaderList) throws(Status) {
    try check(name: name)
    guard headers.remove(name: name.raw) else { throw .inval }
  }
}
