import ComputeABI
import FastlikeProfile

/// `fastly_log`.
extension Sandbox {
  /// The same name gives the same handle. Names that the platform keeps for itself are `inval`.
  func logEndpointGet(name: GuestBytes) throws(Status) -> EndpointHandle {
    let name = String(decoding: name.raw, as: UTF8.self)
    let lowercased = name.lowercased()
    if lowercased == "stdout" || lowercased == "stderr" || lowercased.hasPrefix("fst_managed_") { throw .inval }
    if name.isEmpty || name.contains("\n") || name.contains(":") { throw .inval }
    trace?.label(.logEndpoint, name)
    if let known = endpoints.firstIndex(where: { $0.name == name }) { return EndpointHandle(rawValue: UInt32(known)) }
    guard endpoints.count < 1024 else { throw .limitexceeded }
    endpoints.append(service.logs.endpoint(name, service.configuration.logDestination(of: name)))
    return EndpointHandle(rawValue: UInt32(endpoints.count - 1))
  }

  func logWrite(handle: EndpointHandle, msg: GuestBytes) throws(Status) -> UInt32 {
    guard Int(handle.rawValue) < endpoints.count else { throw .badf }
    let endpoint = endpoints[Int(handle.rawValue)]
    trace?.label(.logEndpoint, endpoint.name)
    service.logs.write(msg.raw, to: endpoint)
    return UInt32(msg.count)
  }
}
