import Testing

@testable import FastlikeProfile

/// The structural rules of the processed format, and the losses that its viewer does not report.
struct ExportFirefoxTests {
  private func profile(_ fixture: TraceFixture) throws -> ExportJSON {
    try ExportJSON(FirefoxProfileEncoder.encode(fixture.traces))
  }

  private static func strings(of profile: ExportJSON) -> [String] {
    profile["shared"]["stringArray"].array.map { $0.string ?? "" }
  }

  /// Payloads of a thread with their names.
  private static func markers(
    _ type: String, of thread: ExportJSON, in profile: ExportJSON
  ) -> [(name: String, data: ExportJSON)] {
    let strings = strings(of: profile)
    return zip(thread["markers"]["name"].array, thread["markers"]["data"].array)
      .compactMap { name, data in
        data["type"].string == type ? (name.int.map { strings[$0] } ?? "", data) : nil
      }
  }

  private static func checkColumns(_ table: ExportJSON, _ name: String) {
    let length = table["length"].int
    #expect(length != nil, "\(name) has no length")
    for key in table.keys where table[key].isArray {
      #expect(table[key].array.count == length, "\(name).\(key)")
    }
  }

  @Test(arguments: TraceFixture.allCases)
  func everyColumnHasItsTablesLength(fixture: TraceFixture) throws {
    let profile = try profile(fixture)
    let tables = ["stackTable", "frameTable", "funcTable", "resourceTable", "nativeSymbols", "sources"]
    for name in tables { Self.checkColumns(profile["shared"][name], name) }
    for thread in profile["threads"].array {
      Self.checkColumns(thread["samples"], "samples")
      Self.checkColumns(thread["markers"], "markers")
    }
    for counter in profile["counters"].array { Self.checkColumns(counter["samples"], "counter") }
  }

  @Test(arguments: TraceFixture.allCases)
  func everyIndexIsInRange(fixture: TraceFixture) throws {
    let profile = try profile(fixture)
    let shared = profile["shared"]
    func check(_ column: ExportJSON, below limit: Int?, allowing other: Int? = nil, _ name: String) {
      for value in column.array where !value.isNull && value.int != other {
        #expect(value.int.map { $0 >= 0 && $0 < limit ?? 0 } == true, "\(name)")
      }
    }
    let strings = shared["stringArray"].array.count
    #expect(Set(Self.strings(of: profile)).count == strings)
    let categories = profile["meta"]["categories"].array.count
    check(shared["stackTable"]["frame"], below: shared["frameTable"]["length"].int, "stackTable.frame")
    check(shared["frameTable"]["func"], below: shared["funcTable"]["length"].int, "frameTable.func")
    check(shared["frameTable"]["category"], below: categories, "frameTable.category")
    check(shared["funcTable"]["name"], below: strings, "funcTable.name")
    check(
      shared["funcTable"]["resource"], below: shared["resourceTable"]["length"].int, allowing: -1,
      "funcTable.resource")
    check(shared["resourceTable"]["name"], below: strings, "resourceTable.name")
    for (index, prefix) in shared["stackTable"]["prefix"].array.enumerated() {
      #expect(prefix.isNull || prefix.int.map { $0 >= 0 && $0 < index } == true)
    }
    for thread in profile["threads"].array {
      check(thread["samples"]["stack"], below: shared["stackTable"]["length"].int, "samples.stack")
      check(thread["markers"]["name"], below: strings, "markers.name")
      check(thread["markers"]["category"], below: categories, "markers.category")
    }
    for counter in profile["counters"].array {
      #expect(counter["mainThreadIndex"].int.map { $0 < profile["threads"].array.count } == true)
    }
  }

  @Test(arguments: TraceFixture.allCases)
  func everyPayloadHasADeclaredTypeAndOnlyDeclaredKeys(fixture: TraceFixture) throws {
    let profile = try profile(fixture)
    var declared: [String: [String: String]] = [:]
    for schema in profile["meta"]["markerSchema"].array {
      let name = try #require(schema["name"].string)
      #expect(!schema["display"].array.isEmpty)
      declared[name] = Dictionary(
        uniqueKeysWithValues: try schema["fields"].array.map { field in
          #expect(!field["format"].isNull)
          return (try #require(field["key"].string), field["format"].string ?? "table")
        })
    }
    #expect(declared["Network"] == nil)
    for thread in profile["threads"].array {
      for data in thread["markers"]["data"].array {
        let type = try #require(data["type"].string)
        guard type != "Network" else { continue }
        let fields = try #require(declared[type])
        for key in data.keys where key != "type" {
          let format = try #require(fields[key], "\(type).\(key) is not declared")
          #expect(data[key].isArray == (format == "list" || format == "table"), "\(type).\(key)")
        }
      }
    }
  }

  @Test(arguments: TraceFixture.allCases)
  func everyProcessHasATextAsIdAndOneMainThread(fixture: TraceFixture) throws {
    let profile = try profile(fixture)
    let threads = profile["threads"].array
    #expect(!threads.isEmpty)
    var mainThreads: [String: Int] = [:]
    for thread in threads {
      let pid = try #require(thread["pid"].string)
      let isMain = try #require(thread["isMainThread"].bool as Bool?)
      mainThreads[pid, default: 0] += isMain ? 1 : 0
    }
    #expect(mainThreads.values.allSatisfy { $0 == 1 })
    #expect(mainThreads.count == max(1, fixture.traces.count))
    for counter in profile["counters"].array {
      let pid = try #require(counter["pid"].string)
      #expect(mainThreads[pid] != nil)
    }
  }

  @Test(arguments: TraceFixture.allCases)
  func nothingIsHiddenByTheViewersDefaults(fixture: TraceFixture) throws {
    let profile = try profile(fixture)
    let meta = profile["meta"]
    #expect(meta["preprocessedProfileVersion"].int == 63)
    #expect(meta["initialVisibleThreads"].array.compactMap(\.int) == Array(profile["threads"].array.indices))
    #expect(meta["profilingEndTime"].isNull)
    #expect(meta["interval"].double.map { $0 > 0 } == true)
    #expect(meta["categories"].array.contains { $0["color"].string == "grey" })
    #expect(meta["extensions"].isObject)
    for thread in profile["threads"].array { #expect(thread["showMarkersInTimeline"].bool == true) }
  }

  @Test(arguments: TraceFixture.allCases)
  func everyNetworkCallHasAStopUnlessItIsStillRunning(fixture: TraceFixture) throws {
    let profile = try profile(fixture)
    let main = profile["threads"].array.filter { $0["isMainThread"].bool == true }
    for (trace, thread) in zip(fixture.traces, main) {
      let network = Self.markers("Network", of: thread, in: profile).map(\.data)
      for (index, call) in trace.backendCalls.enumerated() {
        let statuses = network.filter { $0["id"].int == index + 1 }.compactMap { $0["status"].string }
        switch call.outcome {
        case .incomplete: #expect(statuses == ["STATUS_START"])
        case .cancelled: #expect(statuses == ["STATUS_START", "STATUS_CANCEL"])
        default: #expect(statuses == ["STATUS_START", "STATUS_STOP"])
        }
      }
      #expect(network.allSatisfy { !$0["startTime"].isNull && !$0["endTime"].isNull && !$0["URI"].isNull })
    }
  }

  @Test(arguments: TraceFixture.allCases)
  func theInstantsOfACallAreInOrder(fixture: TraceFixture) throws {
    let profile = try profile(fixture)
    let order = [
      "startTime", "domainLookupStart", "domainLookupEnd", "connectStart", "tcpConnectEnd", "secureConnectionStart",
      "connectEnd", "requestStart", "responseStart", "responseEnd", "endTime",
    ]
    for thread in profile["threads"].array {
      for (_, data) in Self.markers("Network", of: thread, in: profile) {
        let instants = order.compactMap { data[$0].double }
        #expect(instants == instants.sorted())
        #expect(data["connectEnd"].isNull || !data["domainLookupStart"].isNull)
      }
    }
  }

  @Test func aReusedConnectionHasNoConnectionPhases() throws {
    let profile = try profile(.overlapping)
    let stop = try #require(
      Self.markers("Network", of: profile["threads"].array[0], in: profile).map(\.data)
        .first { $0["status"].string == "STATUS_STOP" })
    #expect(stop["domainLookupStart"].isNull)
    #expect(stop["connectEnd"].isNull)
    #expect(!stop["requestStart"].isNull)
  }

  @Test func aCallThatWasNeverSentHasNoRequestStart() throws {
    let profile = try profile(.overlapping)
    let stop = try #require(
      Self.markers("Network", of: profile["threads"].array[0], in: profile).map(\.data)
        .first { $0["requestStatus"].string == "network-error: dns_error" })
    #expect(stop["domainLookupEnd"].double == 0.325)
    #expect(stop["requestStart"].isNull && stop["responseStart"].isNull)
  }

  @Test func timesInPayloadsAreMilliseconds() throws {
    let profile = try profile(.normal)
    let thread = profile["threads"].array[0]
    let request = try #require(Self.markers("Request", of: thread, in: profile).first?.data)
    #expect(request["queue"].double == 0.2 && request["blockedBackend"].double == 5.8)
    let schema = try #require(profile["meta"]["markerSchema"].array.first { $0["name"].string == "Request" })
    let times = schema["fields"].array.filter { $0["format"].string == "duration" }.compactMap { $0["key"].string }
    #expect(times.prefix(4) == ["queue", "setup", "guest", "host"])
    #expect(times.count == 4 + BlockCause.allCases.count)
  }

  /// The viewer's CPU graph: without this column every stretch counts as busy.
  @Test func aSuspendedGuestUsesNoCPU() throws {
    var trace = TraceFixture.stacksTrace()
    let stack = trace.guestStacks.samples[0].stack
    trace.guestStacks.samples = [1_000_000, 2_000_000, 9_000_000]
      .map { StackSample(relativeNanos: $0, stack: stack, weightNanos: 900_000) }
    trace.blocked = [
      BlockedInterval(start: 2_500_000, duration: 1_000_000, cause: .backend, inHostcall: false),
      BlockedInterval(start: 4_000_000, duration: 4_000_000, cause: .timer, inHostcall: false),
    ]
    let samples = try ExportJSON(FirefoxProfileEncoder.encode(trace))["threads"].array[0]["samples"]
    #expect(samples["time"].array.compactMap(\.double) == [1, 2, 2.5, 8, 9])
    #expect(samples["stack"].array.map(\.isNull) == [false, false, true, true, false])
    // 2 ms ran between the last two samples, which stand for 0.9 ms of CPU.
    #expect(samples["threadCPUDelta"].array.compactMap(\.int) == [0, 900_000, 225_000, 225_000, 450_000])
  }

  @Test func memoryIsWrittenAsDifferencesBehindAnEmptyRow() throws {
    let profile = try profile(.deep)
    let samples = try #require(profile["counters"].array.first)["samples"]
    let counts = samples["count"].array.compactMap(\.int)
    #expect(counts.first == 0)
    #expect(counts.reduce(0, +) == 60 * 65_536)
    #expect(counts[1] == 17 * 65_536)
    let times = samples["time"].array.compactMap(\.double)
    #expect(times == times.sorted())
    #expect(times.last == 10)
    #expect(profile["counters"].array[0]["display"]["unit"].string == "bytes")
  }

  @Test func instantsKeepTheirNanoseconds() throws {
    let text = String(decoding: FirefoxProfileEncoder.encode(TraceFixture.trap.traces), as: UTF8.self)
    #expect(text.contains("0.400009"))
    #expect(text.contains("\"startTime\":1767225600123.456789"))
  }

  @Test func aFunctionIsThereOnceAndInlinedFramesAreMarked() throws {
    let profile = try profile(.stacks)
    let shared = profile["shared"]
    let strings = Self.strings(of: profile)
    let names = shared["funcTable"]["name"].array.compactMap { $0.int.map { strings[$0] } }
    #expect(names.count { $0 == "main" } == 1)
    let functions = shared["frameTable"]["func"].array.compactMap(\.int)
    let depths = shared["frameTable"]["inlineDepth"].array.compactMap(\.int)
    let inlined = zip(functions, depths).filter { $0.1 > 0 }.map { names[$0.0] }
    #expect(inlined == ["skip; whitespace"])
  }

  @Test func samplesOfTheGuestAndOfEachNativeThreadHaveTracksOfTheirOwn() throws {
    let threads = try profile(.stacks)["threads"].array
    #expect(
      threads.compactMap { $0["name"].string } == [
        "request 6", "native stacks of thread 11", "native stacks of thread 12",
      ])
    let sampled = threads.map { $0["samples"]["stack"].array.count { !$0.isNull } }
    #expect(sampled == [4, 3, 1])
    for thread in threads {
      let times = thread["samples"]["time"].array.compactMap(\.double)
      #expect(times == times.sorted())
    }
  }

  @Test func whatWasDroppedIsTold() throws {
    let profile = try profile(.dropped)
    let events = Self.markers("Event", of: profile["threads"].array[0], in: profile)
    let counts = Dictionary(
      uniqueKeysWithValues: events.compactMap { event in
        event.data["count"].int.map { (event.name, $0) }
      })
    #expect(
      counts == [
        "dropped_spans": 7, "dropped_backend_calls": 2, "dropped_blocked_intervals": 3, "dropped_guest_samples": 11,
        "dropped_heap_samples": 5,
      ])
  }
}
