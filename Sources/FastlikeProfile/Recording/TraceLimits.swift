/// How much one trace may hold. What does not fit is counted.
public struct TraceLimits: Sendable, Hashable {
  /// Most hostcall spans by default.
  public static let defaultSpanCap = 8000
  /// Most backend calls by default.
  public static let defaultBackendCallCap = 512

  /// Most hostcall spans.
  public var spans: Int
  /// Most backend calls.
  public var backendCalls: Int
  /// Most samples of the guest's memory.
  public var heapSamples: Int
  /// Most suspensions that are kept one by one; the time of all is kept.
  public var blockedIntervals: Int
  /// Most in-process stack samples.
  public var guestSamples: Int
  /// Most distinct labels; further ones become `(other)`.
  public var labels: Int
  /// Most notes; further ones are left out.
  public var notes: Int

  public init(
    spans: Int = TraceLimits.defaultSpanCap, backendCalls: Int = TraceLimits.defaultBackendCallCap,
    heapSamples: Int = DeepMetrics.defaultHeapSampleCap, blockedIntervals: Int = 8000, guestSamples: Int = 16_384,
    labels: Int = 1024, notes: Int = 64
  ) {
    self.spans = max(0, spans)
    self.backendCalls = max(0, backendCalls)
    self.heapSamples = max(0, heapSamples)
    self.blockedIntervals = max(0, blockedIntervals)
    self.guestSamples = max(0, guestSamples)
    self.labels = max(0, labels)
    self.notes = max(0, notes)
  }
}
