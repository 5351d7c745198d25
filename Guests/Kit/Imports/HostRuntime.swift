// The imports of `fastly_compute_runtime`: facts on the sandbox. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_compute_runtime", name: "get_vcpu_ms") @_extern(c, "fastly_compute_runtime_get_vcpu_ms")
func hostRuntimeGetVcpuMs(_ vcpuMsOut: UnsafeMutablePointer<UInt64>?) -> UInt32

@_extern(wasm, module: "fastly_compute_runtime", name: "get_heap_mib")
@_extern(c, "fastly_compute_runtime_get_heap_mib")
func hostRuntimeGetHeapMib(_ memoryMibOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_compute_runtime", name: "get_sandbox_id")
@_extern(c, "fastly_compute_runtime_get_sandbox_id")
func hostRuntimeGetSandboxId(
  _ sandboxIdOut: UnsafeMutablePointer<UInt8>?, _ sandboxIdMaxLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_compute_runtime", name: "get_trace_id")
@_extern(c, "fastly_compute_runtime_get_trace_id")
func hostRuntimeGetTraceId(
  _ traceIdOut: UnsafeMutablePointer<UInt8>?, _ traceIdMaxLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_compute_runtime", name: "get_service_version")
@_extern(c, "fastly_compute_runtime_get_service_version")
func hostRuntimeGetServiceVersion(
  _ serviceVersionOut: UnsafeMutablePointer<UInt8>?, _ serviceVersionMaxLen: UInt32,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_compute_runtime", name: "get_hostname")
@_extern(c, "fastly_compute_runtime_get_hostname")
func hostRuntimeGetHostname(
  _ hostnameOut: UnsafeMutablePointer<UInt8>?, _ hostnameMaxLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32
