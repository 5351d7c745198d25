import Testing

@testable import FastlikeProfile

/// ``ExportPprofFile`` enforces what `go tool pprof` enforces; these tests are about what the numbers mean.
struct ExportPprofTests {
  private func file(_ fixture: TraceFixture) throws -> ExportPprofFile {
    try ExportPprofFile(PprofEncoder.encode(fixture.traces, compressed: false))
  }

  @Test(arguments: TraceFixture.allCases)
  func theWallColumnIsTheWallTimeWithNothingCountedTwice(fixture: TraceFixture) throws {
    #expect(try file(fixture).total("wall") == fixture.traces.reduce(0) { $0 + $1.wallNanos })
  }

  @Test(arguments: TraceFixture.allCases)
  func everyHostcallAndBackendCallIsCountedOnce(fixture: TraceFixture) throws {
    let file = try file(fixture)
    #expect(file.total("calls") == fixture.traces.reduce(0) { $0 + Int64($1.spans.count) })
    #expect(file.total("backend_calls") == fixture.traces.reduce(0) { $0 + Int64($1.backendCalls.count) })
    let backend = fixture.traces.flatMap(\.backendCalls).reduce(0) { $0 + $1.totalNanos }
    #expect(file.total("backend") == backend)
  }

  @Test func waitingForABackendIsBlockedTimeOfItsHostcall() throws {
    let blocked = try file(.normal).samples.filter { $0.stack.first == "blocked:backend" }
    #expect(blocked.map(\.stack) == [["blocked:backend", "hostcall:fastly_http_req.send", "request"]])
    #expect(blocked.first?.values[1] == 5_800_000)
    #expect(blocked.first?.labels.contains { $0.key == "backend" && $0.value == "origin" } == true)
  }

  @Test func phasesOfACallAreBelowItsBackend() throws {
    let file = try file(.normal)
    let phases = file.samples.filter { $0.stack.dropFirst().first == "backend:origin" }
    #expect(
      phases.compactMap(\.stack.first) == [
        "phase:queue", "phase:dns", "phase:connect", "phase:tls", "phase:send", "phase:wait", "phase:receive",
      ])
    #expect(phases.map { $0.values[3] } == [50_000, 400_000, 700_000, 900_000, 50_000, 2_850_000, 850_000])
  }

  @Test func sampledStacksOfTheGuestShareItsTime() throws {
    let file = try file(.stacks)
    let guest = file.samples.filter { $0.stack.dropLast().last == "guest" && $0.values[1] > 0 }
    #expect(guest.reduce(0) { $0 + $1.values[1] } == TraceFixture.stacks.traces[0].time.guest)
    #expect(guest.contains { $0.stack.first == "render [app.wasm]" && $0.values[1] == 250_000 })
    #expect(file.total("samples") == 4)
    #expect(file.total("cpu") == 1_000_000)
  }

  @Test func stacksOfAnExternalProfilerHaveColumnsOfTheirOwn() throws {
    let file = try file(.stacks)
    #expect(file.total("native_samples") == 4)
    #expect(file.samples.contains { $0.stack == ["main [app.wasm]", "serve [fastlike]", "request"] })
  }

  @Test func inlinedFramesShareALocation() throws {
    let stacks = try file(.stacks).samples.compactMap(\.stack.first)
    #expect(stacks.contains("skip; whitespace [app.wasm] inlined into parse(header: [UInt8]) [app.wasm]"))
  }

  /// `go tool pprof` cuts arguments and templates off a name that is the linker's name too.
  @Test func namesAreNotGivenAsTheLinkersNames() throws {
    let profile = try ExportProtobuf(PprofEncoder.encode(TraceFixture.stacks.traces, compressed: false))
    let strings = try profile.strings(6)
    let functions = try profile.messages(5)
    #expect(try functions.allSatisfy { try $0.number(3) == nil })
    #expect(try functions.contains { strings[Int(try $0.number(2) ?? 0)] == "parse(header: [UInt8])" })
  }

  @Test func theDefaultIsTheWallTime() throws {
    let file = try file(.normal)
    #expect(file.defaultType == "wall")
    #expect(file.unixNanos == TraceFixture.wallStart)
    #expect(file.durationNanos == 10_000_000)
    #expect(file.mappings == ["app.wasm 0011223344556677"])
  }

  @Test func whatWasDroppedAndNotedIsInTheComments() throws {
    #expect(try file(.dropped).comments.contains("request 4: dropped_spans: 7"))
    #expect(try file(.trap).comments.contains("request 2: the guest trapped"))
  }

  @Test func theFileIsGzipOfTheSameMessage() throws {
    let traces = TraceFixture.several.traces
    let packed = PprofEncoder.encode(traces)
    #expect(packed.starts(with: [0x1F, 0x8B]))
    #expect(try GzipInput.decompress(packed, limit: 1 << 20) == PprofEncoder.encode(traces, compressed: false))
  }

  @Test func requestsAreToldApartByALabel() throws {
    let requests = try file(.several).samples.flatMap(\.labels).filter { $0.key == "request" }.map(\.value)
    #expect(Set(requests) == ["1", "7"])
  }
}
