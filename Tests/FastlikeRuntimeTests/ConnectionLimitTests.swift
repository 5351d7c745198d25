import ComputeABI
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import FastlikeRuntime

@Suite struct ConnectionLimitTests {
  @Test func aConnectionIsUsedSoOftenAndSoLong() {
    var limits = ConnectionLimits()
    #expect(limits.allowsReuse(uses: 1_000_000, age: .hours(100)))
    (limits.maximumUses, limits.maximumLifetimeMilliseconds) = (0, 0)
    #expect(limits.allowsReuse(uses: 1_000_000, age: .hours(100)))
    (limits.maximumUses, limits.maximumLifetimeMilliseconds) = (2, 1_000)
    #expect(limits.allowsReuse(uses: 1, age: .milliseconds(999)))
    #expect(!limits.allowsReuse(uses: 2, age: .milliseconds(1)))
    #expect(!limits.allowsReuse(uses: 1, age: .milliseconds(1_000)))
  }

  @Test func keepaliveValuesStayWithinWhatTheSystemTakes() {
    let all = TCPKeepalive(seconds: 40_000, intervalSeconds: 3, probes: 1_000)
    #expect(all.socketOptions.map(\.value) == [1, 32_767, 3, 127])
    #expect(TCPKeepalive(seconds: 0, intervalSeconds: 0, probes: 0).socketOptions.map(\.value) == [1])
  }

  @Test func slotsAreGivenInTurn() async throws {
    let slots = ConnectionSlots()
    let backend = BackendDefinition(name: "b", host: "b.example", port: 80, usesTLS: false)
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    #expect(slots.takeFree(of: backend, limit: 1))
    #expect(!slots.takeFree(of: backend, limit: 1))
    var other = backend
    other.port = 81
    #expect(slots.takeFree(of: other, limit: 1))
    let order = Mutex<[Int]>([])
    let done = loop.makePromise(of: Void.self)
    _ = slots.wait(for: backend, on: loop) { order.withLock { $0.append(1) } }
    let second = slots.wait(for: backend, on: loop) { order.withLock { $0.append(2) } }
    _ = slots.wait(for: backend, on: loop) { done.succeed() }
    #expect(slots.hasWaiters(for: backend) && !slots.hasWaiters(for: other))
    slots.cancel(second, of: backend)
    slots.release(backend)
    slots.release(backend)
    try await done.futureResult.get()
    #expect(order.withLock { $0 } == [1])
    // The last one has it now; when it goes, the place is free.
    #expect(!slots.takeFree(of: backend, limit: 1))
    slots.release(backend)
    #expect(slots.takeFree(of: backend, limit: 1))
  }

  @Test func otherLoopsAreAskedForWhatTheyKeepIdle() async throws {
    let slots = ConnectionSlots()
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    let (own, other) = (group.next(), group.next())
    let asked = other.makePromise(of: String.self)
    slots.register(own) { _ in asked.fail(ChannelError.eof) }
    slots.register(other) { asked.succeed($0.name) }
    let backend = BackendDefinition(name: "b", host: "b.example", port: 80, usesTLS: false)
    _ = slots.wait(for: backend, on: own) {}
    #expect(try await asked.futureResult.get() == "b")
    try await group.shutdownGracefully()
  }

  @Test func theFamilyOfTheFirstAddressIsAChoice() throws {
    let addresses = try ["10.0.0.1", "10.0.0.2", "::1"].map { try SocketAddress(ipAddress: $0, port: 80) }
    #expect(HostLookup.interleaved(addresses).map(\.ipAddress) == ["::1", "10.0.0.1", "10.0.0.2"])
    let fours = HostLookup.interleaved(addresses, prefersIPv4: true).map(\.ipAddress)
    #expect(fours == ["10.0.0.1", "::1", "10.0.0.2"])
    let local = HostLookup.immediateAddresses(of: "localhost", port: 80, prefersIPv4: true)
    #expect(local?.first?.ipAddress == "127.0.0.1")
  }

  @Test func healthIsTheCountOfGoodProbes() {
    var check = HealthCheck(host: "h")
    (check.window, check.threshold, check.initial) = (3, 2, 2)
    var results = ProbeResults(check)
    #expect(results.health == .healthy)
    results.record(isGood: false)
    #expect(results.health == .healthy)
    results.record(isGood: false)
    #expect(results.health == .unhealthy)
    results.record(isGood: true)
    #expect(results.health == .unhealthy)
    results.record(isGood: true)
    #expect(results.health == .healthy)
    (check.threshold, check.initial) = (1, 0)
    #expect(ProbeResults(check).health == .unhealthy)
  }
}
