import ArgumentParser
import FastlikeRuntime

/// The flags that say how guests are compiled, run and watched.
struct ExecutionArguments: ParsableArguments {
  @OptionGroup(title: "Profile") var tracing: TracingArguments

  @Flag(
    name: .customShort("v"),
    help: "Show more: requests, then hostcalls, then everything. May be repeated, or followed by a level.")
  var verbosity: Int

  @Flag(
    name: .customLong("log-stdout"), inversion: .prefixedNo,
    help: "Send the guest's standard output line by line through the log.")
  var logsStandardOutput: Bool?

  @Flag(name: .customLong("log-stderr"), inversion: .prefixedNo, help: "The same for its standard error.")
  var logsStandardError: Bool?

  @Option(
    name: .customLong("unknown-import-behavior"),
    help: ArgumentHelp(
      "What an import that does not exist does: link-error when loading, or trap when called (default: link-error).",
      valueName: "behavior"))
  var unknownImports: String?

  @Option(
    name: .customLong("max-wall"),
    help: ArgumentHelp("The longest time for one request, such as 30s (default: none).", valueName: "time"))
  var maximumWallTime: String?

  @Option(
    name: .customLong("max-vcpu"),
    help: ArgumentHelp("The most CPU time for one request, such as 50ms (default: none).", valueName: "time"))
  var maximumCPUTime: String?

  @Option(
    name: .customLong("cache-size"),
    help: ArgumentHelp(
      "Bytes that the cache may hold, such as 64MiB; what was not used for longest makes room (default: 256MiB).",
      valueName: "size"))
  var cacheSize: String?

  @Option(
    name: .customLong("readthrough"),
    help: ArgumentHelp(
      "Cache plain sends: explicit, whose responses say how long; platform, as Fastly does; off (default: explicit).",
      valueName: "mode"))
  var readThrough: String?

  @Flag(
    name: .customLong("epoch"), inversion: .prefixedNo,
    help: "Interrupt computing guests, so that they share the processor (default: on).")
  var usesEpochClock: Bool?

  @Flag(
    name: .customLong("fuel"), inversion: .prefixedNo,
    help: "Count the instructions that guests execute, for traces and budgets; guests are slower (default: off).")
  var countsFuel: Bool?

  @Option(
    name: .customLong("module-cache"),
    help: ArgumentHelp("Keep compiled programs in this folder instead of the user's cache.", valueName: "folder"))
  var moduleCache: String?

  @Flag(name: .customLong("no-module-cache"), help: "Compile the program on every start.")
  var disablesModuleCache = false

  func options(in environment: FlagEnvironment) throws -> ExecutionOptions {
    var options = ExecutionOptions()
    options.tracing = try tracing.options(in: environment)
    options.verbosity =
      verbosity > 0 ? verbosity : try environment.value(nil, "verbose", FlagValues.verbosity) ?? options.verbosity
    options.logsStandardOutput = try environment.boolean(logsStandardOutput, "log-stdout") ?? false
    options.logsStandardError = try environment.boolean(logsStandardError, "log-stderr") ?? false
    options.unknownImports =
      try environment.value(unknownImports, "unknown-import-behavior", FlagValues.unknownImports)
      ?? options.unknownImports
    options.maximumWallTime = try environment.value(maximumWallTime, "max-wall", FlagValues.limit) ?? nil
    options.maximumCPUTime = try environment.value(maximumCPUTime, "max-vcpu", FlagValues.limit) ?? nil
    options.cacheSize = try environment.value(cacheSize, "cache-size", FlagValues.size) ?? options.cacheSize
    options.readThrough =
      try environment.value(readThrough, "readthrough", FlagValues.readThrough) ?? options.readThrough
    options.usesEpochClock = try environment.boolean(usesEpochClock, "epoch") ?? true
    options.countsFuel = try environment.boolean(countsFuel, "fuel") ?? false
    options.moduleCache = try moduleCacheOption(in: environment)
    guard options.usesEpochClock || options.maximumCPUTime == nil else {
      throw ConfigurationError(place: "--max-vcpu", problem: "needs the epoch clock; leave --no-epoch away")
    }
    return options
  }

  private func moduleCacheOption(in environment: FlagEnvironment) throws -> ModuleCacheOption {
    if moduleCache != nil, disablesModuleCache {
      throw ConfigurationError(place: "--module-cache", problem: "contradicts --no-module-cache; give one of them")
    }
    if disablesModuleCache { return .disabled }
    if moduleCache == nil, try environment.value(nil, "no-module-cache", FlagValues.boolean) == true {
      return .disabled
    }
    return try environment.value(moduleCache, "module-cache", FlagValues.path).map(ModuleCacheOption.directory)
      ?? .standard
  }
}
