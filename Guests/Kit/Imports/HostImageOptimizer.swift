// The imports of `fastly_image_optimizer`: image optimization. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_image_optimizer", name: "transform_image_optimizer_request")
@_extern(c, "fastly_image_optimizer_transform_image_optimizer_request")
func hostImageOptimizerTransformImageOptimizerRequest(
  _ originImageRequest: UInt32, _ originImageRequestBody: UInt32, _ originImageRequestBackendPtr: UnsafePointer<UInt8>?,
  _ originImageRequestBackendLen: UInt32, _ ioTransformConfigMask: UInt32,
  _ ioTransformConfiguration: UnsafeMutableRawPointer?, _ ioErrorDetail: UnsafeMutableRawPointer?,
  _ responseHandleOut: UnsafeMutablePointer<UInt32>?, _ bodyHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32
