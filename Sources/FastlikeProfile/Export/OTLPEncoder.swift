internal import Foundation
internal import SwiftProtobuf

/// Writes traces as spans of the OpenTelemetry protocol (OTLP 1.x, HTTP semantic conventions 1.x).
///
/// A request is a span of kind server; its backend calls are spans of kind client below it. Of hostcalls the longest can
/// be spans of kind internal too. Where the time went is in attributes that begin with `fastlike.`, in nanoseconds.
public struct OTLPEncoder: Sendable {
  /// How the messages are written.
  public enum Format: String, Sendable, CaseIterable {
    /// `http/protobuf`
    case protobuf
    /// `http/json`
    case json

    /// The media type.
    public var contentType: String {
      switch self {
      case .protobuf: "application/x-protobuf"
      case .json: "application/json"
      }
    }
  }

  /// A body to send.
  public struct Batch: Sendable {
    public let bytes: [UInt8]
    /// How many spans are in it.
    public let spans: Int
  }

  /// Most hostcalls of a request that can be spans.
  public static let maximumHostcalls = 1000
  private static let schema = "https://opentelemetry.io/schemas/1.27.0"

  /// What is sent, such as `service.name`.
  public let resource: [(key: String, value: String)]
  /// The version of the program that records.
  public let version: String
  /// How many hostcalls of a request become spans: the longest ones.
  public let hostcalls: Int
  public let format: Format

  public init(
    resource: [(key: String, value: String)], version: String, hostcalls: Int = 0, format: Format = .protobuf
  ) {
    self.resource = resource
    self.version = version
    self.hostcalls = min(max(0, hostcalls), Self.maximumHostcalls)
    self.format = format
  }

  /// The spans of these requests. One without a place in a distributed trace begins a trace of its own.
  public func encode(_ traces: [RequestTrace]) -> Batch {
    var scope = OTLPMessageScopeSpans()
    scope.scope.name = "fastlike"
    scope.scope.version = version
    scope.schemaURL = Self.schema
    for trace in traces {
      var request = OTLPRequestSpans(trace, context: trace.context ?? .root(), format: format)
      request.addAll(hostcalls: hostcalls)
      scope.spans += request.spans
    }
    var spans = OTLPMessageResourceSpans()
    spans.resource.attributes = resource.map { .text($0.key, $0.value) }
    spans.scopeSpans = [scope]
    var request = OTLPMessageExportTraceServiceRequest()
    request.resourceSpans = [spans]
    return Batch(bytes: format == .json ? request.jsonBytes() : request.wireBytes(), spans: scope.spans.count)
  }

  /// How many spans a receiver did not take, as it says in its answer; 0 for an answer that says nothing of it.
  public func rejectedSpans(in answer: [UInt8]) -> Int64 {
    let response =
      switch format {
      case .protobuf: try? OTLPMessageExportTraceServiceResponse(serializedBytes: answer)
      case .json: try? OTLPMessageExportTraceServiceResponse(jsonUTF8Bytes: answer, options: .lenient)
      }
    return max(0, response?.partialSuccess.rejectedSpans ?? 0)
  }
}

extension OTLPMessageKeyValue {
  static func text(_ key: String, _ value: String) -> OTLPMessageKeyValue { make(key, .stringValue(value)) }
  static func number(_ key: String, _ value: Int64) -> OTLPMessageKeyValue { make(key, .intValue(value)) }
  static func flag(_ key: String, _ value: Bool) -> OTLPMessageKeyValue { make(key, .boolValue(value)) }

  private static func make(_ key: String, _ value: OTLPMessageAnyValue.OneOf_Value) -> OTLPMessageKeyValue {
    var attribute = OTLPMessageKeyValue()
    attribute.key = key
    attribute.value.value = value
    return attribute
  }
}

extension OTLPEncoder.Format {
  /// An id as the message holds it.
  ///
  /// In JSON, OTLP wants ids in hexadecimal digits where protobuf has base64. Those digits are base64 too: the bytes that
  /// they stand for there are what makes the digits come out.
  /// - Parameter parts: Eight bytes each, the most significant first.
  func identifier(_ parts: UInt64...) -> Data {
    switch self {
    case .json: Data(base64Encoded: parts.map(TraceContext.text).joined()) ?? Data()
    case .protobuf:
      Data(parts.flatMap { part in stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: part >> $0) } })
    }
  }
}
