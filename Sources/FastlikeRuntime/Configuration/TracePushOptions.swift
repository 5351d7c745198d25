public import FastlikeProfile

/// Where and how traces are pushed to a receiver of the OpenTelemetry protocol over HTTP.
public struct TracePushOptions: Sendable, Equatable {
  /// The address that requests are sent to, path included.
  public var endpoint: String
  /// Header fields of every request. Values may be secrets.
  public var headers: [HeaderField] = []
  public var format = OTLPEncoder.Format.protobuf
  /// Whether bodies are gzipped.
  public var compresses = false
  /// The longest that one request to the receiver may take.
  public var timeout = Duration.seconds(10)
  /// A file of certificates that the receiver's is checked against; nil are the system's.
  public var certificateFile: String?
  /// The files of a certificate to show to the receiver, and of its key.
  public var clientCertificateFile: String?
  public var clientKeyFile: String?
  /// What every span belongs to, `service.name` first.
  public var resource: [Attribute] = [Attribute(key: "service.name", value: "fastlike")]
  public var sampler = TraceContextSampler()
  /// How many hostcalls of a request become spans: the longest ones.
  public var hostcalls = 0
  /// Most spans that wait to be sent. What comes beyond is dropped and counted.
  public var queueSize = 16_384
  /// Spans of one request to the receiver, about.
  public var batchSize = 512
  /// How long spans wait for others.
  public var delay = Duration.seconds(5)
  /// How long what is left may take to be sent at the end.
  public var flushTime = Duration.seconds(10)

  public init(endpoint: String) { self.endpoint = endpoint }

  public struct HeaderField: Sendable, Equatable {
    public var name: String
    public var value: String
  }

  public struct Attribute: Sendable, Equatable {
    public var key: String
    public var value: String
  }
}
