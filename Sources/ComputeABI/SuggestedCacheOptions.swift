extension HTTPCacheWriteOptions {
  /// Room for text that the guest lends in a pair of pointer and length.
  public struct Room {
    let address: UInt32
    public let buffer: GuestBuffer
  }

  // `get_suggested_cache_options` alone uses pairs in both directions: the guest says in one struct where text may go, and
  // finds in another how much of it there is. The offsets are those of `types.json`, which the generated accessors have too.

  /// Where the vary rule may go.
  public func varyRuleRoom() throws(Status) -> Room { try room(at: 8) }

  /// Where the surrogate keys may go.
  public func surrogateKeysRoom() throws(Status) -> Room { try room(at: 32) }

  /// Tells where the vary rule is, and its length; that is the needed one where there was no room.
  public func setVaryRule(in room: Room, count: Int) throws(Status) { try set(room, count, at: 8) }

  /// As ``setVaryRule(in:count:)``, for the surrogate keys.
  public func setSurrogateKeys(in room: Room, count: Int) throws(Status) { try set(room, count, at: 32) }

  private func room(at offset: UInt32) throws(Status) -> Room {
    let address = try memory.load(try place(offset), as: UInt32.self)
    let count = try memory.load(try place(offset + 4), as: UInt32.self)
    return Room(address: address, buffer: try memory.buffer(address, count: count))
  }

  private func set(_ room: Room, _ count: Int, at offset: UInt32) throws(Status) {
    try memory.store(room.address, at: try place(offset))
    try memory.store(UInt32(clamping: count), at: try place(offset + 4))
  }

  private func place(_ offset: UInt32) throws(Status) -> UInt32 {
    let (place, overflow) = address.addingReportingOverflow(offset)
    if overflow { throw .inval }
    return place
  }
}
