internal import CWasmtime
internal import Wasmtime

/// What watches a guest's hostcalls from outside: the trace and the verbose log.
///
/// It is told through C functions, which get its address: through a method each hostcall would count references to an object that
/// cannot go away meanwhile.
public protocol HostcallObserver: AnyObject {
  static var hostcallHooks: HostcallHooks { get }
}

/// The functions of a ``HostcallObserver``, each of which gets its address.
public struct HostcallHooks: Sendable {
  /// A hostcall begins; the index is its place in ``HostcallTable/entries``.
  public typealias Began = @convention(c) @Sendable (_ observer: UnsafeRawPointer, _ index: UInt16) -> Void
  /// The hostcall that began last ends with the `i32` that the guest gets.
  public typealias Ended =
    @convention(c) @Sendable (_ observer: UnsafeRawPointer, _ index: UInt16, _ status: Int32) -> Void
  /// The hostcall waits, and the guest leaves its thread; the cause is a ``WaitCause``.
  public typealias Suspended = @convention(c) @Sendable (_ observer: UnsafeRawPointer, _ cause: UInt8) -> Void
  /// The guest goes on.
  public typealias Resumed = @convention(c) @Sendable (_ observer: UnsafeRawPointer) -> Void

  fileprivate let began: Began
  fileprivate let ended: Ended
  fileprivate let suspended: Suspended
  fileprivate let resumed: Resumed

  public init(
    began: @escaping Began, ended: @escaping Ended, suspended: @escaping Suspended, resumed: @escaping Resumed
  ) {
    self.began = began
    self.ended = ended
    self.suspended = suspended
    self.resumed = resumed
  }
}

/// The bridge between a guest and its host: what a thunk needs to know about the guest that calls.
///
/// The store keeps its address, so the context must outlive the fiber.
public final class HostcallContext {
  /// The host's answers. Unowned would cost a check at each call; the sandbox that owns the context clears it at its end.
  fileprivate private(set) var host: (any ComputeHost)?
  public let memory = GuestMemory()
  /// Whom to tell of hostcalls.
  private var observer: (address: UnsafeRawPointer, hooks: HostcallHooks)?
  /// The status with which the guest called `proc_exit`.
  public private(set) var exitStatus: UInt32?
  private var pending: PendingHostcall?
  private var pendingIndex: UInt16 = 0
  private var pendingResult: UnsafeMutablePointer<wasmtime_val_t>?
  private var pendingErrors = ErrorNumbering.fastly

  public init() {}

  /// From here on this host answers; nil ends that.
  public func attach(_ host: (any ComputeHost)?) { self.host = host }

  /// From here on this observer is told of hostcalls. The caller keeps it until ``unwatch()`` or the next observer.
  public func watch<Observer: HostcallObserver>(_ observer: Observer) {
    self.observer = (UnsafeRawPointer(Unmanaged.passUnretained(observer).toOpaque()), Observer.hostcallHooks)
  }

  /// From here on nobody is told of hostcalls.
  public func unwatch() { observer = nil }

  @inline(__always)
  fileprivate func began(_ index: UInt16) {
    if let observer { observer.hooks.began(observer.address, index) }
  }

  @inline(__always)
  fileprivate func ended(_ index: UInt16, status: Int32) {
    if let observer { observer.hooks.ended(observer.address, index, status) }
  }

  /// The pointer that a ``Fiber`` carries for this context.
  public var opaque: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

  /// Whether the guest waits in a hostcall, rather than having used up its time slice.
  public var isWaiting: Bool { pending != nil }

  @inline(__always)
  static func calling(_ caller: OpaquePointer?) -> HostcallContext {
    let data = wasmtime_context_get_data(wasmtime_caller_context(caller))
    // The store was made with `opaque`, and the context outlives the store.
    return Unmanaged<HostcallContext>.fromOpaque(data.unsafelyUnwrapped).takeUnretainedValue()
  }
}

/// How a ``Status`` is numbered for the guest: by the Fastly ABI or by WASI.
enum ErrorNumbering {
  case fastly
  case wasi

  func number(_ status: Status) -> Int32 {
    switch self {
    case .fastly: Int32(bitPattern: status.rawValue)
    case .wasi: Int32(status.wasiNumber)
    }
  }
}

extension Status {
  private static let wasiBase: UInt32 = 0x1_0000

  /// A failure of a WASI function, which has numbers of its own.
  public static func wasi(_ number: WASIErrno) -> Status { Status(rawValue: wasiBase | UInt32(number.rawValue)) }

  /// WASI's number for this status; the argument checks that both ABIs share throw Fastly's.
  var wasiNumber: UInt16 {
    if rawValue >= Status.wasiBase { return UInt16(truncatingIfNeeded: rawValue) }
    switch self {
    case .ok: return WASIErrno.success.rawValue
    case .inval: return WASIErrno.fault.rawValue
    case .badalign: return WASIErrno.inval.rawValue
    case .badf: return WASIErrno.badf.rawValue
    case .unsupported: return WASIErrno.nosys.rawValue
    default: return WASIErrno.io.rawValue
    }
  }
}

/// The arguments of a hostcall in the two forms in which Wasmtime passes them.
@usableFromInline
struct RawArguments {
  let values: UnsafeMutablePointer<wasmtime_val_raw_t>

  @inline(__always) func u32(_ index: Int) -> UInt32 { UInt32(bitPattern: values[index].i32) }
  @inline(__always) func u64(_ index: Int) -> UInt64 { UInt64(bitPattern: values[index].i64) }
}

struct BoxedArguments {
  let values: UnsafePointer<wasmtime_val_t>

  @inline(__always) func u32(_ index: Int) -> UInt32 { UInt32(bitPattern: values[index].of.i32) }
  @inline(__always) func u64(_ index: Int) -> UInt64 { UInt64(bitPattern: values[index].of.i64) }
}

extension HostcallContext {
  /// The whole of a hostcall that never waits: span, arguments, answer, status.
  @inline(__always)
  static func answer(
    _ index: UInt16, _ errors: ErrorNumbering, _ caller: OpaquePointer?,
    _ raw: UnsafeMutablePointer<wasmtime_val_raw_t>?,
    _ body: (any ComputeHost, GuestMemory, RawArguments) throws(Status) -> Void
  ) -> OpaquePointer? {
    let context = calling(caller)
    context.began(index)
    let values = raw.unsafelyUnwrapped
    let status: Int32
    do throws(Status) {
      guard let host = context.host else { throw .error }
      try body(host, context.memory, RawArguments(values: values))
      status = 0
    } catch {
      status = errors.number(error)
    }
    values[0].i32 = status
    context.ended(index, status: status)
    return nil
  }

  /// The beginning of a hostcall that may wait. It leaves a continuation where it does.
  @inline(__always)
  static func begin(
    _ index: UInt16, _ errors: ErrorNumbering, _ caller: OpaquePointer?, _ args: UnsafePointer<wasmtime_val_t>?,
    _ results: UnsafeMutablePointer<wasmtime_val_t>?,
    _ continuation: UnsafeMutablePointer<wasmtime_async_continuation_t>?,
    _ body: (any ComputeHost, GuestMemory, BoxedArguments) throws(Status) -> PendingHostcall?
  ) {
    let context = calling(caller)
    context.began(index)
    let result = results.unsafelyUnwrapped
    result.pointee.kind = UInt8(WASMTIME_I32)
    continuation.unsafelyUnwrapped.pointee = wasmtime_async_continuation_t(
      callback: { _ in true }, env: nil, finalizer: nil)
    var status: Int32 = 0
    do throws(Status) {
      guard let host = context.host else { throw .error }
      if let arguments = args {
        if let pending = try body(host, context.memory, BoxedArguments(values: arguments)) {
          context.suspend(pending, index, errors, result, continuation.unsafelyUnwrapped)
          return
        }
      }
    } catch {
      status = errors.number(error)
    }
    result.pointee.of.i32 = status
    context.ended(index, status: status)
  }

  private func suspend(
    _ pending: PendingHostcall, _ index: UInt16, _ errors: ErrorNumbering,
    _ result: UnsafeMutablePointer<wasmtime_val_t>,
    _ continuation: UnsafeMutablePointer<wasmtime_async_continuation_t>
  ) {
    self.pending = pending
    pendingIndex = index
    pendingErrors = errors
    pendingResult = result
    if let observer { observer.hooks.suspended(observer.address, pending.cause.rawValue) }
    continuation.pointee = wasmtime_async_continuation_t(
      callback: { Unmanaged<HostcallContext>.fromOpaque($0.unsafelyUnwrapped).takeUnretainedValue().pollPending() },
      env: opaque, finalizer: nil)
  }

  /// Asks the suspended hostcall again; true when it is done and its status stands in the result.
  private func pollPending() -> Bool {
    guard let pending else { return true }
    var status: Int32 = 0
    do throws(Status) {
      guard try pending.poll() else { return false }
    } catch {
      status = pendingErrors.number(error)
    }
    self.pending = nil
    pendingResult.unsafelyUnwrapped.pointee.of.i32 = status
    if let observer { observer.hooks.resumed(observer.address) }
    ended(pendingIndex, status: status)
    return true
  }

  /// Drops a suspended hostcall whose guest is given up, with what its question holds on to.
  public func abandonPending() { pending = nil }

  /// `proc_exit`: remembers the status and stops the guest with a trap that nobody reports.
  static func exit(_ index: UInt16, _ caller: OpaquePointer?, _ raw: UnsafeMutablePointer<wasmtime_val_raw_t>?)
    -> OpaquePointer?
  {
    let context = calling(caller)
    context.began(index)
    let status = raw.unsafelyUnwrapped[0].i32
    context.exitStatus = UInt32(bitPattern: status)
    context.ended(index, status: status)
    return wasmtime_trap_new("exit", 4)
  }

  /// The answer of a function that is not served; see `Data/unsupported.json`.
  static func refuse(
    _ index: UInt16, _ caller: OpaquePointer?, _ raw: UnsafeMutablePointer<wasmtime_val_raw_t>?
  ) -> OpaquePointer? {
    let context = calling(caller)
    context.began(index)
    let status = Int32(bitPattern: Status.unsupported.rawValue)
    raw.unsafelyUnwrapped[0].i32 = status
    context.ended(index, status: status)
    return nil
  }
}
