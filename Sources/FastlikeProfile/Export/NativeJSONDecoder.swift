public import Foundation

/// Bytes that are no trace in the native schema. The text names places and never repeats what stands there.
public enum NativeJSONError: Error, Equatable, CustomStringConvertible {
  /// Not JSON, from this byte on (0 when the place is not known).
  case malformed(offset: Int)
  /// A value is missing or is not what the schema says.
  case invalid(path: String, reason: String)
  /// More bytes than are read.
  case tooLarge(limit: Int)

  public var description: String {
    switch self {
    case .malformed(let offset): "native trace: not JSON at byte \(offset)"
    case .invalid(let path, let reason): "native trace: \(path.isEmpty ? "top level" : path): \(reason)"
    case .tooLarge(let limit): "native trace: larger than the \(limit) bytes that are read"
    }
  }
}

/// Reads traces in the native schema: what ``NativeJSONEncoder`` of this or another version wrote, and the Go
/// fastlike's. Keys that are not known are left out; missing ones that are optional have defaults.
public enum NativeJSONDecoder {
  /// Most bytes that are read by default.
  public static let defaultLimit = 256 << 20

  /// One trace, or `{"traces": [ … ]}`, or an array of traces.
  /// - Throws: ``NativeJSONError``
  public static func decode(
    _ bytes: some DataProtocol, limit: Int = NativeJSONDecoder.defaultLimit
  ) throws(NativeJSONError) -> [RequestTrace] {
    guard bytes.count <= limit else { throw .tooLarge(limit: limit) }
    do {
      return try JSONDecoder().decode(NativeJSONFile.self, from: Data(bytes)).traces
    } catch let error as DecodingError {
      throw describe(error)
    } catch {
      throw .malformed(offset: 0)
    }
  }

  private static func describe(_ error: DecodingError) -> NativeJSONError {
    switch error {
    case .typeMismatch(let type, let context):
      return .invalid(path: path(context), reason: "is not \(word(for: type))")
    case .valueNotFound(let type, let context):
      return .invalid(path: path(context), reason: "is null and not \(word(for: type))")
    case .keyNotFound(let key, let context):
      return .invalid(path: path(context, key), reason: "is missing")
    case .dataCorrupted(let context):
      if let reason = context.underlyingError as? NativeJSONReason {
        return .invalid(path: path(context), reason: reason.text)
      }
      if !context.codingPath.isEmpty { return .invalid(path: path(context), reason: "is out of range") }
      let place = (context.underlyingError as NSError?)?.userInfo["NSJSONSerializationErrorIndex"] as? Int
      return .malformed(offset: place ?? 0)
    @unknown default:
      return .malformed(offset: 0)
    }
  }

  private static func path(_ context: DecodingError.Context, _ last: (any CodingKey)? = nil) -> String {
    (context.codingPath + (last.map { [$0] } ?? []))
      .reduce(into: "") { path, key in
        if let index = key.intValue {
          path += "[\(index)]"
        } else {
          path += (path.isEmpty ? "" : ".") + PrintableText.bounded(key.stringValue, to: 64)
        }
      }
  }

  private static func word(for type: any Any.Type) -> String {
    switch type {
    case is String.Type: "a string"
    case is Bool.Type: "true or false"
    case is any BinaryInteger.Type, is any BinaryFloatingPoint.Type: "a whole number"
    case is [Any].Type: "an array"
    default: "an object"
    }
  }
}

/// Why a value that JSON allows is refused; carried inside of a `DecodingError`.
struct NativeJSONReason: Error {
  let text: String
}

/// Either form of a file.
private struct NativeJSONFile: Decodable {
  let traces: [RequestTrace]

  private enum Key: String, CodingKey { case traces }

  init(from decoder: any Decoder) throws {
    if var list = try? decoder.unkeyedContainer() {
      var found: [RequestTrace] = []
      while !list.isAtEnd { found.append(try list.decode(DecodedTrace.self).trace) }
      traces = found
    } else {
      let container = try decoder.container(keyedBy: Key.self)
      if container.contains(.traces) {
        traces = try container.decode([DecodedTrace].self, forKey: .traces).map(\.trace)
      } else {
        traces = [try DecodedTrace(from: decoder).trace]
      }
    }
  }
}
