public import FastlikeProfile
public import FastlikeRuntime
import Foundation
import Hummingbird
public import Logging
import NIOCore
import Synchronization

/// The profile page on a listener of its own.
///
/// ```swift
/// let page = try ProfilePage(store: store, settings: ProfilePageSettings(port: 6060), logger: logger)
/// let bound = try await page.start()
/// …
/// await page.stop()
/// ```
///
/// # Security
/// It only reads, and takes samples for what it has. Without a token it answers requests for loopback names alone, when it listens on loopback, and none of
/// other sites' scripts; with one, every request needs it, files and events too.
public final class ProfilePage: Sendable {
  private let routes: PageRoutes
  private let settings: ProfilePageSettings
  private let logger: Logger
  private let running = Mutex<Task<Void, any Error>?>(nil)

  /// - Parameters:
  ///   - store: What is shown; with nil the page says that nothing is recorded.
  ///   - archive: Where traces are looked for that the store keeps no more.
  ///   - inventory: What the service's stores hold at present; with nil there are no pages of them.
  ///   - pushed: What became of the spans that are pushed to a receiver; nil where none are.
  /// - Throws: What ``ProfilePageSettings/validate()`` throws.
  public init(
    store: ProfileStore?, archive: TraceArchive? = nil, inventory: (@Sendable () -> StoreInventory)? = nil,
    pushed: (@Sendable () -> MetricsSnapshot.Push)? = nil,
    settings: ProfilePageSettings, logger: Logger
  ) throws {
    try settings.validate()
    self.settings = settings
    let templates = try PageTemplates()
    routes = PageRoutes(
      store: store, archive: archive, pushed: pushed,
      authorization: ProfilePageAuthorization(token: settings.token, address: settings.address),
      templates: templates,
      stores: StoreRoutes(inventory: inventory, isOpen: settings.showsValues, templates: templates))
    var logger = logger
    // The library reports its own failures as errors, which are thrown from here too; its chatter is for debugging.
    if logger.logLevel > .debug { logger.logLevel = .critical }
    self.logger = logger
  }

  /// Listens. A page is started once.
  /// - Returns: The address that is listened on, with the port that the system chose.
  /// - Throws: ``ProfilePageError``
  public func start() async throws -> (host: String, port: Int) {
    let (bound, announce) = AsyncStream<SocketAddress?>.makeStream()
    let application = Application(
      router: routes.router(), server: .http1(configuration: .init(idleTimeout: .seconds(60))),
      configuration: ApplicationConfiguration(
        address: .hostname(settings.host.isEmpty ? "0.0.0.0" : settings.host, port: settings.port)),
      onServerRunning: { announce.yield($0.localAddress) }, logger: logger)
    let task = Task {
      defer { announce.finish() }
      try await application.run()
    }
    running.withLock { $0 = task }
    for await address in bound {
      return (address?.ipAddress ?? settings.host, address?.port ?? settings.port)
    }
    // The stream ends without an address when the listener could not be made.
    do {
      try await task.value
    } catch {
      throw ProfilePageError(address: settings.address, reason: Self.reason(error))
    }
    throw ProfilePageError(address: settings.address, reason: "it was stopped at once")
  }

  /// Ends all connections and listens no more.
  public func stop() async {
    let task = running.withLock { running in
      defer { running = nil }
      return running
    }
    task?.cancel()
    _ = await task?.result
  }

  private static func reason(_ error: any Error) -> String {
    switch (error as? IOError)?.errnoCode {
    case EADDRINUSE: "another program listens there"
    case EACCES, EPERM: "this user may not listen there"
    case EADDRNOTAVAIL: "this machine has no such address"
    default: "\(error)"
    }
  }
}

/// The page cannot listen where it should.
public struct ProfilePageError: Error, CustomStringConvertible {
  /// Host and port as they were given.
  public let address: String
  /// What went wrong, in words that help to choose another address.
  public let reason: String

  public var description: String { "-profile-ui \(address): cannot listen: \(reason)" }
}
