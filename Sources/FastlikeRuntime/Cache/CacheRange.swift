/// The part of a stored body that a reader asks for, in bytes.
enum CacheRange: Sendable, Equatable {
  case whole
  /// Everything from this byte on.
  case from(UInt64)
  /// So many bytes at the end.
  case last(UInt64)
  /// From the first to the second byte, which is the last one of the part.
  case bytes(UInt64, through: UInt64)

  /// Nil when the last byte lies before the first.
  init?(from: UInt64?, to: UInt64?) {
    switch (from, to) {
    case (nil, nil): self = .whole
    case (let from?, nil): self = .from(from)
    case (nil, let count?): self = .last(count)
    case (let from?, let to?):
      guard from <= to else { return nil }
      self = .bytes(from, through: to)
    }
  }

  /// Where reading begins and ends.
  ///
  /// - Parameters:
  ///   - length: The body's length, if it is known by now.
  ///   - always: Whether the part is read also while the length is not known.
  /// - Returns: The whole body where the part does not lie in it, and where its length is not known, unless `always`.
  func span(length: UInt64?, always: Bool) -> CachedBodySpan {
    guard let length else { return always ? CachedBodySpan(self) : .whole }
    switch self {
    case .whole: return .whole
    case .from(let first): return first < length ? CachedBodySpan(self) : .whole
    case .last(let count):
      return count > 0 && count <= length
        ? CachedBodySpan(start: .offset(Int(clamping: length - count)), end: nil) : .whole
    case .bytes(let first, let last): return first < length && last < length ? CachedBodySpan(self) : .whole
    }
  }
}

/// What a reader takes of a stored body.
struct CachedBodySpan: Sendable, Equatable {
  enum Start: Sendable, Equatable {
    case offset(Int)
    /// So many bytes before the end, which has to be there before reading begins.
    case beforeEnd(Int)
  }

  static let whole = CachedBodySpan(start: .offset(0), end: nil)

  let start: Start
  /// The offset behind the last byte; nil is the end of the body. A body that ends before it is a failure for the reader.
  let end: Int?

  init(start: Start, end: Int?) {
    self.start = start
    self.end = end
  }

  fileprivate init(_ range: CacheRange) {
    switch range {
    case .whole: self = .whole
    case .from(let first): self.init(start: .offset(Int(clamping: first)), end: nil)
    case .last(let count): self.init(start: .beforeEnd(Int(clamping: count)), end: nil)
    case .bytes(let first, let last):
      self.init(start: .offset(Int(clamping: first)), end: last < Int.max ? Int(last) + 1 : Int.max)
    }
  }
}
