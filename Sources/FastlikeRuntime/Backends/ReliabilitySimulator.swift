/// Spreads the failures of backends that are declared to be unreliable (`@N` of the `--backend` flag).
///
/// Failures are spread evenly rather than drawn by lot, so that a test sees the same sequence each time: each send adds
/// the missing per cents to the backend's account and the send that fills it up to 100 fails. With `@50` every second
/// send fails, with `@99` the hundredth, with `@0` every one. Each event loop keeps its own accounts.
struct ReliabilitySimulator {
  private var accounts: [String: Int] = [:]

  /// Whether the next send to this backend is to fail.
  mutating func nextSendFails(to backend: BackendDefinition) -> Bool {
    guard let percent = backend.reliabilityPercent, percent < 100 else { return false }
    let sum = accounts[backend.name, default: 0] + 100 - Int(percent)
    accounts[backend.name] = sum % 100
    return sum >= 100
  }
}
