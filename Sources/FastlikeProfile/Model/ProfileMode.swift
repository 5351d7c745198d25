/// How much is recorded of every request. Modes are additive: ``combined`` contains ``native``, which contains
/// ``trace``; ``deep`` contains ``combined``.
public enum ProfileMode: String, Sendable, CaseIterable, Codable {
  /// Nothing is recorded.
  case off
  /// Hostcall spans, backend calls, blocked intervals, outcome and notes.
  case trace
  /// ``trace``, and the engine tells external samplers where the guest's functions lie.
  case native
  /// ``native``, and stacks sampled in the process.
  case combined
  /// ``combined``, and the ``DeepMetrics``.
  case deep

  private var breadth: Int {
    switch self {
    case .off: 0
    case .trace: 1
    case .native: 2
    case .combined: 3
    case .deep: 4
    }
  }

  /// Whether this mode records all that `other` records.
  public func includes(_ other: ProfileMode) -> Bool { breadth >= other.breadth }

  /// Whether hostcalls are recorded.
  public var includesTrace: Bool { includes(.trace) }

  /// Whether ``DeepMetrics`` are recorded.
  public var includesDeep: Bool { includes(.deep) }

  /// Whether native sampling was asked for, whatever the platform supports. A host uses it to tell the user
  /// why a sampler will see no guest functions where ``NativeProfilerStrategy/strategy(for:on:)`` is `none`.
  public var requestsNativeSampling: Bool { includes(.native) }

  /// Reads a mode as written in a flag or file.
  /// - Throws: ``ProfileModeError`` that lists what is allowed.
  public init(parsing text: String) throws(ProfileModeError) {
    guard let mode = ProfileMode(rawValue: text.lowercased()) else { throw ProfileModeError(given: text) }
    self = mode
  }
}

/// A word that names no ``ProfileMode``.
public struct ProfileModeError: Error, Equatable, CustomStringConvertible {
  /// What was given.
  public let given: String

  public var description: String {
    "profile mode \"\(given)\" is unknown; allowed: \(ProfileMode.allCases.map(\.rawValue).joined(separator: ", "))"
  }
}

/// How the engine should publish the addresses of compiled guest functions to a sampler outside of it.
public enum NativeProfilerStrategy: String, Sendable, CaseIterable {
  /// Not at all.
  case none
  /// `jit-PID.dump`, for `perf record -k mono` with `perf inject --jit`, and for samply.
  case jitdump
  /// `/tmp/perf-PID.map`, for samply and `perf report` of a live process.
  case perfMap

  /// The operating systems that differ in what they can do.
  public enum Platform: Sendable, CaseIterable {
    case linux
    case macOS
    case other

    /// The one this was compiled for.
    public static var current: Platform {
      #if os(Linux)
        .linux
      #elseif os(macOS)
        .macOS
      #else
        .other
      #endif
    }
  }

  /// What to configure on the engine for `mode`; `none` unless the mode samples and the platform can.
  ///
  /// Source of the rule: Wasmtime writes jitdump on Linux only and perf maps on every Unix.
  public static func strategy(for mode: ProfileMode, on platform: Platform = .current) -> NativeProfilerStrategy {
    guard mode.requestsNativeSampling else { return .none }
    switch platform {
    case .linux: return .jitdump
    case .macOS: return .perfMap
    case .other: return .none
    }
  }
}

/// What compiling a module needs to know of profiling.
public struct ProfileCompileConfiguration: Sendable, Equatable {
  /// The mode that the host runs in.
  public var mode: ProfileMode

  public init(mode: ProfileMode) { self.mode = mode }

  /// What to configure on the engine of this machine.
  public var nativeStrategy: NativeProfilerStrategy { .strategy(for: mode) }
}
