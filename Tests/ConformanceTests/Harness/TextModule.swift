/// Small guests in WebAssembly's text format.
enum TextModule {
  /// Does nothing.
  static let empty = #"(module (memory (export "memory") 1) (func (export "_start")))"#

  static let trapping = #"(module (memory (export "memory") 1) (func (export "_start") unreachable))"#

  /// Ends with `proc_exit`.
  static func exiting(_ status: Int) -> String {
    """
    (module
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1)
      (func (export "_start") (call $exit (i32.const \(status)))))
    """
  }

  /// Writes its arguments, each with a NUL behind it.
  static let printingArguments = """
    (module
      (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "args_get" (func $get (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "_start")
        (drop (call $sizes (i32.const 0) (i32.const 4)))
        (drop (call $get (i32.const 1024) (i32.const 4096)))
        (i32.store (i32.const 16) (i32.const 4096))
        (i32.store (i32.const 20) (i32.load (i32.const 4)))
        (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))))
    """

  /// Answers every request with that text.
  static func answering(_ text: String) -> String {
    """
    (module
      (import "fastly_http_resp" "new" (func $response (param i32) (result i32)))
      (import "fastly_http_resp" "send_downstream" (func $send (param i32 i32 i32) (result i32)))
      (import "fastly_http_body" "new" (func $body (param i32) (result i32)))
      (import "fastly_http_body" "write" (func $write (param i32 i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 64) "\(text)")
      (func (export "_start")
        (drop (call $response (i32.const 0)))
        (drop (call $body (i32.const 4)))
        (drop (call $write (i32.load (i32.const 4)) (i32.const 64) (i32.const \(text.utf8.count)) (i32.const 0)
          (i32.const 8)))
        (drop (call $send (i32.load (i32.const 0)) (i32.load (i32.const 4)) (i32.const 0)))))
    """
  }

  /// Imports two functions that do not exist beside one that does, and calls one of them if `isCalled`.
  static func unknownImports(isCalled: Bool) -> String {
    """
    (module
      (import "fastly_http_req" "no_such_call" (func $first (param i32) (result i32)))
      (import "nowhere" "at_all" (func $second))
      (import "fastly_http_resp" "new" (func $known (param i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "_start") \(isCalled ? "(call $second)" : "")))
    """
  }
}
