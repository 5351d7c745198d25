import ComputeABI
import Crypto
import Foundation
import Testing

@testable import FastlikeRuntime

/// A temporary folder for a manifest and the files it names.
final class ManifestFolder {
  let path: String

  init(_ files: [String: String] = [:]) throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("fastlike-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for (name, text) in files { try write(text, to: name) }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ text: String, to name: String) throws {
    let url = URL(fileURLWithPath: path).appendingPathComponent(name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  func load(environment: [String: String] = [:]) throws -> FastlyManifest {
    try FastlyManifest.load(path: "fastly.toml", workingDirectory: path, environment: environment)
  }
}

/// The manifest of a text, with files beside it.
func manifest(
  _ text: String, files: [String: String] = [:], environment: [String: String] = [:]
) throws -> FastlyManifest {
  let folder = try ManifestFolder(files)
  try folder.write(text, to: "fastly.toml")
  return try folder.load(environment: environment)
}

/// The one line that the mistake in a manifest gives.
func manifestProblem(_ text: String, files: [String: String] = [:]) -> String {
  do {
    _ = try manifest(text, files: files)
    return "no error"
  } catch {
    return "\(error)"
  }
}

@Suite struct ConfigurationManifestTests {
  // MARK: Top level

  @Test func anEmptyManifestIsAllowed() throws {
    let manifest = try manifest("")
    #expect(manifest.backends.isEmpty)
    #expect(manifest.warnings.isEmpty)
    #expect(manifest.files.count == 1)
  }

  @Test func theDeploymentPartOfTheManifestIsIgnored() throws {
    let text = """
      manifest_version = 3
      name = "shop"
      description = "d"
      language = "rust"
      authors = ["a@b.test"]
      service_id = 7
      [scripts]
      build = "make"
      """
    #expect(try manifest(text).name == "shop")
  }

  @Test(arguments: [
    ("manifest_version = 4", "fastly.toml:1: manifest_version: is 4, but versions up to 3 are known"),
    ("manifest_version = \"3\"", "fastly.toml:1: manifest_version: must be an integer, not a string"),
    ("\nname = 1", "fastly.toml:2: name: must be a string, not an integer"),
    ("authors = \"me\"", "fastly.toml:1: authors: must be an array of strings, not a string"),
    ("authors = [\n\"me\", 1]", "fastly.toml:1: authors[1]: must be a string, not an integer"),
    ("local_server = []", "fastly.toml:1: local_server: must be a table, not an array"),
  ])
  func aTopLevelKeyOfTheWrongKindIsExplained(text: String, expected: String) {
    #expect(manifestProblem(text) == expected)
  }

  @Test func aSyntaxErrorNamesItsLine() {
    #expect(manifestProblem("name = \"x\"\n\n[local_server\n").hasPrefix("fastly.toml:3: not TOML: "))
  }

  @Test func aMissingManifestIsExplained() throws {
    let folder = try ManifestFolder()
    let error = try #require(throws: ConfigurationError.self) { try folder.load() }
    #expect(error.description == "--config: cannot read \"fastly.toml\": there is no such file")
  }

  @Test func anUnknownTableGivesAWarning() throws {
    let warnings = try manifest("[local_server]\nviceroy_version = \"0.9\"\n[local_server.kvstores]").warnings
    #expect(warnings.count == 1)
    #expect(warnings.first?.hasPrefix("fastly.toml:3: local_server.kvstores: unknown and ignored; known are ") == true)
  }

  @Test(arguments: FastlyManifest.tablesNotServedYet)
  func aTableThatIsNotServedYetGivesAWarning(table: String) throws {
    let warnings = try manifest("[local_server.\(table)]").warnings
    #expect(warnings == ["fastly.toml:1: local_server.\(table): not served yet in this version"])
  }

  // MARK: Backends

  @Test func everyKeyOfABackendIsRead() throws {
    let text = """
      [local_server.backends.api]
      url = "https://origin.test:8443/base/"
      override_host = "www.test"
      cert_host = "cert.test"
      use_sni = false
      grpc = true
      first_byte_timeout_ms = 0
      between_bytes_timeout_ms = 250
      health = "Healthy"
      """
    var expected = BackendDefinition(name: "api", host: "origin.test", port: 8443, usesTLS: true, pathPrefix: "/base")
    expected.overrideHost = "www.test"
    expected.certificateHost = "cert.test"
    expected.sendsSNI = false
    expected.isGRPC = true
    expected.firstByteTimeoutMilliseconds = 0
    expected.betweenBytesTimeoutMilliseconds = 250
    expected.health = .healthy
    #expect(try manifest(text).backends == ["api": expected])
  }

  @Test func aBackendWithAURLOnlyHasTheDefaults() throws {
    let backend = try manifest("[local_server.backends]\na.url = \"http://origin.test\"").backends["a"]
    #expect(backend == BackendDefinition(name: "a", host: "origin.test", port: 80, usesTLS: false))
  }

  @Test(arguments: [
    ("", "fastly.toml:1: local_server.backends.a: url is missing: give the backend's URL, for example "),
    ("url = 1", "fastly.toml:2: local_server.backends.a.url: must be a string, not an integer"),
    ("url = \"origin.test\"", "a.url: must begin with http:// or https://"),
    ("url = \"http://\"", "a.url: has no host"),
    ("override_host = \" \"", "a.override_host: must not be blank"),
    ("override_host = \"a\\u0001\"", "a.override_host: must be a host name, without control characters"),
    ("cert_host = 1", "a.cert_host: must be a string"),
    ("use_sni = 1", "a.use_sni: must be true or false, not an integer"),
    ("grpc = \"yes\"", "a.grpc: must be true or false, not a string"),
    ("first_byte_timeout_ms = -1", "a.first_byte_timeout_ms: must be a number of milliseconds from 0 to "),
    ("between_bytes_timeout_ms = 1.5", "a.between_bytes_timeout_ms: must be an integer, not a number"),
    ("health = \"ill\"", "a.health: must be \"unknown\", \"healthy\" or \"unhealthy\""),
    ("urls = 1", "a.urls: unrecognized key; allowed are url, override_host, "),
    ("ca_certificate = \"\"", "a.ca_certificate: must not be blank"),
    ("ca_certificate = \"x\"", "a.ca_certificate: holds no certificate in PEM form"),
    ("ca_certificate = 1", "a.ca_certificate: must be PEM text, a table with file or value"),
    ("ca_certificate = {}", "a.ca_certificate: must have file or value"),
    ("ca_certificate = {file = \"no.pem\"}", "a.ca_certificate.file: cannot read \"no.pem\": there is no such file"),
    ("ca_certificate = {file = \"no.pem\", x = 1}", "a.ca_certificate.x: unrecognized key; allowed are file, value"),
    ("ca_certificate = [{value = \"x\"}]", "a.ca_certificate[0]: holds no certificate"),
    ("client_certificate = \"x\"", "a.client_certificate: must be a table with certificate or certificate_file"),
    ("client_certificate = {key = \"x\"}", "a.client_certificate: certificate is missing: give certificate or "),
    (
      "client_certificate = {certificate = \"x\", certificate_file = \"y\"}",
      "a.client_certificate.certificate_file: duplicates certificate: give only one of "
    ),
  ])
  func aMistakeInABackendNamesTheKey(line: String, part: String) {
    let url = line.hasPrefix("url =") || line.isEmpty ? "" : "\nurl = \"https://origin.test\""
    let problem = manifestProblem("[local_server.backends.a]\n\(line)\(url)")
    #expect(problem.contains(part))
    #expect(problem.hasPrefix("fastly.toml:"))
  }

  @Test func aBackendThatIsNotATableIsRefused() {
    let problem = manifestProblem("[local_server.backends]\na = \"http://origin.test\"")
    #expect(problem == "fastly.toml:2: local_server.backends.a: must be a table with url, not a string")
  }

  private static let certificate = """
    -----BEGIN CERTIFICATE-----
    MIIBfzCCASWgAwIBAgIUdMtWzONspqf3ib8Oav+ZWbBW/BYwCgYIKoZIzj0EAwIw
    FDESMBAGA1UEAwwJZWRnZS50ZXN0MCAXDTI2MTEyMzE0NDYyMFoYDzIxMjYxMDMw
    MTQ0NjIwWjAUMRIwEAYDVQQDDAllZGdlLnRlc3QwWTATBgcqhkjOPQIBBggqhkjO
    PQMBBwNCAAS5sy3WS3AlqmFa7bFlHE5lSX6cm5KxJ/qNcIruE+GRQWGoxq2beoR1
    7z327Rr2SsDcMWfOc2vHZL5Xqt07zocCo1MwUTAdBgNVHQ4EFgQUYN0FBEQ7mheT
    kmjh/oqi7UUTcFMwHwYDVR0jBBgwFoAUYN0FBEQ7mheTkmjh/oqi7UUTcFMwDwYD
    VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAlEWNQNryk6A3qgkagu6P
    cnA+9VwssO62Y0hVEjMNldwCIHmc+sIt2amrtvfQMDtP+sGn+7euSpUnnyyoBhDR
    bLsV
    -----END CERTIFICATE-----
    """

  @Test func certificatesComeFromFilesAndFromTheManifest() throws {
    let key = P256.Signing.PrivateKey().pemRepresentation
    let text = """
      [local_server.backends.a]
      url = "https://origin.test"
      ca_certificate = [{file = "tls/ca.pem"}, {value = \"""\(Self.certificate)\"""}, \"""\(Self.certificate)\"""]
      client_certificate = {certificate_file = "tls/ca.pem", key_file = "tls/key.pem"}
      """
    let files = ["tls/ca.pem": Self.certificate, "tls/key.pem": key]
    let loaded = try manifest(text, files: files)
    let backend = try #require(loaded.backends["a"])
    #expect(backend.certificateAuthoritiesPEM == [Self.certificate, Self.certificate, Self.certificate])
    #expect(backend.clientCertificate == ClientCertificate(certificatePEM: Self.certificate, keyPEM: key))
    #expect(loaded.files.map { URL(fileURLWithPath: $0).lastPathComponent } == ["fastly.toml", "ca.pem", "key.pem"])
  }

  @Test func aClientCertificateWithoutAKeyInItIsRefused() {
    let text = """
      [local_server.backends.a]
      url = "https://origin.test"
      client_certificate = {certificate_file = "ca.pem", key_file = "ca.pem"}
      """
    let problem = manifestProblem(text, files: ["ca.pem": Self.certificate])
    #expect(
      problem.hasPrefix("fastly.toml:3: local_server.backends.a.client_certificate.key_file: holds no private key"))
  }

  // MARK: Config stores

  @Test(arguments: ["dictionaries", "config_stores"])
  func aConfigStoreIsInlineOrAFile(table: String) throws {
    let text = """
      [local_server.\(table).inline]
      format = "inline-toml"
      [local_server.\(table).inline.contents]
      greeting = "hello"
      empty = ""
      [local_server.\(table).filed]
      format = "json"
      file = "words.json"
      """
    let stores = try manifest(text, files: ["words.json": #"{"a": "1"}"#]).configStores
    #expect(stores["inline"]?.value(for: "greeting") == "hello")
    #expect(stores["inline"]?.value(for: "empty") == "")
    #expect(stores["inline"]?.value(for: "missing") == nil)
    #expect(stores["inline"]?.file == nil)
    #expect(stores["filed"]?.items == ["a": "1"])
    #expect(stores["filed"]?.file?.hasSuffix("/words.json") == true)
  }

  @Test(arguments: [
    ("", "s: format is missing: give \"inline-toml\" or \"json\""),
    ("format = \"\"", "s.format: must be \"inline-toml\" or \"json\""),
    ("format = \"yaml\"", "s.format: must be \"inline-toml\" or \"json\""),
    ("format = \"inline-toml\"", "s: contents is missing"),
    ("format = \"inline-toml\"\ncontents = 1", "s.contents: must be a table of strings, not an integer"),
    ("format = \"inline-toml\"\ncontents = {a = 1}", "s.contents.a: must be a string, not an integer"),
    ("format = \"inline-toml\"\ncontents = {}\nfile = \"x\"", "s.file: unrecognized key"),
    ("format = \"json\"", "s: file is missing"),
    ("format = \"json\"\nfile = \"\"", "s.file: must be the path of a file"),
    ("format = \"json\"\nfile = \"list.json\"", "list.json: must be a table of strings, not an array"),
    ("format = \"json\"\nfile = \"number.json\"", "number.json:1: a: must be a string, not an integer"),
    ("format = \"json\"\nfile = \"broken.json\"", "broken.json:2: not JSON: "),
    ("format = \"json\"\nfile = \".\"", "s.file: cannot read \".\": it is a directory"),
  ])
  func aMistakeInAConfigStoreIsExplained(lines: String, part: String) {
    let files = ["list.json": "[]", "number.json": "{\"a\": 1}", "broken.json": "{\n\"a\"}"]
    #expect(manifestProblem("[local_server.config_stores.s]\n\(lines)", files: files).contains(part))
  }

  @Test func overlongKeysAndValuesAreRefused() {
    let longKey = String(repeating: "k", count: 257)
    let longValue = String(repeating: "é", count: 8001)
    let key = manifestProblem(
      "[local_server.dictionaries.s]\nformat = \"inline-toml\"\ncontents = {\(longKey) = \"\"}")
    #expect(key.contains("more than 256 characters"))
    let value = manifestProblem(
      "[local_server.dictionaries.s]\nformat = \"inline-toml\"\ncontents = {a = \"\(longValue)\"}")
    #expect(value.contains("contents.a: the value has more than 8000 characters"))
  }

  @Test func twoNamesOfOneTableCannotBeCombined() {
    #expect(
      manifestProblem("[local_server.dictionaries]\n[local_server.config_stores]")
        == "fastly.toml:2: local_server.config_stores: duplicates dictionaries: give only one of dictionaries, "
        + "config_stores")
    #expect(manifestProblem("[local_server.kv_stores]\n[local_server.object_store]").contains("duplicates kv_stores"))
  }

  // MARK: Files

  @Test func aFileBesideTheManifestComesBeforeTheWorkingDirectory() throws {
    let folder = try ManifestFolder([
      "app/fastly.toml": "[local_server.config_stores.s]\nformat = \"json\"\nfile = \"words.json\"",
      "app/words.json": #"{"from": "manifest"}"#, "words.json": #"{"from": "cwd"}"#,
    ])
    let loaded = try FastlyManifest.load(path: "app/fastly.toml", workingDirectory: folder.path, environment: [:])
    #expect(loaded.configStores["s"]?.items == ["from": "manifest"])
    #expect(loaded.warnings.isEmpty)
  }

  @Test func aFileInTheWorkingDirectoryIsUsedWithANotice() throws {
    let folder = try ManifestFolder([
      "app/fastly.toml": "[local_server.config_stores.s]\nformat = \"json\"\nfile = \"words.json\"",
      "words.json": #"{"from": "cwd"}"#,
    ])
    let loaded = try FastlyManifest.load(path: "app/fastly.toml", workingDirectory: folder.path, environment: [:])
    #expect(loaded.configStores["s"]?.items == ["from": "cwd"])
    #expect(
      loaded.warnings == [
        "app/fastly.toml:3: local_server.config_stores.s.file: \"words.json\" is not beside the manifest; the one in the "
          + "working directory is used"
      ])
  }
}
