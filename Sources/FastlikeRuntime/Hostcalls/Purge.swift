import ComputeABI

/// `fastly_purge`.
extension Sandbox {
  func purgePurgeSurrogateKey(surrogateKey: GuestBytes, optionsMask: PurgeOptionsMask, options: PurgeOptions)
    throws(Status)
  {
    guard let key = SurrogateKeys.key(surrogateKey.raw) else { throw .inval }
    if optionsMask.contains(.retBuf) {
      // Before the purge: a guest whose room is too short asks again.
      let written = try memory.out(try options.retBufNwrittenOut(), UInt32.self)
      try GuestOutput(try options.retBuf(), written: written).write(PurgeAnswer.next().json)
    }
    service.cache.purge(surrogateKey: key, soft: optionsMask.contains(.softPurge))
  }
}
