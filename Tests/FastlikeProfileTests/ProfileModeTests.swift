import Testing

@testable import FastlikeProfile

struct ProfileModeTests {
  @Test func modesAreAdditiveAndDeepImpliesCombined() {
    #expect(ProfileMode.deep.includes(.combined))
    #expect(ProfileMode.combined.includes(.native))
    #expect(ProfileMode.native.includes(.trace))
    #expect(!ProfileMode.trace.includes(.native))
    #expect(ProfileMode.allCases.map(\.rawValue) == ["off", "trace", "native", "combined", "deep"])
  }

  @Test func everyModeButOffIncludesTheTrace() {
    #expect(ProfileMode.allCases.filter(\.includesTrace) == [.trace, .native, .combined, .deep])
  }

  @Test func nativeCombinedAndDeepRequestSampling() {
    #expect(ProfileMode.allCases.filter(\.requestsNativeSampling) == [.native, .combined, .deep])
  }

  @Test func theStrategyFollowsModeAndPlatform() {
    for mode in ProfileMode.allCases {
      let samples = mode.requestsNativeSampling
      #expect(NativeProfilerStrategy.strategy(for: mode, on: .linux) == (samples ? .jitdump : .none))
      #expect(NativeProfilerStrategy.strategy(for: mode, on: .macOS) == (samples ? .perfMap : .none))
      #expect(NativeProfilerStrategy.strategy(for: mode, on: .other) == .none)
    }
  }

  @Test func theCompileConfigurationKnowsTheStrategy() {
    #expect(ProfileCompileConfiguration(mode: .trace).nativeStrategy == .none)
    #expect(ProfileCompileConfiguration(mode: .deep).nativeStrategy == .strategy(for: .deep))
  }

  @Test func anUnknownModeIsRefusedWithTheAllowedOnes() throws {
    #expect(try ProfileMode(parsing: "Deep") == .deep)
    let error = #expect(throws: ProfileModeError.self) { try ProfileMode(parsing: "loud") }
    #expect(
      error?.description == "profile mode \"loud\" is unknown; allowed: off, trace, native, combined, deep")
  }
}

struct HostcallNameTableTests {
  let table = HostcallNameTable(names: ["fastly_http_req.send", "fastly_http_body.close", "plain"])

  @Test func indexZeroIsTheSentinel() {
    #expect(table.name(at: 0) == HostcallNameTable.unknownName)
    #expect(table.index(of: "nowhere") == 0)
  }

  @Test func namesResolveBothWays() {
    #expect(table.index(of: "fastly_http_body.close") == 2)
    #expect(table.name(at: 2) == "fastly_http_body.close")
    #expect(table.module(at: 2) == "fastly_http_body")
    #expect(table.function(at: 2) == "close")
    #expect(table.function(at: 3) == "plain")
    #expect(table.module(at: 3) == "")
  }

  @Test func anIndexBeyondTheTableIsTheSentinel() {
    #expect(table.name(at: 4) == HostcallNameTable.unknownName)
    #expect(table.name(at: .max) == HostcallNameTable.unknownName)
  }

  @Test func theSentinelIsNotAddedTwiceAndTheTableHasNoMoreThanItsIndicesReach() {
    #expect(HostcallNameTable(names: ["unknown", "a.b"]).index(of: "a.b") == 1)
    let large = HostcallNameTable(names: (0..<70_000).map { "m.f\($0)" })
    #expect(large.names.count == 65_536)
    #expect(large.index(of: "m.f65535") == 0)
  }
}
