internal import CWasmtime
internal import Wasmtime

/// The functions of `wasi_snapshot_preview1` beyond those that Compute programs use. Some compilers' standard libraries
/// import all of preview 1, so these are linked too: a host without files answers them honestly, and nothing is traced.
enum WASIRemainder {
  /// Standard streams cannot be seen or set so.
  private static let unsupportedOnStreams: wasmtime_func_unchecked_callback_t = { _, _, raw, _ in
    WASIRemainder.answer(raw, forStreams: .notsup)
  }

  /// Standard streams have no position.
  private static let unseekable: wasmtime_func_unchecked_callback_t = { _, _, raw, _ in
    WASIRemainder.answer(raw, forStreams: .spipe)
  }

  /// Nothing is held back, so there is nothing to do.
  private static let nothingToDo: wasmtime_func_unchecked_callback_t = { _, _, raw, _ in
    WASIRemainder.answer(raw, forStreams: .success)
  }

  private static let notASocket: wasmtime_func_unchecked_callback_t = { _, _, raw, _ in
    WASIRemainder.answer(raw, forStreams: .notsock)
  }

  private static let noDirectory: wasmtime_func_unchecked_callback_t = { _, _, raw, _ in
    raw.unsafelyUnwrapped[0].i32 = Int32(WASIErrno.badf.rawValue)
    return nil
  }

  private static let notImplemented: wasmtime_func_unchecked_callback_t = { _, _, raw, _ in
    raw.unsafelyUnwrapped[0].i32 = Int32(WASIErrno.nosys.rawValue)
    return nil
  }

  /// Both clocks count nanoseconds.
  private static let clockResolution: wasmtime_func_unchecked_callback_t = { _, caller, raw, _ in
    let values = raw.unsafelyUnwrapped
    let (clock, address) = (values[0].i32, UInt32(bitPattern: values[1].i32))
    var status = Status.ok
    do throws(Status) {
      guard clock == 0 || clock == 1 else { throw .wasi(.inval) }
      try HostcallContext.calling(caller).memory.store(UInt64(1), at: address)
    } catch {
      status = error
    }
    values[0].i32 = Int32(status.wasiNumber)
    return nil
  }

  /// The first argument is a descriptor: 0, 1 and 2 are the standard streams, and there are no others.
  private static func answer(
    _ raw: UnsafeMutablePointer<wasmtime_val_raw_t>?, forStreams errno: WASIErrno
  ) -> OpaquePointer? {
    let values = raw.unsafelyUnwrapped
    let isStream = UInt32(bitPattern: values[0].i32) <= 2
    values[0].i32 = Int32(isStream ? errno.rawValue : WASIErrno.badf.rawValue)
    return nil
  }

  private static let callbacks: [String: (parameters: [WasmValueType], callback: wasmtime_func_unchecked_callback_t)] =
    [
      "clock_res_get": ([.i32, .i32], clockResolution),
      "fd_advise": ([.i32, .i64, .i64, .i32], nothingToDo),
      "fd_allocate": ([.i32, .i64, .i64], unsupportedOnStreams),
      "fd_datasync": ([.i32], nothingToDo),
      "fd_fdstat_set_rights": ([.i32, .i64, .i64], unsupportedOnStreams),
      "fd_filestat_set_size": ([.i32, .i64], unsupportedOnStreams),
      "fd_filestat_set_times": ([.i32, .i64, .i64, .i32], unsupportedOnStreams),
      "fd_pwrite": ([.i32, .i32, .i32, .i64, .i32], unseekable),
      "fd_renumber": ([.i32, .i32], unsupportedOnStreams),
      "fd_sync": ([.i32], nothingToDo),
      "fd_tell": ([.i32, .i32], unseekable),
      "path_filestat_set_times": ([.i32, .i32, .i32, .i32, .i64, .i64, .i32], noDirectory),
      "path_link": ([.i32, .i32, .i32, .i32, .i32, .i32, .i32], noDirectory),
      "path_rename": ([.i32, .i32, .i32, .i32, .i32, .i32], noDirectory),
      "path_symlink": ([.i32, .i32, .i32, .i32, .i32], noDirectory),
      "proc_raise": ([.i32], notImplemented),
      "sock_accept": ([.i32, .i32, .i32], notASocket),
      "sock_recv": ([.i32, .i32, .i32, .i32, .i32, .i32], notASocket),
      "sock_send": ([.i32, .i32, .i32, .i32, .i32], notASocket),
      "sock_shutdown": ([.i32, .i32], notASocket),
    ]

  /// The thunk of a function that is not in the table; nil when it is none of WASI's, or has another type.
  static func thunk(module: String, name: String, signature: Module.Signature?) -> HostcallTable.Thunk? {
    guard module == "wasi_snapshot_preview1", let entry = callbacks[name],
      signature == Module.Signature(params: entry.parameters, results: [.i32])
    else { return nil }
    return .immediate(entry.callback)
  }
}
