internal import CWasmtime

/// One guest from instantiation to its end, run on a stack of its own that the host may leave and enter again.
///
/// A fiber is used by one thread at a time. ``instantiate()`` and then ``call(_:)`` say what to do and ``poll()`` does it,
/// until it is done, must wait for the host, or has used up its time slice. Destroying a fiber that has not finished
/// unwinds its stack.
public final class Fiber {
  /// What a poll ended with.
  public enum Progress {
    /// The guest waits for the host, or its time slice is over.
    case suspended
    /// What was begun is done: the instance is there, or the call returned.
    case done
    case trapped(WasmTrap)
  }

  /// The guest's linear memory.
  public struct Memory {
    let context: OpaquePointer
    var memory: wasmtime_memory_t

    /// The first byte; it stays where it is while the fiber lives.
    public var base: UnsafeMutableRawPointer {
      withUnsafePointer(to: memory) { UnsafeMutableRawPointer(wasmtime_memory_data(context, $0)) }
    }

    /// Bytes at present.
    public var byteCount: Int {
      withUnsafePointer(to: memory) { wasmtime_memory_data_size(context, $0) }
    }
  }

  /// What a call reads and leaves; Wasmtime keeps the addresses while a future lives.
  private struct Outputs {
    var trap: OpaquePointer?
    var error: OpaquePointer?
    var instance = wasmtime_instance_t()
    var function = wasmtime_func_t()
  }

  /// Ticks of the ``EpochClock`` that a guest may compute before it yields: a yield costs the guest a turn of its loop.
  private static let sliceTicks: UInt64 = 3

  /// More than any guest uses; Wasmtime counts downwards, with a sign.
  private static let fuel = UInt64(Int64.max)

  private let store: OpaquePointer
  private let context: OpaquePointer
  private let prepared: PreparedModule
  private let outputs: UnsafeMutablePointer<Outputs>
  private let countsFuel: Bool
  private var future: OpaquePointer?

  /// Makes the store. `data` comes back in host functions through the calling context's data.
  public init(_ prepared: PreparedModule, data: UnsafeMutableRawPointer, memoryLimit: Int) {
    self.prepared = prepared
    store = wasmtime_store_new(prepared.engine.pointer, data, nil)!
    context = wasmtime_store_context(store)!
    outputs = .allocate(capacity: 1)
    outputs.initialize(to: Outputs())
    let settings = prepared.engine.settings
    countsFuel = settings.countsFuel
    wasmtime_store_limiter(store, Int64(memoryLimit), Int64(settings.maximumTableElements), -1, -1, -1)
    if settings.countsFuel, let error = wasmtime_context_set_fuel(context, Fiber.fuel) { wasmtime_error_delete(error) }
    if settings.epochInterruption {
      wasmtime_context_set_epoch_deadline(context, Fiber.sliceTicks)
      wasmtime_context_epoch_deadline_async_yield_and_update(context, Fiber.sliceTicks)
    }
  }

  deinit {
    if let future { wasmtime_call_future_delete(future) }
    discardOutputs()
    outputs.deallocate()
    wasmtime_store_delete(store)
  }

  private func discardOutputs() {
    if let trap = outputs.pointee.trap { wasm_trap_delete(trap) }
    if let error = outputs.pointee.error { wasmtime_error_delete(error) }
    outputs.pointee.trap = nil
    outputs.pointee.error = nil
  }

  /// What the guest has executed so far, in units of fuel: about one for each instruction, and the same on every machine. Nil
  /// where it is not counted.
  public var usedFuel: Int64? {
    guard countsFuel else { return nil }
    var left: UInt64 = 0
    if let error = wasmtime_context_get_fuel(context, &left) {
      wasmtime_error_delete(error)
      return nil
    }
    return Int64(Fiber.fuel - min(left, Fiber.fuel))
  }

  /// Begins to make the instance; ``poll()`` goes on with it, a start section included.
  public func instantiate() {
    future = wasmtime_instance_pre_instantiate_async(
      prepared.pointer, context, &outputs.pointee.instance, &outputs.pointee.trap, &outputs.pointee.error)
  }

  /// The memory exported as `memory`; nil without one.
  public func memory() -> Memory? {
    var item = wasmtime_extern_t()
    let name: StaticString = "memory"
    guard export(name, &item), item.kind == WASMTIME_EXTERN_MEMORY else { return nil }
    return Memory(context: context, memory: item.of.memory)
  }

  /// Prepares a call of the exported function, which must take and return nothing; false without one.
  public func call(_ name: StaticString) -> Bool {
    var item = wasmtime_extern_t()
    guard export(name, &item), item.kind == WASMTIME_EXTERN_FUNC else { return false }
    outputs.pointee.function = item.of.func
    future = wasmtime_func_call_async(
      context, &outputs.pointee.function, nil, 0, nil, 0, &outputs.pointee.trap, &outputs.pointee.error)
    return true
  }

  private func export(_ name: StaticString, _ item: inout wasmtime_extern_t) -> Bool {
    name.withUTF8Buffer { text in
      text.withMemoryRebound(to: CChar.self) {
        wasmtime_instance_export_get(context, &outputs.pointee.instance, $0.baseAddress, $0.count, &item)
      }
    }
  }

  /// Runs the guest on.
  public func poll() -> Progress {
    guard let running = future else { return .done }
    guard wasmtime_call_future_poll(running) else { return .suspended }
    wasmtime_call_future_delete(running)
    future = nil
    defer {
      outputs.pointee.trap = nil
      outputs.pointee.error = nil
    }
    if let trap = outputs.pointee.trap { return .trapped(WasmTrap(consuming: trap)) }
    if let error = outputs.pointee.error { return .trapped(WasmTrap(consumingError: error)) }
    return .done
  }

  /// Gives the guest up where it stands and unwinds its stack. Nothing of it runs any more.
  public func cancel() {
    guard let running = future else { return }
    future = nil
    wasmtime_call_future_delete(running)
    discardOutputs()
  }
}
