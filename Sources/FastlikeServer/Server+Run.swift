public import FastlikeRuntime
import Foundation
import Logging
import NIOCore
import NIOPosix

extension Server {
  /// Runs a program once with a request made up for it, and returns the exit code for the process: the guest's own, 134
  /// after a trap, 1 where it could not run.
  public static func run(_ options: RunOptions) async throws -> Int32 {
    let loader = ServiceLoader(
      module: options.module,
      arguments: [URL(fileURLWithPath: options.module).deletingPathExtension().lastPathComponent] + options.arguments,
      options: options.service, execution: options.execution, logger: log(options.execution))
    let service = try loader.load()
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let eventLoop = group.next()
    let ending = eventLoop.makePromise(of: GuestEnding.self)
    eventLoop.execute {
      let body = BodyPipe(expectedLength: 0)
      body.finish()
      let head = RequestHead(uri: "/", headers: HeaderList([("host", "example.com")]))
      let connection = DownstreamConnection(
        clientAddress: try? SocketAddress(ipAddress: "127.0.0.1", port: 0),
        serverAddress: try? SocketAddress(ipAddress: "127.0.0.1", port: 80))
      let request = DownstreamRequest(head: head, body: body, connection: connection)
      service.run(request, responder: DiscardingResponder(), on: eventLoop) { ending.succeed($0) }
    }
    let result = try await ending.futureResult.get()
    loader.shared.closeStores()
    try? await loader.shared.shutdown(on: eventLoop).get()
    try? await group.shutdownGracefully()
    switch result {
    case .returned: return 0
    case .exited(let status): return Int32(status & 0xff)
    case .trapped: return 134
    case .stopped, .refused: return 1
    }
  }
}
