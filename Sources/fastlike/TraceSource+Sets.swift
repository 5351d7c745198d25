import FastlikeProfile
import Foundation

/// Many whole traces, one after the other: what is drawn, compared and checked together.
extension TraceSource {
  /// Traces that are asked of a page at once.
  private static let pageful = 50
  /// Entries of an archive's index that are looked at at once.
  private static let entries = 1000

  /// How much of what was meant could be had.
  struct Coverage: Equatable {
    var requests = 0
    /// Records of an archive that are damaged or went meanwhile.
    var unreadable = 0
  }

  /// Calls `body` with each trace that a query means, newest first, up to its limit.
  /// - Throws: ``TraceSourceError``, `TraceArchiveError` or `NativeJSONError`, and what `body` throws.
  func forEach(_ query: TraceQuery, _ body: (RequestTrace) throws -> Void) async throws -> Coverage {
    switch self {
    case .page(let client): try await Self.forEach(query, of: client, body)
    case .archive(let path): try Self.forEach(query, in: path, body)
    case .file(let path):
      Coverage(
        requests: try Self.read(path).filter(query.matches)
          .sorted { ($1.wallStartUnixNanos, $1.id) < ($0.wallStartUnixNanos, $0.id) }
          .prefix(query.limit).map(body).count)
    }
  }

  /// Requests go on while a page is read, which moves the older ones down; those that come twice are known by their ids.
  private static func forEach(
    _ query: TraceQuery, of client: TracePageClient, _ body: (RequestTrace) throws -> Void
  ) async throws -> Coverage {
    var seen: Set<UInt64> = []
    var offset = 0
    while seen.count < query.limit {
      let fields = ["limit=\(min(pageful, query.limit))", "offset=\(offset)"] + query.filters
      let answer = try await client.get("/api/traces.json?" + fields.joined(separator: "&"))
      try check(answer, from: client)
      let traces = try NativeJSONDecoder.decode(answer.body)
      if traces.isEmpty { break }
      offset += traces.count
      for trace in traces where seen.count < query.limit && seen.insert(trace.id).inserted { try body(trace) }
    }
    return Coverage(requests: seen.count)
  }

  private static func forEach(
    _ query: TraceQuery, in path: String, _ body: (RequestTrace) throws -> Void
  ) throws -> Coverage {
    let archive = try TraceArchive(directory: path, access: .readOnly)
    defer { archive.close() }
    var coverage = Coverage()
    var seen: Set<UInt64> = []
    for var part in query.archiveQueries {
      part.limit = entries
      while coverage.requests < query.limit {
        let found = try archive.search(part)
        for entry in found where coverage.requests < query.limit {
          guard seen.insert(entry.id).inserted else { continue }
          guard let trace = (try? archive.trace(id: entry.id)) ?? nil else {
            coverage.unreadable += 1
            continue
          }
          try body(trace)
          coverage.requests += 1
        }
        if found.count < part.limit { break }
        part.offset += found.count
      }
    }
    return coverage
  }

  /// The traces of a file in the native schema.
  static func read(_ path: String) throws -> [RequestTrace] {
    guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: path)) else { throw TraceSourceError.noFile(path) }
    do {
      return try NativeJSONDecoder.decode(bytes)
    } catch {
      throw TraceSourceError.unreadable(path, reason: error.description)
    }
  }
}
