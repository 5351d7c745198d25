internal import Foundation

extension TraceComparison {
  /// The answer in one line.
  public var sentence: String {
    guard let wall else { return "nothing to compare: one of the sets has no requests" }
    let times =
      "\(Figures.duration(Int64(wall.before.center))) before, \(Figures.duration(Int64(wall.after.center))) after"
    let change = wall.change.map { " (\(Self.percent($0))\(wall.interval.map { ", \(Self.range($0))" } ?? ""))" } ?? ""
    switch wall.verdict {
    case .faster, .slower: return "\(wall.verdict.rawValue): the median request took \(times)\(change)"
    case .tooFew: return "too few requests for a verdict: \(Self.leastRequests) of each are needed"
    default: return "no evidence of a change: the median request took \(times)\(change)"
    }
  }

  /// `+5.2 %`
  package static func percent(_ share: Double) -> String {
    let percent = share * 100
    let digits = abs(percent) < 9.95 ? 1 : 0
    return (percent < 0 ? "−" : "+") + Figures.fixed(abs(percent), digits: digits) + " %"
  }

  /// `+4.1 % to +6.3 %`
  package static func range(_ interval: ClosedRange<Double>) -> String {
    "\(percent(interval.lowerBound)) to \(percent(interval.upperBound))"
  }

  /// A value of a figure in words.
  package static func value(_ value: Double, of figure: TraceFigure, samples: Bool = false) -> String {
    switch figure.unit {
    case .nanoseconds: Figures.duration(Int64(min(value, 9e18)))
    case .bytes: Figures.bytes(Int64(min(value, 9e18)))
    case .number, .samples: Figures.fixed(value, digits: value == value.rounded() ? 0 : 2)
    }
  }

  /// For programs. Times are nanoseconds; a change of 0.05 is five percent.
  public func json() -> [UInt8] {
    struct SideFile: Encodable {
      let requests: Int
      let uses: Int
      let total: Double
      let share: Double
      let center: Double
    }
    struct RowFile: Encodable {
      let family: String
      let name: String
      let unit: String
      let before: SideFile
      let after: SideFile
      let change: Double?
      let intervalLow: Double?
      let intervalHigh: Double?
      let probability: Double?
      let verdict: String
    }
    struct SetFile: Encodable {
      let name: String
      let requests: Int
    }
    struct File: Encodable {
      let schemaVersion = 1
      let seed: UInt64
      let resamples: Int
      let threshold: Double
      let significance: Double
      let before: SetFile
      let after: SetFile
      let verdict: String
      let rows: [RowFile]
    }
    func side(_ side: Side) -> SideFile {
      SideFile(requests: side.requests, uses: side.uses, total: side.total, share: side.share, center: side.center)
    }
    let rows = tables.flatMap(\.rows).map { row in
      RowFile(
        family: row.figure.family.rawValue, name: row.figure.name, unit: row.figure.unit.rawValue,
        before: side(row.before), after: side(row.after), change: row.change, intervalLow: row.interval?.lowerBound,
        intervalHigh: row.interval?.upperBound, probability: row.probability, verdict: row.verdict.rawValue)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let file = File(
      seed: options.seed, resamples: options.resamples, threshold: options.threshold,
      significance: options.significance, before: SetFile(name: names.before, requests: requests.before),
      after: SetFile(name: names.after, requests: requests.after), verdict: verdict.rawValue, rows: rows)
    // Every number is finite, so encoding cannot fail.
    return (try? encoder.encode(file)).map { Array($0) } ?? []
  }
}
