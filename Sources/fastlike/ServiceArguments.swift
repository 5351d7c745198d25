import ArgumentParser
import FastlikeRuntime

/// The flags that describe the service: its manifest, backends and stores.
struct ServiceArguments: ParsableArguments {
  @Option(
    name: [.customShort("C"), .customLong("config")],
    help: ArgumentHelp("The service's fastly.toml; its [local_server] tables are read.", valueName: "file"))
  var config: String?

  @Option(
    name: [.customShort("b"), .customLong("backend")],
    help: ArgumentHelp(
      "A backend: HOST:PORT or a URL. Without a name it takes the requests to all unknown backends. @N makes N of 100 "
        + "sends succeed. May be repeated.", valueName: "name=addr[@N]"))
  var backends: [String] = []

  @Option(
    name: .customLong("override-host"),
    help: ArgumentHelp("The Host header for a backend. May be repeated.", valueName: "[name=]host"))
  var overrideHosts: [String] = []

  @Option(
    name: [.customShort("d"), .customLong("dictionary")],
    help: ArgumentHelp("A dictionary: a JSON object of strings. May be repeated.", valueName: "name=file.json"))
  var dictionaries: [String] = []

  @Option(
    name: .customLong("config-store"),
    help: ArgumentHelp("A config store: a JSON object of strings. May be repeated.", valueName: "name=file.json"))
  var configStores: [String] = []

  @Option(
    name: .customLong("kv"),
    help: ArgumentHelp(
      "A KV store, empty or filled from a JSON object of strings, or of objects with data or file, and metadata. May be "
        + "repeated.", valueName: "name[=file.json]"))
  var kvStores: [String] = []

  @Option(
    name: .customLong("secret-store"),
    help: ArgumentHelp("A secret store: a JSON object of strings. May be repeated.", valueName: "name=file.json"))
  var secretStores: [String] = []

  @Option(
    name: .customLong("acl"),
    help: ArgumentHelp(
      "An access control list: a JSON object with entries of prefix and action. May be repeated.",
      valueName: "name=file.json"))
  var accessControlLists: [String] = []

  @Option(
    name: .customLong("kv-dir"),
    help: ArgumentHelp(
      "Keep KV stores in this folder, across restarts; without it they are in memory.", valueName: "folder"))
  var kvDirectory: String?

  @Flag(
    name: .customLong("kv-reseed"), inversion: .prefixedNo,
    help: "Let seeds of KV stores write over what requests have written (default: off).")
  var reseedsKVStores: Bool?

  @Option(
    name: .customLong("logger"),
    help: ArgumentHelp(
      "A log endpoint that writes to a file; others write to the standard output. May be repeated.",
      valueName: "name[=file]"))
  var loggers: [String] = []

  @Option(
    name: .customLong("geo"),
    help: ArgumentHelp("Geolocation: a JSON object of address to record.", valueName: "file.json"))
  var geo: String?

  @Option(
    name: .customLong("compliance-region"),
    help: ArgumentHelp("The compliance region that guests see (default: none).", valueName: "region"))
  var complianceRegion: String?

  @Option(
    name: .customLong("fake-fastly-key"),
    help: ArgumentHelp("A value of Fastly-Key that counts as valid. May be repeated.", valueName: "key"))
  var fastlyKeys: [String] = []

  @Option(
    name: .customLong("local-pushpin-proxy-port"),
    help: ArgumentHelp("The port of a local Pushpin, for redirect_to_grip_proxy.", valueName: "port"))
  var pushpinPort: String?

  func options(in environment: FlagEnvironment) throws -> ServiceOptions {
    var options = ServiceOptions()
    options.manifest = try environment.value(config, "config", FlagValues.path)
    options.backends = try environment.values(backends, "backend", FlagValues.backend)
    options.overrideHosts = try environment.values(overrideHosts, "override-host", FlagValues.overrideHost)
    options.configStores =
      try environment.values(dictionaries, "dictionary", FlagValues.namedFile)
      + environment.values(configStores, "config-store", FlagValues.namedFile)
    options.kvStores = try environment.values(kvStores, "kv", FlagValues.kvStore)
    options.secretStores = try environment.values(secretStores, "secret-store", FlagValues.secretStore)
    options.accessControlLists = try environment.values(accessControlLists, "acl", FlagValues.namedFile)
    options.kvDirectory = try environment.value(kvDirectory, "kv-dir", FlagValues.path)
    options.reseedsKVStores = try environment.boolean(reseedsKVStores, "kv-reseed") ?? false
    options.loggers = try environment.values(loggers, "logger", FlagValues.logger)
    options.geoFile = try environment.value(geo, "geo", FlagValues.path)
    options.complianceRegion = try environment.value(
      complianceRegion, "compliance-region", FlagValues.complianceRegion)
    options.pushpinPort = try environment.value(pushpinPort, "local-pushpin-proxy-port", FlagValues.port)
    options.fastlyKeys = try environment.values(fastlyKeys, "fake-fastly-key", FlagValues.fastlyKey)
    try Self.refuseDuplicates(options.backends.map(\.name), "--backend")
    try Self.refuseDuplicates(options.overrideHosts.map(\.backend), "--override-host")
    try Self.refuseDuplicates(options.configStores.map(\.name), "--config-store and --dictionary")
    try Self.refuseDuplicates(options.kvStores.map(\.name), "--kv")
    try Self.refuseDuplicates(options.secretStores.map(\.name), "--secret-store")
    try Self.refuseDuplicates(options.accessControlLists.map(\.name), "--acl")
    try Self.refuseDuplicates(options.loggers.map(\.name), "--logger")
    return options
  }

  private static func refuseDuplicates(_ names: [String], _ place: String) throws {
    var seen: Set<String> = []
    for name in names where !seen.insert(name).inserted {
      let subject = name.isEmpty ? "the catch-all backend" : "the name \"\(name)\""
      throw ConfigurationError(place: place, problem: "\(subject) is given twice; give each name once")
    }
  }
}
