import Dispatch
import Foundation

/// The signals that a server answers, as a stream.
///
/// The sources are made once and only kept, hence `@unchecked Sendable`.
final class Signals: @unchecked Sendable {
  enum Kind: Sendable {
    /// SIGINT or SIGTERM.
    case end
    /// SIGHUP.
    case reload
  }

  let stream: AsyncStream<Kind>
  private let sources: [any DispatchSourceSignal]

  /// Takes the signals over from the system's own handling. When it is done, none is lost any more.
  init(reload: Bool) {
    let (stream, continuation) = AsyncStream.makeStream(of: Kind.self)
    self.stream = stream
    let kinds: [(Int32, Kind)] = [(SIGINT, .end), (SIGTERM, .end)] + (reload ? [(SIGHUP, .reload)] : [])
    let registered = DispatchGroup()
    sources = kinds.map { number, kind in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { continuation.yield(kind) }
      registered.enter()
      source.setRegistrationHandler { registered.leave() }
      source.resume()
      return source
    }
    registered.wait()
  }
}
