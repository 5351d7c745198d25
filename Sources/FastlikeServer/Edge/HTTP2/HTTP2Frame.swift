import NIOCore

/// The kinds of frames (RFC 9113 §6).
enum HTTP2FrameType: UInt8 {
  case data = 0
  case headers = 1
  case priority = 2
  case resetStream = 3
  case settings = 4
  case pushPromise = 5
  case ping = 6
  case goAway = 7
  case windowUpdate = 8
  case continuation = 9
}

/// The bits of a frame's flags; a bit's meaning depends on the type.
enum HTTP2Flags {
  static let endStream: UInt8 = 0x1
  static let acknowledgement: UInt8 = 0x1
  static let endHeaders: UInt8 = 0x4
  static let padded: UInt8 = 0x8
  static let priority: UInt8 = 0x20
}

/// Why a stream or connection ends (RFC 9113 §7).
enum HTTP2ErrorCode: UInt32, Sendable {
  case noError = 0
  case protocolError = 1
  case internalError = 2
  case flowControlError = 3
  case streamClosed = 5
  case frameSizeError = 6
  case refusedStream = 7
  case cancel = 8
  case compressionError = 9
  case enhanceYourCalm = 11
}

/// The settings that are known here (RFC 9113 §6.5.2).
enum HTTP2SettingID {
  static let headerTableSize: UInt16 = 1
  static let enablePush: UInt16 = 2
  static let maximumConcurrentStreams: UInt16 = 3
  static let initialWindowSize: UInt16 = 4
  static let maximumFrameSize: UInt16 = 5
  static let maximumHeaderListSize: UInt16 = 6
}

struct HTTP2Setting: Equatable, Sendable {
  var id: UInt16
  var value: UInt32
}

/// What a client said on the order of streams; nothing here follows it (RFC 9113 §5.3.2).
struct HTTP2Priority: Equatable, Sendable {
  var isExclusive: Bool
  var dependency: UInt32
  /// 1…256.
  var weight: Int
}

/// The connection cannot go on (RFC 9113 §5.4.1).
struct HTTP2ConnectionError: Error, Equatable, Sendable {
  let code: HTTP2ErrorCode
  /// For the log and the client's debugging; it quotes nothing of the client.
  let reason: String

  init(_ code: HTTP2ErrorCode, _ reason: String) {
    self.code = code
    self.reason = reason
  }
}

/// What a client sent, with its continuation and padding taken care of.
enum HTTP2Frame {
  /// `flowBytes` are those that count for flow control, padding included.
  case data(stream: UInt32, ByteBuffer, flowBytes: Int, endsStream: Bool)
  case headers(stream: UInt32, block: ByteBuffer, endsStream: Bool)
  case priority(stream: UInt32, HTTP2Priority)
  case resetStream(stream: UInt32)
  case settings([HTTP2Setting])
  case settingsAcknowledgement
  case ping(UInt64)
  case pingAcknowledgement
  case goAway
  case windowUpdate(stream: UInt32, increment: Int)
  /// Of a kind that is not known, which is passed over.
  case unknown
  /// What is wrong concerns this stream alone.
  case malformed(stream: UInt32, HTTP2ErrorCode)
}
