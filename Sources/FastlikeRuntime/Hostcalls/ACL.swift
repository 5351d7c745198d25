import ComputeABI
import FastlikeProfile

/// `fastly_acl`.
extension Sandbox {
  func aclOpen(name: GuestBytes) throws(Status) -> ACLHandle {
    let name = try name.string()
    guard let list = service.configuration.accessControlLists[name] else { throw .none }
    trace?.label(.acl, name)
    guard let handle = storeHandles.accessControlLists.insert(.init(name: name, list: list)) else {
      throw .limitexceeded
    }
    return ACLHandle(rawValue: handle)
  }

  /// The entry as a body of JSON; without a match no body is made.
  func aclLookup(
    acl: ACLHandle, ipOctets: GuestBytes
  ) throws(Status) -> Blocking<(bodyHandle: BodyHandle?, aclError: ACLError)> {
    guard let opened = storeHandles.accessControlLists[acl.rawValue] else { throw .badf }
    trace?.label(.acl, opened.name)
    guard let address = IPAddress(octets: ipOctets.raw) else { throw .inval }
    guard let entry = opened.list.lookup(address) else { return .ready((bodyHandle: nil, aclError: .noContent)) }
    let body = GuestBody(waker: waker, budget: budget)
    try Array(entry.json.utf8).withUnsafeBufferPointer { (text) throws(Status) in
      try body.append(UnsafeRawBufferPointer(text))
    }
    let handle = BodyHandle(rawValue: try insert(.body(body)))
    return .ready((bodyHandle: handle, aclError: .ok))
  }
}

extension AccessControlList.Entry {
  /// The form in which the platform's lookups answer, with the block's own first address.
  fileprivate var json: String {
    """
    {
      "prefix": \(ConfigurationValue.string(prefix.description).json),
      "action": \(ConfigurationValue.string(action).json)
    }
    """
  }
}
