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

extension Message {
  /// The message in proto3's JSON, with numbers for enumerations.
  func jsonBytes() -> [UInt8] {
    var options = JSONEncodingOptions()
    options.alwaysPrintEnumsAsInts = true
    do {
      return try jsonUTF8Bytes(options: options)
    } catch {
      // Only well-known types, which our messages do not have, can hold what JSON cannot.
      preconditionFailure("cannot write \(Self.protoMessageName): \(error)")
    }
  }
}

extension JSONDecodingOptions {
  /// For the messages of others, which have fields that ours leave out.
  static var lenient: JSONDecodingOptions {
    var options = JSONDecodingOptions()
    options.ignoreUnknownFields = true
    return options
  }
}
