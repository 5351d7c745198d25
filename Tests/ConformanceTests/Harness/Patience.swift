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
actor Turnstile {
  static let processes = Turnstile(places: 4)

  private var free: Int
  private var queue: [CheckedContinuation<Void, Never>] = []

  init(places: Int) { free = places }

  func enter() async {
    if free > 0 {
      free -= 1
    } else {
      await withCheckedContinuation { queue.append($0) }
    }
  }

  func leave() {
    if queue.isEmpty { free += 1 } else { queue.removeFirst().resume() }
  }
}
