import ComputeABI

/// `fastly_http_req.inspect`: the next-generation firewall, which has no local counterpart and lets everything pass.
extension Sandbox {
  func httpReqInspect(
    req: RequestHandle, body: BodyHandle, inspInfoMask: InspectInfoMask, inspInfo: InspectInfo, buf: GuestOutput
  ) throws(Status) -> Blocking<Void> {
    _ = try guestRequest(req)
    _ = try plainBody(body)
    if inspInfoMask.contains(.reserved) { throw .inval }
    guard inspInfoMask.contains([.corp, .workspace]), !(try inspInfo.corp().string().isEmpty),
      !(try inspInfo.workspace().string().isEmpty)
    else { throw .inval }
    if inspInfoMask.contains(.overrideClientIP) {
      guard [0, 4, 16].contains(try inspInfo.overrideClientIP().count) else { throw .inval }
    }
    try buf.write(#"{"waf_response":200,"redirect_url":"","tags":[],"verdict":"allow","decision_ms":0}"#)
    return .ready(())
  }
}
