/// Why a guest was suspended.
public enum BlockCause: UInt8, Sendable, CaseIterable {
  /// Waiting for its turn on the thread.
  case queue = 0
  /// Waiting for a backend.
  case backend
  /// Waiting for the client, to send more of its body or to take more of the response.
  case client
  /// Waiting for the cache: another request fetches the same object, or storage.
  case cache
  /// Waiting for a KV, config or secret store.
  case store
  /// Sleeping.
  case timer
  /// Anything else.
  case other

  /// The word used in files and on pages.
  public var name: String {
    switch self {
    case .queue: "queue"
    case .backend: "backend"
    case .client: "client"
    case .cache: "cache"
    case .store: "store"
    case .timer: "timer"
    case .other: "other"
    }
  }

  /// Reads the word; one that is not known is ``other``.
  public init(name: String) { self = Self.allCases.first { $0.name == name } ?? .other }
}

/// One suspension of the guest.
public struct BlockedInterval: Sendable, Hashable {
  /// Nanoseconds from the trace's start.
  public var start: Int64
  /// Nanoseconds.
  public var duration: Int64
  /// Why.
  public var cause: BlockCause
  /// Whether it lies inside of a hostcall.
  public var inHostcall: Bool

  public init(start: Int64, duration: Int64, cause: BlockCause, inHostcall: Bool) {
    self.start = start
    self.duration = duration
    self.cause = cause
    self.inHostcall = inHostcall
  }

  /// Nanoseconds from the trace's start.
  public var end: Int64 { start + duration }
}

/// Nanoseconds by ``BlockCause``.
public struct BlockedTime: Sendable, Hashable {
  public var queue: Int64 = 0
  public var backend: Int64 = 0
  public var client: Int64 = 0
  public var cache: Int64 = 0
  public var store: Int64 = 0
  public var timer: Int64 = 0
  public var other: Int64 = 0

  public init() {}

  public subscript(cause: BlockCause) -> Int64 {
    get {
      switch cause {
      case .queue: queue
      case .backend: backend
      case .client: client
      case .cache: cache
      case .store: store
      case .timer: timer
      case .other: other
      }
    }
    set {
      switch cause {
      case .queue: queue = newValue
      case .backend: backend = newValue
      case .client: client = newValue
      case .cache: cache = newValue
      case .store: store = newValue
      case .timer: timer = newValue
      case .other: other = newValue
      }
    }
  }

  /// The sum over all causes.
  public var total: Int64 { queue + backend + client + cache + store + timer + other }
}

/// Who owns each nanosecond of a request. ``queue`` + ``setup`` + ``guest`` + ``host`` + ``blocked`` is exactly the
/// request's wall time.
public struct TimeAccount: Sendable, Hashable {
  /// Nanoseconds between the request's arrival and the start of its handling.
  public var queue: Int64
  /// Nanoseconds of preparation: instantiation, buffers.
  public var setup: Int64
  /// Nanoseconds in which the guest ran. It is what the other owners leave, so the recorder's own cost is in it.
  public var guest: Int64
  /// Nanoseconds in hostcalls without the time blocked in them.
  public var host: Int64
  /// Nanoseconds in which the guest was suspended, inside and outside of hostcalls.
  public var blocked: BlockedTime
  /// The part of ``blocked`` that lies inside of hostcalls.
  public var blockedInHostcalls: Int64

  public init(
    queue: Int64 = 0, setup: Int64 = 0, guest: Int64 = 0, host: Int64 = 0, blocked: BlockedTime = BlockedTime(),
    blockedInHostcalls: Int64 = 0
  ) {
    self.queue = queue
    self.setup = setup
    self.guest = guest
    self.host = host
    self.blocked = blocked
    self.blockedInHostcalls = blockedInHostcalls
  }

  /// Distributes a wall time over measured owners and gives the rest to the guest. Owners that claim more than is left
  /// are cut, in the order blocked, host, queue, setup, so that the account always closes.
  public init(
    closing wall: Int64, queue: Int64, setup: Int64, host: Int64, blocked: BlockedTime, blockedInHostcalls: Int64
  ) {
    var rest = max(0, wall)
    func take(_ amount: Int64) -> Int64 {
      let taken = min(max(0, amount), rest)
      rest -= taken
      return taken
    }
    var blockedTaken = BlockedTime()
    for cause in BlockCause.allCases { blockedTaken[cause] = take(blocked[cause]) }
    self.blocked = blockedTaken
    self.blockedInHostcalls = min(max(0, blockedInHostcalls), blockedTaken.total)
    self.host = take(host)
    self.queue = take(queue)
    self.setup = take(setup)
    guest = rest
  }

  /// The sum of all owners.
  public var total: Int64 { queue + setup + guest + host + blocked.total }
}
