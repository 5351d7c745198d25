/// What a hostcall answers. Everything but `ok` is thrown by the kit.
enum Status: UInt32, Error {
  case ok = 0
  case error, inval, badf, buflen, unsupported, badalign
  case httpinvalid, httpuser, httpincomplete
  case none, httpheadtoolarge, httpinvalidstatus, limitexceeded, again

  /// The status of a raw result; a number outside the ABI counts as `error`.
  init(code: UInt32) {
    self = Status(rawValue: code) ?? .error
  }

  /// The name that the ABI gives to the status.
  var name: Text {
    switch self {
    case .ok: "ok"
    case .error: "error"
    case .inval: "inval"
    case .badf: "badf"
    case .buflen: "buflen"
    case .unsupported: "unsupported"
    case .badalign: "badalign"
    case .httpinvalid: "httpinvalid"
    case .httpuser: "httpuser"
    case .httpincomplete: "httpincomplete"
    case .none: "none"
    case .httpheadtoolarge: "httpheadtoolarge"
    case .httpinvalidstatus: "httpinvalidstatus"
    case .limitexceeded: "limitexceeded"
    case .again: "again"
    }
  }
}

/// The handle that stands for "no handle" in the ABI.
let invalidHandle: UInt32 = 0xffff_fffe

/// Throws the status of a raw hostcall result unless it is `ok`.
func check(_ code: UInt32) throws(Status) {
  if code != 0 { throw Status(code: code) }
}

/// Makes a hostcall that answers one 32-bit number.
func number(_ call: (UnsafeMutablePointer<UInt32>) -> UInt32) throws(Status) -> UInt32 {
  var result: UInt32 = 0
  try check(call(&result))
  return result
}
