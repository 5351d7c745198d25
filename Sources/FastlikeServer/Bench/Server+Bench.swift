import CTimestamp
public import FastlikeProfile
public import FastlikeRuntime
import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// `fastlike bench`.
public struct BenchOptions: Sendable {
  /// When it ends.
  public enum Length: Sendable, Equatable {
    case requests(Int)
    case time(Duration)
  }

  /// The path of the compiled program.
  public var module: String
  /// The path of another one, which runs in turns with it.
  public var other: String?
  /// Never empty.
  public var requests: [BenchRequest]
  /// Of each program.
  public var length = Length.time(.seconds(5))
  /// How long each program runs before anything is recorded.
  public var warmUp = Duration.seconds(1)
  /// Requests at the same time on each loop.
  public var concurrency = 1
  /// Event loops, each on a thread.
  public var loops = 1
  public var service = ServiceOptions()
  public var execution = ExecutionOptions()

  public init(module: String, requests: [BenchRequest]) {
    self.module = module
    self.requests = requests
  }
}

/// What a bench tells beside its traces.
public struct BenchResult: Sendable {
  /// Requests of each program that were begun.
  public var requests: [Int]
  /// Nanoseconds that each program ran.
  public var nanoseconds: [UInt64]
  /// Requests of which no trace came.
  public var lost: Int

  public init(requests: [Int], nanoseconds: [UInt64], lost: Int) {
    self.requests = requests
    self.nanoseconds = nanoseconds
    self.lost = lost
  }
}

extension Server {
  /// Most turns of two programs. Enough that what the machine does meanwhile meets both, and few enough that a turn holds
  /// some requests.
  private static let turns = 40

  /// Drives a program, or two in turns, with requests but without a network. Traces of requests after the warm-up are handed
  /// to `record` with the index of their program, on the threads of the loops.
  /// - Throws: Errors that describe themselves in one line.
  public static func bench(
    _ options: BenchOptions, record: @escaping @Sendable (_ program: Int, _ trace: RequestTrace) -> Void
  ) async throws -> BenchResult {
    let programs = [options.module] + [options.other].compactMap { $0 }
    let loaders = programs.map { module in
      ServiceLoader(
        module: module, arguments: [URL(fileURLWithPath: module).deletingPathExtension().lastPathComponent],
        options: options.service, execution: options.execution, logger: log(options.execution),
        maximumInstances: UInt32(clamping: options.concurrency * options.loops + 16))
    }
    let services = try loaders.map { try $0.load() }
    let group = MultiThreadedEventLoopGroup(numberOfThreads: options.loops)
    let loops = group.makeIterator().map { BenchLoop($0, options.requests) }
    let result = try await Self.drive(services, loaders.map(\.traces), loops, options, record)
    for loop in group.makeIterator() {
      for loader in loaders { try? await loader.shared.shutdown(on: loop).get() }
    }
    try? await group.shutdownGracefully()
    return result
  }

  private static func drive(
    _ services: [Service], _ stores: [ProfileStore?], _ loops: [BenchLoop], _ options: BenchOptions,
    _ record: @escaping @Sendable (Int, RequestTrace) -> Void
  ) async throws -> BenchResult {
    let rotations = services.map { _ in BenchRotation(options.requests) }
    @Sendable func run(_ program: Int, _ quota: BenchQuota) async throws -> Int {
      let futures = loops.map {
        $0.run(services[program], rotations[program], concurrency: options.concurrency, quota)
      }
      var begun = 0
      for future in futures { begun += try await future.get() }
      return begun
    }
    var begun = [Int](repeating: 0, count: services.count)
    for program in services.indices {
      let end = ctimestamp_monotonic() + UInt64(options.warmUp.wholeNanoseconds)
      begun[program] = try await run(program, BenchQuota(until: end))
      await settled(stores[program], begun[program])
    }
    let warm = begun
    let observations = stores.enumerated().map { program, store in store?.observe { record(program, $0) } }
    var nanoseconds = [UInt64](repeating: 0, count: services.count)
    for (turn, length) in Self.turns(of: options).enumerated() {
      // The one that begins changes, so that neither always follows the other.
      for program in turn.isMultiple(of: 2) ? Array(services.indices) : services.indices.reversed() {
        let start = ctimestamp_monotonic()
        let quota =
          switch length {
          case .requests(let count): BenchQuota(requests: count)
          case .time(let time): BenchQuota(until: start + UInt64(time.wholeNanoseconds))
          }
        begun[program] += try await run(program, quota)
        nanoseconds[program] += ctimestamp_monotonic() - start
      }
    }
    var lost = 0
    for program in services.indices { lost += await settled(stores[program], begun[program]) }
    for observation in observations { observation?.cancel() }
    return BenchResult(
      requests: services.indices.map { begun[$0] - warm[$0] }, nanoseconds: nanoseconds, lost: lost)
  }

  /// One program runs through; two take turns.
  private static func turns(of options: BenchOptions) -> [BenchOptions.Length] {
    guard options.other != nil else { return [options.length] }
    switch options.length {
    case .requests(let count):
      let number = min(turns, count)
      return (0..<number).map { .requests((count * ($0 + 1)) / number - count * $0 / number) }
    case .time(let time):
      return Array(repeating: .time(time / turns), count: turns)
    }
  }

  /// Waits until the traces of so many requests are finished, for some seconds at most: a trace outlives its request where
  /// backend calls do.
  /// - Returns: How many are missing.
  @discardableResult
  private static func settled(_ store: ProfileStore?, _ requests: Int) async -> Int {
    guard let store else { return 0 }
    for _ in 0..<500 {
      if store.statistics.completed + store.statistics.abandoned >= requests { break }
      try? await Task.sleep(for: .milliseconds(10))
    }
    return max(0, requests - store.statistics.completed)
  }
}

extension Duration {
  /// 0 for negative durations.
  fileprivate var wholeNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    return max(0, seconds) * 1_000_000_000 + max(0, attoseconds / 1_000_000_000)
  }
}
