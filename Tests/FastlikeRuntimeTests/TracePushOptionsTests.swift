import FastlikeProfile
import Testing

@testable import FastlikeRuntime

@Suite struct TracePushOptionsTests {
  private func read(_ flag: String? = nil, _ variables: [String: String] = [:]) throws -> TracePushOptions? {
    try TracePushOptions.read(flag: flag.map { (value: $0, place: "--otlp") }, variables: variables)
  }

  private func problem(_ flag: String? = nil, _ variables: [String: String]) -> String {
    do {
      return "no error, but \(String(describing: try read(flag, variables)))"
    } catch {
      return "\(error)"
    }
  }

  @Test func nothingIsPushedUnlessItIsAskedFor() throws {
    #expect(try read() == nil)
    #expect(try read(nil, ["OTEL_SERVICE_NAME": "shop", "OTEL_EXPORTER_OTLP_ENDPOINT": ""]) == nil)
  }

  @Test(arguments: [
    ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
    ("http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"),
    ("https://collector.test/otlp", "https://collector.test/otlp/v1/traces"),
    ("https://collector.test/otlp/v1/traces", "https://collector.test/otlp/v1/traces"),
  ])
  func theFlagIsTheReceiversAddress(flag: String, endpoint: String) throws {
    #expect(try read(flag)?.endpoint == endpoint)
  }

  @Test func theVariableOfTracesIsTakenAsItIsAndWins() throws {
    #expect(try read(nil, ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://a.test"])?.endpoint == "http://a.test/v1/traces")
    let both = [
      "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a.test", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b.test/in",
      "OTEL_EXPORTER_OTLP_HEADERS": "x=general", "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "x=traces",
    ]
    #expect(try read(nil, both)?.endpoint == "http://b.test/in")
    #expect(try read(nil, both)?.headers.map(\.value) == ["traces"])
    #expect(try read("http://c.test", both)?.endpoint == "http://c.test/v1/traces")
  }

  @Test(arguments: [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")])
  func theVariablesCanBeSwitchedOff(name: String, value: String) throws {
    #expect(try read(nil, ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://a.test", name: value]) == nil)
  }

  @Test func everythingElseHasItsVariable() throws {
    let options = try #require(
      try read(
        "http://a.test",
        [
          "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20abc, x-tenant = 7",
          "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
          "OTEL_EXPORTER_OTLP_TIMEOUT": "2500", "OTEL_SERVICE_NAME": "shop",
          "OTEL_RESOURCE_ATTRIBUTES": "service.name=other,deployment.environment.name=dev%2Ctest",
          "OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25",
          "OTEL_BSP_MAX_QUEUE_SIZE": "100", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "500", "OTEL_BSP_SCHEDULE_DELAY": "50",
          "OTEL_BSP_EXPORT_TIMEOUT": "700",
        ]))
    #expect(options.headers.map(\.name) == ["authorization", "x-tenant"])
    #expect(options.headers.map(\.value) == ["Bearer abc", "7"])
    #expect(options.format == .json)
    #expect(options.compresses)
    #expect(options.timeout == .milliseconds(2500))
    #expect(options.resource.map(\.key) == ["service.name", "deployment.environment.name"])
    #expect(options.resource.map(\.value) == ["shop", "dev,test"])
    #expect(options.sampler == TraceContextSampler(ratio: 0.25))
    #expect(options.queueSize == 100)
    #expect(options.batchSize == 100)
    #expect(options.delay == .milliseconds(50))
    #expect(options.flushTime == .milliseconds(700))
  }

  @Test(arguments: [
    "localhost:4318", "ftp://a.test", "http://user:pw@a.test", "http://a.test/?key=secret", "http://", "http://a b",
  ])
  func anAddressThatCannotBeUsedIsRefusedWithoutBeingShown(flag: String) {
    let problem = problem(flag, [:])
    #expect(problem.hasPrefix("--otlp: must be an address such as"))
    #expect(!problem.contains("pw@") && !problem.contains("secret"))
  }

  @Test(arguments: [
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "grpc is not served"),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "tcp", "write http/protobuf or http/json"),
    ("OTEL_EXPORTER_OTLP_COMPRESSION", "zip", "write one of gzip, none"),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "0", "write a whole number from 1"),
    ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "key.pem", "certificate and key belong together"),
    ("OTEL_TRACES_SAMPLER", "sometimes", "write one of always_off"),
    ("OTEL_RESOURCE_ATTRIBUTES", "nothing", "must be NAME=VALUE"),
  ])
  func mistakesNameTheVariableAndWhatIsAllowed(name: String, value: String, allowed: String) {
    let problem = problem("http://a.test", [name: value])
    #expect(problem.hasPrefix("OTEL_"))
    #expect(problem.contains(allowed))
  }

  @Test(arguments: ["secret", "na me=secret", "x=secret%0Aline"])
  func headersAreNotShownInErrors(value: String) {
    let problem = problem("http://a.test", ["OTEL_EXPORTER_OTLP_HEADERS": value])
    #expect(problem.hasPrefix("OTEL_EXPORTER_OTLP_HEADERS: must be"))
    #expect(!problem.contains("secret"))
  }
}
