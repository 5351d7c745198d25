import FastlikeProfile

/// Who a nanosecond of a request belongs to, as the page tells them apart. The raw value is the name on the page and in
/// its style.
enum TimeOwner: String, CaseIterable {
  /// Waiting for its turn, before its start and later.
  case queue
  case setup
  case guest
  case host
  case backend
  case client
  case cache
  case store
  case timer
  case other

  init(_ cause: BlockCause) {
    switch cause {
    case .queue: self = .queue
    case .backend: self = .backend
    case .client: self = .client
    case .cache: self = .cache
    case .store: self = .store
    case .timer: self = .timer
    case .other: self = .other
    }
  }

  /// What the name means, for the legend.
  var meaning: String {
    switch self {
    case .queue: "waiting for a turn on its event loop"
    case .setup: "starting the guest"
    case .guest: "the guest's own computing"
    case .host: "the host's work in hostcalls"
    case .backend: "waiting for backends"
    case .client: "waiting for the client"
    case .cache: "waiting for the cache"
    case .store: "waiting for KV, config or secret stores"
    case .timer: "asleep, as the guest asked"
    case .other: "waiting for something else"
    }
  }

  /// The cause of the suspension; nil for the owners that are none, and for the turn.
  var cause: BlockCause? { BlockCause.allCases.first { $0 != .queue && TimeOwner($0) == self } }
}

extension TimeAccount {
  /// Nanoseconds of an owner. Over all owners they add up to ``TimeAccount/total``.
  func nanoseconds(of owner: TimeOwner) -> Int64 {
    switch owner {
    case .queue: queue + blocked.queue
    case .setup: setup
    case .guest: guest
    case .host: host
    case .backend: blocked.backend
    case .client: blocked.client
    case .cache: blocked.cache
    case .store: blocked.store
    case .timer: blocked.timer
    case .other: blocked.other
    }
  }

  /// The owners that had any time, the largest first.
  var owners: [(owner: TimeOwner, nanoseconds: Int64)] {
    TimeOwner.allCases.map { ($0, nanoseconds(of: $0)) }.filter { $0.nanoseconds > 0 }
      .sorted { $0.nanoseconds > $1.nanoseconds }
  }
}

/// A coloured piece of a bar that is ``Bar/length`` long.
struct BarPiece {
  /// The class that gives it its colour.
  let kind: String
  let x: String
  let width: String
  /// What it is, in words.
  let tip: String

  /// - Parameters:
  ///   - start: From 0 to ``Bar/length``.
  ///   - end: From `start` to ``Bar/length``.
  init(_ kind: String, from start: Double, to end: Double, tip: String) {
    self.kind = kind
    x = Figures.fixed(start, digits: 1)
    width = Figures.fixed(max(0, end - start), digits: 1)
    self.tip = tip
  }
}

/// Coloured pieces side by side. Drawn as SVG, whose geometry is in attributes, since the page's security policy
/// allows no style in them.
struct Bar {
  /// The length of every bar in its own units.
  static let length = 1000.0

  let pieces: [BarPiece]
  /// The same in words, for those who do not see it.
  let text: String

  init(pieces: [BarPiece], text: String) {
    self.pieces = pieces
    self.text = text
  }

  /// A request's time by owner.
  init(of time: TimeAccount) {
    let total = time.total
    var pieces: [BarPiece] = []
    var passed: Int64 = 0
    var words: [String] = []
    for owner in TimeOwner.allCases {
      let nanoseconds = time.nanoseconds(of: owner)
      guard nanoseconds > 0, total > 0 else { continue }
      let tip = "\(owner.rawValue) \(Figures.duration(nanoseconds)) (\(Figures.share(nanoseconds, of: total)))"
      let start = Self.length * Double(passed) / Double(total)
      passed += nanoseconds
      pieces.append(
        BarPiece(owner.rawValue, from: start, to: Self.length * Double(passed) / Double(total), tip: tip))
      words.append(tip)
    }
    self.init(pieces: pieces, text: words.isEmpty ? "no time recorded" : words.joined(separator: ", "))
  }
}

extension RequestTrace {
  /// What was left out because of a cap, of any kind.
  var drops: Int {
    droppedSpans + droppedBackendCalls + droppedBlockedIntervals + droppedGuestSamples
      + (deep?.heapSamplesDropped ?? 0)
  }
}
