import ArgumentParser
import FastlikeRuntime

/// The flags that say where the edge listens, and how it speaks TLS there.
struct ListeningArguments: ParsableArguments {
  @Option(
    name: [.customLong("bind"), .customLong("addr")],
    help: ArgumentHelp(
      "Where to listen: HOST:PORT, :PORT, [IPv6]:PORT or unix:PATH; port 0 is a free one. https:// before it is TLS, "
        + "http:// is none. May be repeated (default: \(BindAddress.standard)).", valueName: "address"))
  var addresses: [String] = []

  @Flag(
    name: .customLong("tls"), inversion: .prefixedNo,
    help: "Speak TLS on every TCP address, with a certificate of a development authority unless --tls-cert names one.")
  var isSecure: Bool?

  @Option(
    name: .customLong("tls-name"),
    help: ArgumentHelp(
      "A further name or IP address for the development certificate. May be repeated.", valueName: "name"))
  var names: [String] = []

  @Option(
    name: .customLong("tls-cert"),
    help: ArgumentHelp("The edge's certificate, and what is between it and its authority (PEM).", valueName: "file"))
  var certificate: String?

  @Option(name: .customLong("tls-key"), help: ArgumentHelp("The certificate's key (PEM).", valueName: "file"))
  var key: String?

  @Option(
    name: .customLong("tls-client-ca"),
    help: ArgumentHelp("Ask clients for certificates of these authorities (PEM).", valueName: "file"))
  var clientAuthorities: String?

  @Option(
    name: .customLong("tls-client-auth"),
    help: ArgumentHelp(
      "What becomes of clients without a valid certificate: optional serves them, required does not "
        + "(default: optional).", valueName: "rule"))
  var clientAuthentication: String?

  /// Where to listen, and the TLS of the addresses that have it. A TLS flag that is given makes every TCP address one
  /// with TLS that does not say otherwise.
  func options(in environment: FlagEnvironment) throws -> (addresses: [BindAddress], tls: EdgeTLSOptions) {
    var tls = EdgeTLSOptions()
    let names = try environment.values(names, "tls-name", FlagValues.certificateName)
    let certificate = try environment.value(certificate, "tls-cert", FlagValues.path)
    let key = try environment.value(key, "tls-key", FlagValues.path)
    switch (certificate, key) {
    case (let certificate?, let key?):
      guard names.isEmpty else {
        throw ConfigurationError(
          place: "--tls-name", problem: "names what a development certificate is for; leave it or --tls-cert away")
      }
      tls.certificate = .files(certificate: certificate, key: key)
    case (nil, nil): tls.certificate = .development(names: names)
    case (nil, _): throw ConfigurationError(place: "--tls-key", problem: "needs the certificate; give --tls-cert FILE")
    case (_, nil): throw ConfigurationError(place: "--tls-cert", problem: "needs its key; give --tls-key FILE")
    }
    tls.clientAuthorities = try environment.value(clientAuthorities, "tls-client-ca", FlagValues.path)
    let authentication = try environment.value(
      clientAuthentication, "tls-client-auth", FlagValues.clientAuthentication)
    guard authentication == nil || tls.clientAuthorities != nil else {
      throw ConfigurationError(
        place: "--tls-client-auth", problem: "needs the authorities of the clients; give --tls-client-ca FILE")
    }
    tls.clientAuthentication = authentication ?? .optional
    let isSecure = try environment.boolean(isSecure, "tls") ?? (tls != EdgeTLSOptions())
    let given = try environment.values(addresses, "bind") {
      try FlagValues.bindAddress($0, flag: $1, isSecure: isSecure)
    }
    let standard = try FlagValues.bindAddress("\(BindAddress.standard)", flag: "--bind", isSecure: isSecure)
    return (given.isEmpty ? [standard] : given, tls)
  }
}
