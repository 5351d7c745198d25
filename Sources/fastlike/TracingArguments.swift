import ArgumentParser
import FastlikeProfile
import FastlikeRuntime

/// The flags that say what is recorded of requests, and where it is shown.
struct TracingArguments: ParsableArguments {
  @Option(
    name: .customLong("profile"),
    help: ArgumentHelp(
      "What is recorded of each request: off, trace, native, combined or deep (default: trace).", valueName: "mode"))
  var mode: String?

  @Option(
    name: .customLong("profile-ui"),
    help: ArgumentHelp("Serve the profile page there, such as 127.0.0.1:6060.", valueName: "address"))
  var page: String?

  @Option(
    name: .customLong("profile-auth"),
    help: ArgumentHelp("Ask the page's readers for this bearer token.", valueName: "token"))
  var token: String?

  @Flag(
    name: .customLong("profile-insecure-ui"), inversion: .prefixedNo,
    help: "Let the page listen beyond this machine without a token.")
  var allowsInsecurePage: Bool?

  @Flag(
    name: .customLong("profile-show-values"), inversion: .prefixedNo,
    help: "Let the page show values of stores, and delete and purge; only on a loopback address (default: off).")
  var showsValues: Bool?

  @Option(
    name: .customLong("profile-retain"),
    help: ArgumentHelp("Finished traces kept in memory (default: 256).", valueName: "count"))
  var retain: String?

  @Option(
    name: .customLong("profile-backend-cap"),
    help: ArgumentHelp("Backend calls kept of one trace (default: 512).", valueName: "count"))
  var backendCap: String?

  @Option(
    name: .customLong("profile-spans"),
    help: ArgumentHelp("Hostcalls kept of one trace (default: 8000).", valueName: "count"))
  var spanCap: String?

  @Option(
    name: .customLong("profile-async-grace"),
    help: ArgumentHelp(
      "How long a trace waits for unfinished backend calls; the client never does. 0 is not at all (default: 100ms).",
      valueName: "time"))
  var asyncGrace: String?

  @Option(
    name: .customLong("profile-dir"),
    help: ArgumentHelp("Keep finished traces in this folder, across restarts.", valueName: "folder"))
  var directory: String?

  @Option(
    name: .customLong("profile-sample"),
    help: ArgumentHelp("Keep one trace in so many, errors and the slowest always (default: 1).", valueName: "count"))
  var sampleOneIn: String?

  @Option(
    name: .customLong("profile-cpu"),
    help: ArgumentHelp(
      "Sample the stacks of running guests so many times a second (1000 without a number; default: not at all).",
      valueName: "hz"))
  var samplingRate: String?

  @Option(
    name: .customLong("symbols"),
    help: ArgumentHelp(
      "Take the names of functions from this file, the program before it was stripped.", valueName: "file"))
  var symbolFile: String?

  @Option(
    name: .customLong("otlp"),
    help: ArgumentHelp(
      "Push traces to a receiver of the OpenTelemetry protocol, such as http://127.0.0.1:4318; OTEL_* variables apply.",
      valueName: "url"))
  var push: String?

  @Option(
    name: .customLong("otlp-hostcalls"),
    help: ArgumentHelp(
      "Push so many hostcalls of each request as spans, the longest ones (default: 0).", valueName: "count"))
  var pushedHostcalls: String?

  func options(in environment: FlagEnvironment) throws -> TracingOptions {
    var options = TracingOptions()
    options.mode = try environment.value(mode, "profile", FlagValues.profile) ?? options.mode
    options.page = try environment.value(page, "profile-ui", FlagValues.pageAddress)
    options.pageToken = try environment.value(token, "profile-auth", FlagValues.token) ?? ""
    options.allowsInsecurePage = try environment.boolean(allowsInsecurePage, "profile-insecure-ui") ?? false
    options.showsValues = try environment.boolean(showsValues, "profile-show-values") ?? false
    if options.showsValues {
      guard let page = options.page, ProfilePageAuthorization.isLoopback(page.description) else {
        throw ConfigurationError(
          place: "--profile-show-values",
          problem: "needs a page on a loopback address; add --profile-ui 127.0.0.1:6060 or another such address")
      }
    }
    options.retain = try environment.value(retain, "profile-retain", FlagValues.count)
    options.backendCap = try environment.value(backendCap, "profile-backend-cap", FlagValues.count)
    options.spanCap = try environment.value(spanCap, "profile-spans", FlagValues.count)
    options.asyncGrace = try environment.value(asyncGrace, "profile-async-grace", FlagValues.duration)
    options.directory = try environment.value(directory, "profile-dir", FlagValues.path)
    options.sampleOneIn = try environment.value(sampleOneIn, "profile-sample", FlagValues.count) ?? 1
    options.samplesPerSecond = try environment.value(samplingRate, "profile-cpu", FlagValues.samplingRate)
    options.symbolFile = try environment.value(symbolFile, "symbols", FlagValues.path)
    if options.samplesPerSecond != nil, options.mode == .off {
      throw ConfigurationError(
        place: "--profile-cpu", problem: "has no trace to put samples into with --profile off; leave one of them away")
    }
    if let page = options.page { try check(page, options) }
    options.push = try pushOptions(in: environment, mode: options.mode)
    return options
  }

  private func pushOptions(in environment: FlagEnvironment, mode: ProfileMode) throws -> TracePushOptions? {
    let flag = try environment.value(push, "otlp") { value, place in (value: value, place: place) }
    guard mode != .off else {
      guard let flag else { return nil }
      throw ConfigurationError(
        place: flag.place, problem: "pushes nothing with --profile off; leave one of them away")
    }
    var options = try TracePushOptions.read(flag: flag, variables: environment.openTelemetry)
    let hostcalls = try environment.value(pushedHostcalls, "otlp-hostcalls", FlagValues.pushedHostcalls)
    if let hostcalls { options?.hostcalls = hostcalls }
    return options
  }

  /// A page that stands open to other machines is refused before anything is started.
  private func check(_ page: BindAddress, _ options: TracingOptions) throws {
    guard options.mode != .off else {
      throw ConfigurationError(
        place: "--profile-ui", problem: "shows nothing with --profile off; leave one of them away")
    }
    do throws(ProfilePageAuthorizationError) {
      try ProfilePageAuthorization.validate(
        address: page.description, token: options.pageToken, insecure: options.allowsInsecurePage)
    } catch {
      throw ConfigurationError(place: "--profile-ui", problem: error.description)
    }
  }
}
