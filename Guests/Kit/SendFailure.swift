/// Why a backend request failed: the record that the `_v2` and `_v3` sends fill in.
struct SendErrorDetail {
  /// The mask bits that name the optional fields.
  enum Field {
    static let dnsErrorCode: UInt32 = 2
    static let dnsErrorInfoCode: UInt32 = 4
    static let tlsAlert: UInt32 = 8
    static let http2Error: UInt32 = 16
  }

  var tag: UInt32 = 0
  /// In: the fields that this kit knows. Out: the fields that the host filled.
  var mask = Field.dnsErrorCode | Field.dnsErrorInfoCode | Field.tlsAlert | Field.http2Error
  var dnsErrorCode: UInt16 = 0
  var dnsErrorInfoCode: UInt16 = 0
  var tlsAlert: UInt8 = 0
  var http2Frame: UInt8 = 0
  var http2Error: UInt32 = 0

  /// The name that the ABI gives to the tag.
  var name: Text {
    switch tag {
    case 0: "uninitialized"
    case 1: "ok"
    case 2: "dns_timeout"
    case 3: "dns_error"
    case 4: "destination_not_found"
    case 5: "destination_unavailable"
    case 6: "destination_ip_unroutable"
    case 7: "connection_refused"
    case 8: "connection_terminated"
    case 9: "connection_timeout"
    case 10: "connection_limit_reached"
    case 11: "tls_certificate_error"
    case 12: "tls_configuration_error"
    case 13: "http_incomplete_response"
    case 14: "http_response_header_section_too_large"
    case 15: "http_response_body_too_large"
    case 16: "http_response_timeout"
    case 17: "http_response_status_invalid"
    case 18: "http_upgrade_failed"
    case 19: "http_protocol_error"
    case 20: "http_request_cache_key_invalid"
    case 21: "http_request_uri_invalid"
    case 22: "internal_error"
    case 23: "tls_alert_received"
    case 24: "tls_protocol_error"
    case 25: "h2_error"
    default: "unknown_\(tag)"
    }
  }
}

/// A backend's answer: the head, and the body that may still be arriving.
struct Exchange {
  let response: Response
  let body: Body
}

/// A failed send: the hostcall's status and, from the newer hostcalls, the reason.
struct SendFailure {
  let status: Status
  /// Untouched (`uninitialized`) after hostcalls without detail.
  let detail: SendErrorDetail
}

/// What a send came to.
enum SendOutcome {
  case response(Exchange)
  case failed(SendFailure)

  /// The exchange, or the failure's status thrown.
  func get() throws(Status) -> Exchange {
    switch self {
    case .response(let exchange): return exchange
    case .failed(let failure): throw failure.status
    }
  }

  init(status: Status, detail: SendErrorDetail, response: UInt32, body: UInt32) {
    // The first select hostcall reports a failed member as `ok` with invalid handles.
    if status == .ok, response != invalidHandle {
      self = .response(Exchange(response: Response(handle: response), body: Body(handle: body)))
    } else {
      self = .failed(SendFailure(status: status == .ok ? .error : status, detail: detail))
    }
  }

  /// Makes a hostcall that answers a response and a body, and takes a detail record.
  static func of(
    _ call: (UnsafeMutableRawPointer, UnsafeMutablePointer<UInt32>, UnsafeMutablePointer<UInt32>)
      -> UInt32
  ) -> SendOutcome {
    var detail = SendErrorDetail()
    var response = invalidHandle
    var body = invalidHandle
    let status = Status(code: call(&detail, &response, &body))
    return SendOutcome(status: status, detail: detail, response: response, body: body)
  }
}
