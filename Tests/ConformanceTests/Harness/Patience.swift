import NIOCore

/// How long the suite waits for something that has to happen; a healthy program needs a small part of it.
enum Patience {
  static let limit = Duration.seconds(15)
  static let timeAmount = TimeAmount.seconds(15)
}

/// Waits until the condition holds.
func eventually(
  _ what: String, within limit: Duration = Patience.limit, _ condition: () async throws -> Bool
) async throws {
  let clock = ContinuousClock()
  let end = clock.now + limit
  while true {
    if try await condition() { return }
    guard clock.now < end else { throw HarnessError("waited in vain: \(what)") }
    try await Task.sleep(for: .milliseconds(10))
  }
}

/// Lets a few tests at a time have a process of their own, so that none waits long for the processor.
///
/// A test that is inside takes no second place for what it starts besides: tests that wait for each other's places would
/// wait for ever.
actor Turnstile {
  static let processes = Turnstile(places: 4)
  @TaskLocal private static var isInside = false

  private var free: Int
  private var queue: [CheckedContinuation<Void, Never>] = []

  init(places: Int) { free = places }

  /// Runs the body with a place.
  nonisolated func pass<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
    if Self.isInside { return try await body() }
    await enter()
    do {
      let result = try await Self.$isInside.withValue(true) { try await body() }
      await leave()
      return result
    } catch {
      await leave()
      throw error
    }
  }

  private func enter() async {
    if free > 0 {
      free -= 1
    } else {
      await withCheckedContinuation { queue.append($0) }
    }
  }

  private func leave() {
    if queue.isEmpty { free += 1 } else { queue.removeFirst().resume() }
  }
}
