import Foundation
import Logging

/// Log lines as a person at a terminal reads them: `fastlike: LEVEL: MESSAGE`, to the standard error.
struct PlainLog: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level = .info

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let level = event.level <= .info ? "" : "\(event.level): "
    FileHandle.standardError.write(Data("fastlike: \(level)\(event.message)\n".utf8))
  }
}
