// The imports of `wasi_snapshot_preview1`: the part of WASI preview 1 in use. Each function answers a WASI errno.

@_extern(wasm, module: "wasi_snapshot_preview1", name: "args_get") @_extern(c, "wasi_snapshot_preview1_args_get")
func wasiArgsGet(_ argv: UnsafeMutablePointer<UInt32>?, _ argvBuf: UnsafeMutablePointer<UInt8>?) -> UInt32

@_extern(wasm, module: "wasi_snapshot_preview1", name: "args_sizes_get")
@_extern(c, "wasi_snapshot_preview1_args_sizes_get")
func wasiArgsSizesGet(_ argcOut: UnsafeMutablePointer<UInt32>?, _ argvBufSizeOut: UnsafeMutablePointer<UInt32>?)
  -> UInt32

@_extern(wasm, module: "wasi_snapshot_preview1", name: "clock_time_get")
@_extern(c, "wasi_snapshot_preview1_clock_time_get")
func wasiClockTimeGet(_ id: UInt32, _ precision: UInt64, _ timeOut: UnsafeMutablePointer<UInt64>?) -> UInt32

@_extern(wasm, module: "wasi_snapshot_preview1", name: "environ_get") @_extern(c, "wasi_snapshot_preview1_environ_get")
func wasiEnvironGet(_ environ: UnsafeMutablePointer<UInt32>?, _ environBuf: UnsafeMutablePointer<UInt8>?) -> UInt32

@_extern(wasm, module: "wasi_snapshot_preview1", name: "environ_sizes_get")
@_extern(c, "wasi_snapshot_preview1_environ_sizes_get")
func wasiEnvironSizesGet(
  _ environCountOut: UnsafeMutablePointer<UInt32>?, _ environBufSizeOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "wasi_snapshot_preview1", name: "fd_close") @_extern(c, "wasi_snapshot_preview1_fd_close")
func wasiFdClose(_ fd: UInt32) -> UInt32

@_extern(wasm, module: "wasi_snapshot_preview1", name: "fd_fdstat_get")
@_extern(c, "wasi_snapshot_preview1_fd_fdstat_get")
func wasiFdFdstatGet(_ fd: UInt32, _ fdstatOut: UnsafeMutableRawPointer?) -> UInt32

@_extern(wasm, module: "wasi_snapshot_preview1", name: "fd_prestat_get")
@_extern(c, "wasi_snapshot_preview1_fd_prestat_get")
func wasiFdPrestatGet(_ fd: UInt32, _ prestatOut: UnsafeMutableRawPointer?) -> UInt32

@_extern(wasm, module: "wasi_snapshot_preview1", name: "fd_read") @_extern(c, "wasi_snapshot_preview1_fd_read")
func wasiFdRead(
  _ fd: UInt32, _ iovsPtr: UnsafeRawPointer?, _ iovsLen: UInt32, _ nreadOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "wasi_snapshot_preview1", name: "fd_write") @_extern(c, "wasi_snapshot_preview1_fd_write")
func wasiFdWrite(
  _ fd: UInt32, _ ciovsPtr: UnsafeRawPointer?, _ ciovsLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "wasi_snapshot_preview1", name: "path_open") @_extern(c, "wasi_snapshot_preview1_path_open")
func wasiPathOpen(
  _ fd: UInt32, _ dirflags: UInt32, _ pathPtr: UnsafePointer<UInt8>?, _ pathLen: UInt32, _ oflags: UInt32,
  _ rightsBase: UInt64, _ rightsInheriting: UInt64, _ fdflags: UInt32, _ fdOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "wasi_snapshot_preview1", name: "poll_oneoff") @_extern(c, "wasi_snapshot_preview1_poll_oneoff")
func wasiPollOneoff(
  _ inPtr: UnsafeRawPointer?, _ events: UnsafeMutableRawPointer?, _ nsubscriptions: UInt32,
  _ neventsOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "wasi_snapshot_preview1", name: "proc_exit") @_extern(c, "wasi_snapshot_preview1_proc_exit")
func wasiProcExit(_ rval: UInt32)

@_extern(wasm, module: "wasi_snapshot_preview1", name: "random_get") @_extern(c, "wasi_snapshot_preview1_random_get")
func wasiRandomGet(_ buf: UnsafeMutablePointer<UInt8>?, _ bufLen: UInt32) -> UInt32

@_extern(wasm, module: "wasi_snapshot_preview1", name: "sched_yield") @_extern(c, "wasi_snapshot_preview1_sched_yield")
func wasiSchedYield() -> UInt32
