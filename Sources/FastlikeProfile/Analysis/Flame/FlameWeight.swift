/// What the widths of a flame graph stand for.
public enum FlameWeight: String, Sendable, CaseIterable {
  /// CPU of the guest by its sampled stacks; of an external profiler's where a trace has no others.
  case cpu
  /// Time in hostcalls, waiting included: route, hostcall, what it touched.
  case hostcall
  /// Time for which guests were suspended: cause, hostcall, backend or store.
  case blocked

  /// What is measured, for a heading.
  public var title: String {
    switch self {
    case .cpu: "Guest CPU"
    case .hostcall: "Time in hostcalls"
    case .blocked: "Time blocked"
    }
  }

  /// The same within a sentence.
  package var phrase: String { self == .cpu ? "guest CPU" : title.lowercased() }

  /// What to do when there is nothing of it.
  package var hint: String {
    switch self {
    case .cpu: "no stacks were sampled; record with --profile-cpu, or join an external profile"
    case .hostcall: "no hostcall was recorded"
    case .blocked: "no guest was suspended"
    }
  }
}

/// One box of a flame graph: a function, a hostcall, a cause.
public struct FlameFrame: Sendable, Hashable {
  /// What the box is, which gives it its colour.
  public enum Kind: String, Sendable, CaseIterable {
    /// Everything.
    case root
    /// A function of the guest.
    case guest
    /// The host's machine code.
    case host
    /// The operating system.
    case kernel
    /// Not known.
    case unknown
    case route
    case hostcall
    /// What a hostcall touched: a backend, a store.
    case label
    /// Why a guest was suspended.
    case cause
  }

  /// The text in the box.
  public var name: String
  /// Where it belongs, such as the module of a function; may be empty.
  public var detail: String
  public var kind: Kind

  public init(_ kind: Kind, name: String, detail: String = "") {
    self.kind = kind
    self.name = name.isEmpty ? "unknown" : name
    self.detail = detail
  }

  init(_ frame: StackFrame) {
    let kind: Kind =
      switch frame.kind {
      case .guest: .guest
      case .host: .host
      case .kernel: .kernel
      case .unknown: .unknown
      }
    let module = frame.module.split(separator: "/").last.map(String.init) ?? ""
    self.init(kind, name: frame.name, detail: frame.isInlined ? module + " (inlined)" : module)
  }
}
