internal import CWasmtime

/// How an ``Engine`` compiles and where its instances live.
public struct EngineSettings: Sendable, Hashable {
  /// Native profilers that Wasmtime can write code maps for.
  public enum Profiling: UInt8, Sendable, Hashable {
    case none = 0
    case jitdump = 1
    case vtune = 2
    case perfmap = 3
  }

  /// Whether guests yield at the ticks of an ``EpochClock``. Without it an endless loop keeps its event loop.
  public var epochInterruption = true
  /// Whether the instructions that guests execute are counted, which makes them slower.
  public var countsFuel = false
  /// Instances that can exist at once; their memories are reserved (not committed) when the engine is made.
  public var maximumInstances: UInt32 = 12_000
  /// Bytes of linear memory that one instance may have.
  public var maximumMemory = 128 * 1024 * 1024
  /// Elements of one table.
  public var maximumTableElements = 98_765
  /// Bytes of stack for a guest's own frames.
  public var wasmStack = 1024 * 1024
  /// Bytes at the start of a freed memory that are cleared by hand and stay resident for the next instance.
  public var keepResident = 0
  public var profiling = Profiling.none
  public var exceptions = false
  public var garbageCollection = false

  public init() {}

  /// A text that differs whenever code compiled with the one settings must not be run with the other.
  public var compilationFingerprint: String {
    (countsFuel ? "fuel " : "")
      + "epoch=\(epochInterruption) profiling=\(profiling.rawValue) exceptions=\(exceptions) gc=\(garbageCollection)"
  }
}

/// A compiler and the pool that its instances live in. One serves a whole process.
///
/// Wasmtime's engine is internally synchronised, hence `@unchecked Sendable`.
public final class Engine: @unchecked Sendable {
  /// The version of the library that the declarations in `CWasmtime` describe.
  public static let wasmtimeVersion = "48.0.0"

  public let settings: EngineSettings
  let pointer: OpaquePointer

  public init(_ settings: EngineSettings = EngineSettings()) {
    self.settings = settings
    let config = wasm_config_new()!
    wasmtime_config_epoch_interruption_set(config, settings.epochInterruption)
    wasmtime_config_consume_fuel_set(config, settings.countsFuel)
    wasmtime_config_cranelift_opt_level_set(config, UInt8(WASMTIME_OPT_LEVEL_SPEED))
    wasmtime_config_profiler_set(config, settings.profiling.rawValue)
    wasmtime_config_memory_init_cow_set(config, true)
    // Memory bases never move: `GuestMemory` keeps them for a guest's whole life.
    wasmtime_config_memory_may_move_set(config, false)
    wasmtime_config_memory_reservation_set(config, 4 << 30)
    wasmtime_config_parallel_compilation_set(config, true)
    wasmtime_config_wasm_relaxed_simd_deterministic_set(config, true)
    wasmtime_config_wasm_exceptions_set(config, settings.exceptions)
    wasmtime_config_wasm_gc_set(config, settings.garbageCollection)
    wasmtime_config_max_wasm_stack_set(config, settings.wasmStack)
    // Host functions run on the guest's stack and need their share.
    wasmtime_config_async_stack_size_set(config, settings.wasmStack + 512 * 1024)
    Engine.setPooling(config, settings)
    pointer = wasm_engine_new_with_config(config)!
  }

  private static func setPooling(_ config: OpaquePointer, _ settings: EngineSettings) {
    let pooling = wasmtime_pooling_allocation_config_new()!
    wasmtime_pooling_allocation_config_total_core_instances_set(pooling, settings.maximumInstances)
    wasmtime_pooling_allocation_config_total_memories_set(pooling, settings.maximumInstances)
    wasmtime_pooling_allocation_config_total_tables_set(pooling, settings.maximumInstances)
    wasmtime_pooling_allocation_config_total_stacks_set(pooling, settings.maximumInstances)
    wasmtime_pooling_allocation_config_max_core_instance_size_set(pooling, 64 * 1024 * 1024)
    wasmtime_pooling_allocation_config_max_memory_size_set(pooling, settings.maximumMemory)
    wasmtime_pooling_allocation_config_table_elements_set(pooling, settings.maximumTableElements)
    wasmtime_pooling_allocation_config_max_tables_per_module_set(pooling, 4)
    wasmtime_pooling_allocation_config_max_unused_warm_slots_set(pooling, 64)
    wasmtime_pooling_allocation_config_linear_memory_keep_resident_set(pooling, settings.keepResident)
    wasmtime_pooling_allocation_config_table_keep_resident_set(pooling, 64 * 1024)
    wasmtime_pooling_allocation_config_async_stack_keep_resident_set(pooling, 8 * 1024)
    // Memories and tables of 16 guests at once: giving pages back interrupts the other processors, once for each batch.
    wasmtime_pooling_allocation_config_decommit_batch_size_set(pooling, 32)
    wasmtime_pooling_allocation_strategy_set(config, pooling)
    wasmtime_pooling_allocation_config_delete(pooling)
  }

  deinit { wasm_engine_delete(pointer) }

  /// Moves the epoch on, at which running guests yield. Callable from any thread.
  public func incrementEpoch() { wasmtime_engine_increment_epoch(pointer) }
}
