internal import CWasmtime

/// What Wasmtime reported: a module that does not validate, an import that is missing, a file that is not its own.
public struct WasmtimeError: Error, Sendable, CustomStringConvertible {
  public var message: String
  public var description: String { message }

  public init(_ message: String) { self.message = message }

  /// Takes over the C error, which is freed.
  init(consuming error: OpaquePointer) {
    var text = wasm_byte_vec_t()
    wasmtime_error_message(error, &text)
    message = String(wasm: text)
    wasm_byte_vec_delete(&text)
    wasmtime_error_delete(error)
  }

  static func check(_ error: OpaquePointer?) throws(WasmtimeError) {
    if let error { throw WasmtimeError(consuming: error) }
  }
}

/// One WebAssembly frame of a backtrace, innermost first.
public struct WasmFrame: Sendable, Equatable {
  public var functionIndex: UInt32
  /// From the name section, as the compiler wrote it.
  public var functionName: String?
  /// Byte offset of the instruction within its function.
  public var functionOffset: Int

  static func frames(of vector: wasm_frame_vec_t) -> [WasmFrame] {
    (0..<vector.size).compactMap { index in
      guard let frame = vector.data[index] else { return nil }
      return WasmFrame(
        functionIndex: wasm_frame_func_index(frame),
        functionName: wasmtime_frame_func_name(frame).map { String(wasm: $0.pointee) },
        functionOffset: wasm_frame_func_offset(frame))
    }
  }
}

/// Why a guest was stopped by WebAssembly itself.
public struct WasmTrap: Sendable {
  /// What happened, such as `out of bounds memory access`; nil for an error that is no trap.
  public var reason: String?
  public var message: String
  public var frames: [WasmFrame]

  /// Takes over the C trap, which is freed.
  init(consuming trap: OpaquePointer) {
    var text = wasm_byte_vec_t()
    wasm_trap_message(trap, &text)
    // The C string's terminator counts in this one message.
    message = String(
      decoding: UnsafeBufferPointer(start: text.data, count: text.size).filter { $0 != 0 }, as: UTF8.self)
    wasm_byte_vec_delete(&text)
    reason = WasmTrap.reason(in: message)
    var vector = wasm_frame_vec_t()
    wasm_trap_trace(trap, &vector)
    frames = WasmFrame.frames(of: vector)
    wasm_frame_vec_delete(&vector)
    wasm_trap_delete(trap)
  }

  /// Takes over the C error, which is freed; a trap that comes out of a fiber is one.
  init(consumingError error: OpaquePointer) {
    var vector = wasm_frame_vec_t()
    wasmtime_error_wasm_trace(error, &vector)
    frames = WasmFrame.frames(of: vector)
    wasm_frame_vec_delete(&vector)
    message = WasmtimeError(consuming: error).message
    reason = WasmTrap.reason(in: message)
  }

  /// Wasmtime's messages name the trap behind the backtrace, and other causes as a list.
  private static func reason(in message: String) -> String? {
    if let mark = message.firstRange(of: "wasm trap: ") {
      return String(message[mark.upperBound...].prefix { $0 != "\n" })
    }
    guard let mark = message.firstRange(of: "Caused by:\n") else { return nil }
    let cause = message[mark.upperBound...].prefix { $0 != "\n" }
    return String(cause.drop { $0 == " " || $0 == ":" || $0.isNumber })
  }
}

extension String {
  init(wasm text: wasm_byte_vec_t) {
    self.init(decoding: UnsafeBufferPointer(start: text.data, count: text.size), as: UTF8.self)
  }
}
