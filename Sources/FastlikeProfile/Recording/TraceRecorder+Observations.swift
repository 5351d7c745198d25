extension TraceRecorder {
  // MARK: - Response

  /// A head left for the client; informational ones do not count.
  public func responseHead(status: Int) {
    guard !isFinished else { return }
    details.pointee.facts.response.writeHead(status: status, at: now)
  }

  /// Body bytes left for the client.
  public func responseBody(bytes: Int) {
    guard !isFinished else { return }
    details.pointee.facts.response.write(bytes: bytes, at: now)
  }

  /// The client's connection was taken over.
  public func responseHijacked() {
    guard !isFinished else { return }
    details.pointee.facts.response.hijack(at: now)
  }

  /// Takes over what a server observed itself.
  /// - Parameters:
  ///   - status: The final status; an informational one changes nothing.
  ///   - bytes: Body bytes in all.
  ///   - headerFlushed: When the head left, in monotonic nanoseconds; now by default.
  public func setResponse(status: Int, bytes: Int64, headerFlushed: UInt64? = nil) {
    guard !isFinished else { return }
    details.pointee.facts.response.set(
      status: status, bytes: bytes,
      headerFlushed: headerFlushed.map { offset(ofMonotonic: $0) } ?? core.pointee.now())
  }

  /// What was seen of the response so far.
  public var responseObservation: ResponseObservation { details.pointee.facts.response }

  // MARK: - Guest stacks

  /// The index of a function for ``guestStack(leafFirst:weightNanos:)``; hosts keep it with the function.
  public func internGuestFrame(_ frame: StackFrame) -> UInt32 {
    guard details.pointee.facts.wallEnd == nil else { return 0 }
    return details.pointee.withStacks { $0.intern(frame) }
  }

  /// Records a stack of the guest, as indices from ``internGuestFrame(_:)``, leaf first. Samples come in the order of
  /// their time.
  /// - Parameters:
  ///   - weightNanos: CPU time that the sample stands for; 0 when not known.
  ///   - isGuestCPU: Whether this is the guest's own time; false for a sample taken in a hostcall.
  ///   - monotonicNanos: When it was taken, on the monotonic clock; nil is now.
  public func guestStack(
    leafFirst frames: some BidirectionalCollection<UInt32>, weightNanos: Int64 = 0, isGuestCPU: Bool = true,
    monotonicNanos: UInt64? = nil
  ) {
    guard let time = instantOfSample(monotonicNanos) else { return }
    details.pointee.withStacks { $0.add(frames, relativeNanos: time, weightNanos: weightNanos, isGuestCPU: isGuestCPU) }
  }

  /// As ``guestStack(leafFirst:weightNanos:isGuestCPU:monotonicNanos:)``, for a stack of words that are named when the
  /// trace is read.
  public func guestStack(
    leafFirst words: [UInt], namedBy names: any GuestFrameNames, weightNanos: Int64 = 0, isGuestCPU: Bool = true,
    monotonicNanos: UInt64? = nil
  ) {
    guard let time = instantOfSample(monotonicNanos) else { return }
    guard !words.isEmpty else { return }
    details.pointee.withStacks {
      $0.add(words, named: names, relativeNanos: time, weightNanos: weightNanos, isGuestCPU: isGuestCPU)
    }
  }

  /// When a sample was taken, in nanoseconds from the trace's start; nil for one that is not kept.
  private func instantOfSample(_ monotonicNanos: UInt64?) -> Int64? {
    guard details.pointee.facts.wallEnd == nil else { return nil }
    guard
      (details.pointee.hasStacks ? details.pointee.withStacks { $0.count } : 0) < details.pointee.limits.guestSamples
    else {
      details.pointee.facts.droppedGuestSamples += 1
      return nil
    }
    return monotonicNanos.map { offset(ofMonotonic: $0) } ?? now
  }

  /// Counts samples that could not be kept.
  public func dropGuestSamples(_ count: Int) {
    guard !isFinished else { return }
    details.pointee.facts.droppedGuestSamples += UInt32(clamping: count)
  }

  /// Records what the guest has executed for the request, as ``RequestTrace/guestFuel``.
  public func recordFuel(_ units: Int64) {
    guard !isFinished else { return }
    details.pointee.facts.fuel = max(0, units)
  }

  /// Records that the guest's memory has grown.
  /// - Parameter stack: What the guest was doing, innermost function first.
  public func memoryGrew(from old: Int, to new: Int, stack: @autoclosure () -> [StackFrame]) {
    guard details.pointee.facts.wallEnd == nil else { return }
    guard details.pointee.memoryGrowth.count < MemoryGrowth.cap else {
      details.pointee.facts.droppedMemoryGrowth += 1
      return
    }
    details.pointee.memoryGrowth.append(
      MemoryGrowth(
        relativeNanos: now, fromBytes: Int64(old), toBytes: Int64(new), stack: stack().map(\.name)))
  }

  // MARK: - Deep metrics

  /// Whether deep metrics are recorded.
  public var isDeep: Bool { mode.includesDeep }

  /// Changes the deep metrics; without effect in other modes.
  public func updateDeep(_ change: (inout DeepMetrics) -> Void) {
    guard mode.includesDeep, !isFinished else { return }
    change(&details.pointee.deepMetrics!)
  }

  /// Records the size of the guest's memory; without effect unless deep. It goes on when the span cap is reached.
  /// - Parameter bytes: Bytes of linear memory.
  public func sampleMemory(bytes: Int) {
    // At each hostcall; mostly nothing has changed.
    guard details.pointee.sampledMemory != Int64(bytes), mode.includesDeep, !isFinished else { return }
    details.pointee.sampledMemory = Int64(bytes)
    details.pointee.deepMetrics?.addHeapSample(
      relativeNanos: now, memoryBytes: Int64(bytes), cap: details.pointee.limits.heapSamples)
  }
}
