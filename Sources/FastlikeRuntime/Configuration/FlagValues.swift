import ComputeABI
public import FastlikeProfile
import Wasmtime

/// Reads the values of flags and of the variables that stand for them.
///
/// Every function throws a ``ConfigurationError`` that names `flag`, shows the value where it cannot hold a secret, and
/// says what is allowed.
public enum FlagValues {
  private static func error(_ flag: String, _ problem: String) -> ConfigurationError {
    ConfigurationError(place: flag, problem: problem)
  }

  private static func error(_ flag: String, _ value: String, _ allowed: String) -> ConfigurationError {
    error(flag, "\(quoted(value)) is not allowed; write \(allowed)")
  }

  // MARK: Backends

  /// `NAME=ADDRESS[@N]`, or `ADDRESS[@N]` for the catch-all backend, whose name is "". The address is `host:port`, `host`
  /// or an http(s) URL with or without a path; of 100 sends N succeed.
  public static func backend(_ value: String, flag: String) throws -> BackendDefinition {
    var (name, address) = nameAndRest(value)
    let place = name.isEmpty ? flag : "\(flag) \(name)"
    var reliability: UInt8?
    if let at = address.lastIndex(of: "@") {
      let suffix = address[address.index(after: at)...]
      if !suffix.isEmpty, suffix.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) {
        guard let percent = UInt8(suffix), percent <= 100 else {
          throw error(place, "@\(suffix.prefix(20)) is not allowed; the share of sends that succeed is @0 to @100")
        }
        reliability = percent
        address = String(address[..<at])
      }
    }
    do {
      let url = try BackendURL(address, requiresScheme: false)
      var backend = BackendDefinition(
        name: name, host: url.host, port: url.port, usesTLS: url.usesTLS, pathPrefix: url.pathPrefix)
      backend.reliabilityPercent = reliability
      if let reliability { backend.health = reliability == 0 ? .unhealthy : .healthy }
      return backend
    } catch let malformed as BackendURL.Malformed {
      let mayHoldSecret = address.contains { "@?#".contains($0) }
      throw error(
        place,
        (mayHoldSecret ? "the address " : "the address \(quoted(address)) ") + malformed.problem
          + "; write NAME=HOST:PORT or NAME=https://HOST/PATH, with @N behind it for N percent reliability")
    }
  }

  /// Splits at the first `=`, unless what is before it cannot be a name because it is already part of an address.
  private static func nameAndRest(_ value: String) -> (name: String, rest: String) {
    guard let equals = value.firstIndex(of: "="), !value[..<equals].contains(where: { "/:@".contains($0) }) else {
      return ("", value)
    }
    return (String(value[..<equals]), String(value[value.index(after: equals)...]))
  }

  /// `NAME=HOST`, or `HOST` for the catch-all backend.
  public static func overrideHost(_ value: String, flag: String) throws -> HostOverride {
    let (name, host) = nameAndRest(value)
    guard isHeaderValue(host) else { throw error(flag, value, "NAME=HOST, or HOST for the catch-all backend") }
    return HostOverride(backend: name, host: host)
  }

  // MARK: Stores and files

  /// `NAME=FILE`.
  public static func namedFile(_ value: String, flag: String) throws -> NamedFile {
    let parts = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
      throw error(flag, value, "NAME=FILE.json")
    }
    return NamedFile(name: String(parts[0]), path: String(parts[1]))
  }

  /// `NAME=FILE` with the name of a secret store.
  public static func secretStore(_ value: String, flag: String) throws -> NamedFile {
    let store = try namedFile(value, flag: flag)
    guard SecretStoreSeed.isValid(name: store.name) else { throw error(flag, SecretStoreSeed.nameRule) }
    return store
  }

  /// `NAME` for an empty store, or `NAME=FILE`.
  public static func kvStore(_ value: String, flag: String) throws -> KVStoreOption {
    let parts = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let name = parts.first, !name.isEmpty, parts.count == 1 || !parts[1].isEmpty else {
      throw error(flag, value, "NAME, or NAME=FILE.json to fill the store")
    }
    return KVStoreOption(name: name, path: parts.count == 2 ? parts[1] : nil)
  }

  /// `NAME` or `NAME=FILE`. `stdout`, `stderr` and names that start with `fst_managed_` are the platform's.
  public static func logger(_ value: String, flag: String) throws -> LoggerOption {
    let parts = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let name = parts.first, !name.isEmpty, parts.count == 1 || !parts[1].isEmpty else {
      throw error(flag, value, "NAME, or NAME=FILE to log to a file")
    }
    let lowercased = name.lowercased()
    guard lowercased != "stdout", lowercased != "stderr", !lowercased.hasPrefix("fst_managed_") else {
      throw error(flag, value, "another name: stdout, stderr and fst_managed_… are reserved")
    }
    return LoggerOption(name: name, path: parts.count == 2 ? parts[1] : nil)
  }

  /// The path of a file or folder.
  public static func path(_ value: String, flag: String) throws -> String {
    guard !value.isEmpty else { throw error(flag, value, "a path") }
    return value
  }

  /// A compliance region: visible ASCII.
  public static func complianceRegion(_ value: String, flag: String) throws -> String {
    guard isComplianceRegion(value) else { throw error(flag, value, "a region such as none, us or us-eu") }
    return value
  }

  static func isComplianceRegion(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
  }

  /// A value of `Fastly-Key`; never shown in errors.
  public static func fastlyKey(_ value: String, flag: String) throws -> String {
    guard isHeaderValue(value) else { throw error(flag, "the key must be a header value that is not blank") }
    return value
  }

  /// A port of this machine.
  public static func port(_ value: String, flag: String) throws -> UInt16 {
    guard let port = UInt16(value), port > 0 else { throw error(flag, value, "a port from 1 to 65535") }
    return port
  }

  // MARK: Listening and limits

  /// `HOST:PORT`, `:PORT` for every interface, `[IPv6]:PORT`, or `unix:PATH`; with `https://` before it for TLS, or
  /// `http://` for none.
  ///
  /// - Parameter isSecure: Whether a TCP address that does not say so is one with TLS.
  public static func bindAddress(_ value: String, flag: String, isSecure: Bool = false) throws -> BindAddress {
    for (scheme, isSecure) in [("https://", true), ("http://", false)] where value.hasPrefix(scheme) {
      let (host, port) = try hostAndPort(value.dropFirst(scheme.count), in: value, flag: flag)
      return isSecure ? .tls(host: host, port: port) : .tcp(host: host, port: port)
    }
    if value.hasPrefix("unix:") {
      let path = value.dropFirst("unix:".count)
      guard !path.isEmpty else { throw error(flag, value, allowedAddresses) }
      // The path of a socket address, with its NUL, has this much room on Darwin and four bytes more on Linux.
      guard path.utf8.count < 104 else { throw error(flag, value, "a shorter path: a socket's has at most 103 bytes") }
      return .unix(path: String(path))
    }
    let (host, port) = try hostAndPort(value[...], in: value, flag: flag)
    return isSecure ? .tls(host: host, port: port) : .tcp(host: host, port: port)
  }

  private static let allowedAddresses =
    "HOST:PORT, :PORT, [IPv6]:PORT or unix:PATH, with a port from 0 (any free one) to 65535"

  private static func hostAndPort(
    _ text: Substring, in value: String, flag: String
  ) throws -> (host: String, port: UInt16) {
    guard let colon = text.lastIndex(of: ":") else { throw error(flag, value, allowedAddresses) }
    var host = text[..<colon]
    let digits = text[text.index(after: colon)...]
    guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let port = UInt16(digits) else {
      throw error(flag, value, allowedAddresses)
    }
    if host.first == "[", host.last == "]" {
      host = host.dropFirst().dropLast()
      guard IPAddress(String(host))?.octets.count == 16 else { throw error(flag, value, allowedAddresses) }
    } else if !host.utf8.allSatisfy(isNameByte) {
      throw error(flag, value, allowedAddresses)
    }
    return (String(host), port)
  }

  /// A name or IP address for the certificate of the development authority: a DNS name, perhaps with `*.` before it.
  public static func certificateName(_ value: String, flag: String) throws -> String {
    if let address = IPAddress(value) { return address.description }
    let labels = (value.hasPrefix("*.") ? value.dropFirst(2) : value[...])
      .split(separator: ".", omittingEmptySubsequences: false)
    let isName = labels.allSatisfy { label in
      (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
        && label.utf8.allSatisfy(isLabelByte)
    }
    guard isName, value.utf8.count <= 253 else {
      throw error(flag, value, "a DNS name such as app.test or *.app.test, or an IP address")
    }
    return value.lowercased()
  }

  private static func isLabelByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"): true
    default: false
    }
  }

  /// `optional` or `required`.
  public static func clientAuthentication(
    _ value: String, flag: String
  ) throws -> EdgeTLSOptions.ClientAuthentication {
    guard let authentication = EdgeTLSOptions.ClientAuthentication(rawValue: value) else {
      throw error(flag, value, "optional or required")
    }
    return authentication
  }

  /// A time such as `100ms`, `2s`, `1.5s`, `50us`, `200ns` or `2m`; a bare number is in seconds. At most about 31 years.
  public static func duration(_ value: String, flag: String) throws -> Duration {
    let allowed = "a time such as 100ms, 2s or 1.5m; units are ns, us, ms, s and m, and a bare number is in seconds"
    let number = value.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let nanoseconds: Double
    switch value[number.endIndex...] {
    case "ns": nanoseconds = 1
    case "us", "µs", "μs": nanoseconds = 1e3
    case "ms": nanoseconds = 1e6
    case "s", "": nanoseconds = 1e9
    case "m": nanoseconds = 60e9
    default: throw error(flag, value, allowed)
    }
    guard number.first != ".", let count = Double(number), count * nanoseconds <= 1e18 else {
      throw error(flag, value, allowed)
    }
    return .nanoseconds(Int64((count * nanoseconds).rounded()))
  }

  /// A time limit: as ``duration(_:flag:)``, with 0 and `none` for no limit.
  public static func limit(_ value: String, flag: String) throws -> Duration? {
    if value == "none" { return nil }
    let limit = try duration(value, flag: flag)
    return limit == .zero ? nil : limit
  }

  /// How many times a second guests are sampled.
  public static func samplingRate(_ value: String, flag: String) throws -> Int {
    guard let rate = Int(value), GuestSampler.rates.contains(rate) else {
      throw error(
        flag, value,
        "samples a second, from \(GuestSampler.rates.lowerBound) to \(GuestSampler.rates.upperBound)")
    }
    return rate
  }

  /// A number of bytes from 64 KiB to 1 TiB: `67108864`, `65536KiB`, `64MiB`, `1GiB`.
  public static func size(_ value: String, flag: String) throws -> Int {
    let digits = value.prefix { ("0"..."9").contains($0) }
    let shifts = ["": 0, "B": 0, "KiB": 10, "MiB": 20, "GiB": 30]
    let largest = 1 << 40
    guard let shift = shifts[String(value.dropFirst(digits.count))], let count = Int(digits),
      count <= largest >> shift, count << shift >= 64 << 10
    else { throw error(flag, value, "a size from 64KiB to 1024GiB, such as 64MiB") }
    return count << shift
  }

  // MARK: Modes

  /// A mode of the profile package. The strategies of the other existing host are named as not available.
  public static func profile(_ value: String, flag: String) throws -> ProfileMode {
    let allowed = ProfileMode.allCases.map(\.rawValue).joined(separator: ", ")
    if let mode = ProfileMode(rawValue: value) { return mode }
    let strategy = value.prefix { $0 != "," }
    guard ["guest", "jitdump", "perfmap", "vtune"].contains(strategy) else {
      throw error(flag, value, "one of \(allowed)")
    }
    throw error(flag, "\(strategy) is not available in this version; write one of \(allowed)")
  }

  /// Where the profile page listens: as ``bindAddress(_:flag:)``, without Unix sockets.
  public static func pageAddress(_ value: String, flag: String) throws -> BindAddress {
    let address = try bindAddress(value, flag: flag)
    switch address {
    case .tcp: return address
    case .tls: throw error(flag, value, "HOST:PORT, :PORT or [IPv6]:PORT; the page has no TLS")
    case .unix: throw error(flag, value, "HOST:PORT, :PORT or [IPv6]:PORT; browsers open no Unix sockets")
    }
  }

  /// A token for the page: visible ASCII; never shown in errors.
  public static func token(_ value: String, flag: String) throws -> String {
    guard value.count >= 8, value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw error(flag, "the token must have at least 8 visible ASCII characters")
    }
    return value
  }

  /// A whole number from 1 to 10,000,000.
  public static func count(_ value: String, flag: String) throws -> Int {
    guard let count = Int(value), (1...10_000_000).contains(count) else {
      throw error(flag, value, "a number from 1 to 10000000")
    }
    return count
  }

  /// How many hostcalls of a request are pushed as spans.
  public static func pushedHostcalls(_ value: String, flag: String) throws -> Int {
    guard let count = Int(value), (0...OTLPEncoder.maximumHostcalls).contains(count) else {
      throw error(flag, value, "a number from 0 to \(OTLPEncoder.maximumHostcalls)")
    }
    return count
  }

  /// `link-error` or `trap`.
  public static func unknownImports(_ value: String, flag: String) throws -> UnknownImportBehavior {
    guard let behavior = UnknownImportBehavior(rawValue: value) else { throw error(flag, value, "link-error or trap") }
    return behavior
  }

  public static func readThrough(_ value: String, flag: String) throws -> ReadThroughMode {
    guard let mode = ReadThroughMode(rawValue: value) else { throw error(flag, value, "explicit, platform or off") }
    return mode
  }

  /// A level from 0 to 9.
  public static func verbosity(_ value: String, flag: String) throws -> Int {
    guard let level = Int(value), (0...9).contains(level) else { throw error(flag, value, "a level from 0 to 9") }
    return level
  }

  /// `1`, `true`, `yes` or `on`; `0`, `false`, `no`, `off` or nothing.
  public static func boolean(_ value: String, flag: String) throws -> Bool {
    switch value.lowercased() {
    case "1", "true", "yes", "on": true
    case "0", "false", "no", "off", "": false
    default: throw error(flag, value, "1 or 0")
    }
  }
}
