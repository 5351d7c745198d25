import ComputeABI
import NIOCore

/// Probes backends that guests register with a health check; one for each event loop, confined to it.
///
/// A probe goes on between requests, because the guest that asks is another one than the guest that registered, and ends
/// when no guest has registered the backend for a while. Results are the loop's own. Health is told to guests that ask for
/// it; it holds up no request.
final class HealthProbes {
  /// Backends of a loop that are probed; the health of more is unknown.
  private static let maximumProbes = 64
  /// How long a probe goes on that no guest asks for.
  private static let patience = TimeAmount.seconds(60)

  private final class Probe {
    let definition: BackendDefinition
    let check: HealthCheck
    var results: ProbeResults
    var lastUse = NIODeadline.now()

    init(_ definition: BackendDefinition, _ check: HealthCheck) {
      self.definition = definition
      self.check = check
      results = ProbeResults(check)
    }

    /// The backend as the probe uses it: with its own patience, and a connection that is nobody else's.
    var target: BackendDefinition {
      var target = definition
      target.isPooled = false
      target.connectionLimits = ConnectionLimits()
      let timeout = UInt32(clamping: check.timeoutMilliseconds)
      target.connectTimeoutMilliseconds = timeout
      target.firstByteTimeoutMilliseconds = timeout
      target.overrideHost = nil
      return target
    }
  }

  private let eventLoop: any EventLoop
  private let connector: any BackendConnecting
  private var probes: [BackendDefinition: Probe] = [:]

  init(eventLoop: any EventLoop, connector: any BackendConnecting) {
    self.eventLoop = eventLoop
    self.connector = connector
  }

  /// A guest has registered the backend: it is probed from now on, at once for the first time.
  func watch(_ definition: BackendDefinition) {
    guard let check = definition.healthCheck else { return }
    if let known = probes[definition] {
      known.lastUse = .now()
      return
    }
    guard probes.count < Self.maximumProbes else { return }
    let probe = Probe(definition, check)
    probes[definition] = probe
    run(probe)
  }

  /// What the last probes say; nil where the backend is not probed.
  func health(of definition: BackendDefinition) -> BackendHealth? { probes[definition]?.results.health }

  /// For the end of the process.
  func shutdown() { probes = [:] }

  private func run(_ probe: Probe) {
    guard probes[probe.definition] === probe else { return }
    guard .now() - probe.lastUse < Self.patience else {
      probes[probe.definition] = nil
      return
    }
    let target = probe.target
    let head = RequestHead(
      method: probe.check.method, uri: probe.check.path, headers: HeaderList([("host", probe.check.host)]))
    guard let wire = try? BackendTarget.wireHead(for: head, to: target) else {
      probe.results.record(isGood: false)
      return schedule(probe)
    }
    let exchange = connector.send(BackendRequest(head: wire, framing: .automatic, body: .empty), to: target)
    exchange.onSettled = { [unowned exchange] in
      var isGood = false
      if case .responded(let head, let body) = exchange.state {
        isGood = head.status == probe.check.expectedStatus
        body.cancel()
      }
      probe.results.record(isGood: isGood)
      self.schedule(probe)
    }
  }

  private func schedule(_ probe: Probe) {
    let bound = NIOLoopBound((self, probe), eventLoop: eventLoop)
    eventLoop.scheduleTask(in: .milliseconds(probe.check.intervalMilliseconds)) { bound.value.0.run(bound.value.1) }
  }
}
