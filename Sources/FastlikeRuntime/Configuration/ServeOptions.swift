public import FastlikeProfile

/// Where to listen.
public enum BindAddress: Sendable, Hashable, CustomStringConvertible {
  /// A host name or IP literal without brackets, "" being every interface; port 0 is a free one.
  case tcp(host: String, port: UInt16)
  /// The same, with TLS.
  case tls(host: String, port: UInt16)
  /// The path of a Unix domain socket.
  case unix(path: String)

  /// Where the command listens unless told otherwise.
  public static let standard = BindAddress.tcp(host: "127.0.0.1", port: 7676)

  /// `127.0.0.1:7676`, `[::1]:7676`, `:7676`, `https://127.0.0.1:7676` or `unix:/run/edge.sock`.
  public var description: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .tls(let host, let port): "https://\(BindAddress.tcp(host: host, port: port))"
    case .unix(let path): "unix:\(path)"
    }
  }
}

/// Where compiled modules are kept between starts.
public enum ModuleCacheOption: Sendable, Equatable {
  /// The user's cache folder.
  case standard
  /// This folder.
  case directory(String)
  case disabled
}

/// What an import that no host function answers to does.
public enum UnknownImportBehavior: String, Sendable, CaseIterable {
  /// Loading fails and names every such import.
  case linkError = "link-error"
  /// Loading succeeds; the guest traps when it calls one.
  case trap
}

/// What is kept of traces, and where they are shown. The defaults are the profile package's.
public struct TracingOptions: Sendable, Equatable {
  public var mode = ProfileMode.trace
  /// Where the page listens; nil is no page.
  public var page: BindAddress?
  /// The bearer token that the page asks for; empty asks for none.
  public var pageToken = ""
  /// Whether the page may listen beyond this machine without a token.
  public var allowsInsecurePage = false
  /// Whether the page shows values of stores, and lets them be deleted. Only on a loopback address.
  public var showsValues = false
  /// Finished traces kept in memory; nil is the default.
  public var retain: Int?
  /// Backend calls kept of one trace; nil is the default.
  public var backendCap: Int?
  /// Hostcall spans kept of one trace; nil is the default.
  public var spanCap: Int?
  /// How long unfinished backend calls are waited for after the request; nil is the default, zero does not wait.
  public var asyncGrace: Duration?
  /// The folder of the archive and of the symbol file; nil keeps nothing on disk.
  public var directory: String?
  /// One trace in so many is kept, errors and the slowest always.
  public var sampleOneIn = 1
  /// Where traces are pushed to; nil pushes none.
  public var push: TracePushOptions?
  /// How many times a second the stacks of running guests are sampled; nil samples only what a mode or a client asks for.
  public var samplesPerSecond: Int?
  /// A file with the program and its symbols, where the program itself has none.
  public var symbolFile: String?

  /// Whose stacks are sampled.
  public var cpuSampling: CPUSampling {
    var sampling = CPUSampling()
    sampling.isAlways = samplesPerSecond != nil || mode.includes(.combined)
    if let samplesPerSecond {
      sampling.samplesPerSecond = samplesPerSecond
      sampling.sparesBusyLoops = false
    }
    return sampling
  }

  public init() {}
}

/// How guests are compiled, run and watched.
public struct ExecutionOptions: Sendable, Equatable {
  public var moduleCache = ModuleCacheOption.standard
  public var unknownImports = UnknownImportBehavior.linkError
  public var tracing = TracingOptions()
  /// Whether the guest's standard output goes line by line through the log, as endpoint `stdout`.
  public var logsStandardOutput = false
  /// The same for the standard error, as endpoint `stderr`.
  public var logsStandardError = false
  /// 0 shows errors, 1 requests, 2 hostcalls, 3 and more everything.
  public var verbosity = 0
  /// The longest that one request may take; nil is no limit.
  public var maximumWallTime: Duration?
  /// The most CPU time that one request may use; nil is no limit.
  public var maximumCPUTime: Duration?
  /// Bytes that the cache may hold.
  public var cacheSize = CacheStore.defaultCapacity
  /// Which plain sends read through the cache.
  public var readThrough = ReadThroughMode.explicit
  /// Whether computing guests are interrupted by the epoch clock, which costs their loops some speed.
  public var usesEpochClock = true
  /// Whether the instructions that guests execute are counted.
  public var countsFuel = false

  public init() {}
}

/// `fastlike serve`.
public struct ServeOptions: Sendable, Equatable {
  /// The path of the compiled program.
  public var module: String
  /// Never empty.
  public var addresses: [BindAddress] = [.standard]
  /// For the addresses with TLS.
  public var tls = EdgeTLSOptions()
  public var service = ServiceOptions()
  public var execution = ExecutionOptions()
  /// Whether SIGHUP loads the module and the configuration again.
  public var reloadsOnSignal = false
  /// Whether a change of the module or of a configuration file does.
  public var reloadsOnChange = false

  public init(module: String) { self.module = module }
}

/// `fastlike run`: the program runs once, with a synthetic request, as a test runner wants it.
public struct RunOptions: Sendable, Equatable {
  /// The path of the compiled program.
  public var module: String
  /// The guest's arguments behind its name.
  public var arguments: [String] = []
  public var service = ServiceOptions()
  public var execution = ExecutionOptions()

  public init(module: String) { self.module = module }
}

/// `fastlike demo`.
public struct DemoOptions: Sendable, Equatable {
  /// Never empty.
  public var addresses: [BindAddress] = [.standard]
  /// For the addresses with TLS.
  public var tls = EdgeTLSOptions()
  public var execution = ExecutionOptions()

  public init() {}
}
