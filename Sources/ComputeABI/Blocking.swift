/// What a suspended guest waits for, as the trace accounts it.
public enum WaitCause: UInt8, Sendable, CaseIterable {
  case backend = 1
  case client = 2
  case cache = 3
  case store = 4
  case timer = 5
  case other = 6
}

/// The outcome of a hostcall that may have to wait: the value, or the cause and a question to ask again.
///
/// A guest is on one fiber and waits for one thing, so waiting needs no more than this: whatever may have moved wakes the
/// sandbox, and the question is asked again. It answers nil while there is nothing yet.
public enum Blocking<Value> {
  case ready(Value)
  case waiting(WaitCause, () throws(Status) -> Value?)

  /// Asks once at once, and waits only when there is no answer.
  @inlinable
  public static func waiting(for cause: WaitCause, _ poll: @escaping () throws(Status) -> Value?) throws(Status)
    -> Blocking
  {
    if let value = try poll() { return .ready(value) }
    return .waiting(cause, poll)
  }

  /// The rest of a hostcall after its value is there: writes the out-parameters. Nil when that was done at once.
  @inlinable
  func finishing(_ write: @escaping (Value) throws(Status) -> Void) throws(Status) -> PendingHostcall? {
    switch self {
    case .ready(let value):
      try write(value)
      return nil
    case .waiting(let cause, let poll):
      return PendingHostcall(cause: cause) { () throws(Status) in
        guard let value = try poll() else { return false }
        try write(value)
        return true
      }
    }
  }
}

/// A suspended hostcall: what it waits for, and the question whether it is done.
@usableFromInline
struct PendingHostcall {
  @usableFromInline let cause: WaitCause
  @usableFromInline let poll: () throws(Status) -> Bool

  @usableFromInline
  init(cause: WaitCause, poll: @escaping () throws(Status) -> Bool) {
    self.cause = cause
    self.poll = poll
  }
}
