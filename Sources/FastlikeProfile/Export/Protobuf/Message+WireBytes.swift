import SwiftProtobuf

extension Message {
  /// The message as bytes. It must be shorter than two gigabytes: long lists are written in batches.
  func wireBytes() -> [UInt8] {
    do {
      return try serializedBytes()
    } catch {
      // What else makes a message unwritable is a missing required field, which our messages do not have.
      preconditionFailure("cannot write \(Self.protoMessageName): \(error)")
    }
  }
}
