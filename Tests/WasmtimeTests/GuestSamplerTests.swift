import Foundation
import Testing
import Wasmtime

/// A guest is sampled until some samples are there; nothing depends on how long that takes.
@Suite struct GuestSamplerTests {
  private static let engine: Engine = {
    var settings = EngineSettings()
    settings.maximumInstances = 8
    settings.epochInterruption = false
    return Engine(settings)
  }()

  private static let module = spinning(20_000_000)

  private static func spinning(_ count: Int) -> String {
    """
    (module (memory (export "memory") 1)
      (func $spin (param $n i32) (result i32) (local $x i32)
        (loop $again
          (local.set $x (i32.add (i32.mul (local.get $x) (i32.const 1664525)) (i32.const 1013904223)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br_if $again (local.get $n)))
        (local.get $x))
      (func $outer (result i32) (call $spin (i32.const \(count))))
      (func (export "_start") (drop (call $outer))))
    """
  }

  @Test func `a computing guest's whole stack is sampled, innermost function first`() throws {
    let engine = Self.engine
    let module = try Module(engine: engine, bytes: Module.binary(fromText: Self.module))
    let prepared = try Linker(engine: engine).preInstantiate(module)
    let fiber = Fiber(prepared, data: UnsafeMutableRawPointer(bitPattern: 8)!, memoryLimit: 1 << 20)
    fiber.instantiate()
    _ = fiber.poll()
    let code = try #require(GuestCode(module))
    let guest = SampledGuest(code: code)
    let sampler = try #require(GuestSampler(samplesPerSecond: 5_000))
    let thread = try #require(GuestSamplerThread(sampler))
    var stacks: [[UInt32]] = []
    var weight: Int64 = 0
    for _ in 0..<200 where stacks.count < 10 {
      #expect(fiber.call("_start"))
      _ = thread.run(guest) { fiber.poll() }
      let missed = thread.drain { sample in
        #expect(sample.hostcall == nil)
        weight += sample.weightNanoseconds
        stacks.append(sample.frames.compactMap { code.function(at: $0) })
      }
      #expect(missed == 0)
    }
    #expect(stacks.count >= 10)
    #expect(weight > 0)
    let wholeStacks = stacks.filter { $0 == [0, 1, 2] }
    #expect(wholeStacks.count > stacks.count / 2)
    withExtendedLifetime(guest) {}
  }

  /// The pauses between samples of a guest that is run again and again, in periods.
  private func pauses(runningFor count: Int, samples: Int) throws -> [Double] {
    let module = try Module(engine: Self.engine, bytes: Module.binary(fromText: Self.spinning(count)))
    let prepared = try Linker(engine: Self.engine).preInstantiate(module)
    let fiber = Fiber(prepared, data: UnsafeMutableRawPointer(bitPattern: 8)!, memoryLimit: 1 << 20)
    fiber.instantiate()
    _ = fiber.poll()
    let guest = SampledGuest(code: try #require(GuestCode(module)))
    let sampler = try #require(GuestSampler(samplesPerSecond: 1_000, sparesBusyThreads: true))
    let thread = try #require(GuestSamplerThread(sampler))
    var times: [UInt64] = []
    while times.count < samples {
      #expect(fiber.call("_start"))
      thread.beginRequest()
      _ = thread.run(guest) { fiber.poll() }
      _ = thread.drain { times.append($0.monotonicNanoseconds) }
    }
    withExtendedLifetime(guest) {}
    return zip(times.dropFirst(), times).map { Double($0 - $1) / 1_000_000 }
  }

  @Test func `a thread that is busy with short requests is sampled a quarter as often`() throws {
    // Half a period is the least pause between two ticks, and a timer is never early.
    let pauses = try pauses(runningFor: 10_000, samples: 40)
    #expect(pauses.count { $0 >= 2 } > pauses.count / 2)
  }

  @Test func `a thread with long requests is not spared`() throws {
    #expect(try pauses(runningFor: 20_000_000, samples: 40).contains { $0 < 2 })
  }

  @Test func `addresses outside of the module's code are no function's`() throws {
    let module = try Module(engine: Self.engine, bytes: Module.binary(fromText: Self.module))
    let code = try #require(GuestCode(module))
    #expect(code.function(at: 0) == nil)
    #expect(code.function(at: .max) == nil)
  }

  @Test func `nothing is sampled while no guest runs`() throws {
    let sampler = try #require(GuestSampler(samplesPerSecond: 5_000))
    let thread = try #require(GuestSamplerThread(sampler))
    usleep(5_000)
    let missed = thread.drain { _ in #expect(Bool(false), "a sample of nothing") }
    #expect(missed == 0)
  }
}
