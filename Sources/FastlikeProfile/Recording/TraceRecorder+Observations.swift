extension TraceRecorder {
  // MARK: - Response

  /// A head left for the client; informational ones do not count.
  public func responseHead(status: Int) {
    guard !isFinished else { return }
    response.writeHead(status: status, at: now)
  }

  /// Body bytes left for the client.
  public func responseBody(bytes: Int) {
    guard !isFinished else { return }
    response.write(bytes: bytes, at: now)
  }

  /// The client's connection was taken over.
  public func responseHijacked() {
    guard !isFinished else { return }
    response.hijack(at: now)
  }

  /// Takes over what a server observed itself.
  /// - Parameters:
  ///   - status: The final status; an informational one changes nothing.
  ///   - bytes: Body bytes in all.
  ///   - headerFlushed: When the head left, in monotonic nanoseconds; now by default.
  public func setResponse(status: Int, bytes: Int64, headerFlushed: UInt64? = nil) {
    guard !isFinished else { return }
    response.set(status: status, bytes: bytes, headerFlushed: headerFlushed.map { offset(ofMonotonic: $0) } ?? now)
  }

  /// What was seen of the response so far.
  public var responseObservation: ResponseObservation { response }

  // MARK: - Guest stacks

  /// The index of a function for ``guestStack(leafFirst:weightNanos:)``; hosts keep it with the function.
  public func internGuestFrame(_ frame: StackFrame) -> UInt32 { stacks.internFrame(frame) }

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
    guard wallEnd == nil else { return }
    guard guestSamples.count < limits.guestSamples else {
      droppedGuestSamples += 1
      return
    }
    guard let stack = stacks.internStack(leafFirst: frames) else { return }
    if isGuestCPU { sampledGuestNanos += weightNanos }
    let time = monotonicNanos.map { offset(ofMonotonic: $0) } ?? now
    guestSamples.append(StackSample(relativeNanos: time, stack: stack, weightNanos: weightNanos))
  }

  /// Counts samples that could not be kept.
  public func dropGuestSamples(_ count: Int) { droppedGuestSamples += count }

  /// Records that the guest's memory has grown.
  /// - Parameter stack: What the guest was doing, innermost function first.
  public func memoryGrew(from old: Int, to new: Int, stack: @autoclosure () -> [StackFrame]) {
    guard wallEnd == nil else { return }
    guard memoryGrowth.count < MemoryGrowth.cap else {
      droppedMemoryGrowth += 1
      return
    }
    memoryGrowth.append(
      MemoryGrowth(
        relativeNanos: now, fromBytes: Int64(old), toBytes: Int64(new), stack: stack().map(\.name)))
  }

  // MARK: - Deep metrics

  /// Whether deep metrics are recorded.
  @inlinable
  public var isDeep: Bool { deepMetrics != nil }

  /// Changes the deep metrics; without effect in other modes.
  @inlinable
  public func updateDeep(_ change: (inout DeepMetrics) -> Void) {
    if deepMetrics != nil { change(&deepMetrics!) }
  }

  /// Records the size of the guest's memory; without effect unless deep. It goes on when the span cap is reached.
  /// - Parameter bytes: Bytes of linear memory.
  @inlinable
  public func sampleMemory(bytes: Int) {
    guard deepMetrics != nil else { return }
    deepMetrics!.addHeapSample(relativeNanos: now, memoryBytes: Int64(bytes), cap: limits.heapSamples)
  }
}
