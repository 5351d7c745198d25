import FastlikeProfile
import Foundation

/// Where traces are read from.
enum TraceSource: Sendable, Equatable {
  case page(TracePageClient)
  /// The path of an archive's folder.
  case archive(String)
  /// The path of a file in the native schema, as `trace export` writes it.
  case file(String)

  /// As it is named in tables and errors.
  var name: String {
    switch self {
    case .page(let client): client.name
    case .archive(let path), .file(let path): path
    }
  }

  /// The requests that a query means, newest first.
  /// - Throws: ``TraceSourceError`` or `TraceArchiveError`.
  func summaries(_ query: TraceQuery) async throws -> [TraceSummary] {
    switch self {
    case .page(let client):
      let answer = try await client.get("/api/traces?" + query.text)
      try Self.check(answer, from: client)
      guard let listing = try? JSONDecoder().decode(TraceListingFile.self, from: Data(answer.body)) else {
        throw TraceSourceError.noPage(client.name)
      }
      return listing.traces
    case .archive(let path):
      let archive = try TraceArchive(directory: path, access: .readOnly)
      defer { archive.close() }
      var entries: [UInt64: ArchiveEntry] = [:]
      for part in query.archiveQueries {
        for entry in try archive.search(part) { entries[entry.id] = entry }
      }
      let newest = entries.values.sorted { ($1.wallStartUnixNanos, $1.id) < ($0.wallStartUnixNanos, $0.id) }
      // The index knows no time accounts. A record that cannot be read costs its row only that column.
      return newest.prefix(query.limit).map { TraceSummary($0, trace: (try? archive.trace(id: $0.id)) ?? nil) }
    case .file:
      var found: [TraceSummary] = []
      _ = try await forEach(query) { found.append(TraceSummary($0)) }
      return found
    }
  }

  /// One trace, and its native JSON as the source has it.
  /// - Throws: ``TraceSourceError``, `TraceArchiveError` or `NativeJSONError`.
  func trace(_ id: UInt64) async throws -> (trace: RequestTrace, native: [UInt8]) {
    switch self {
    case .page(let client):
      let answer = try await client.get("/r/\(id).json")
      if answer.status == 404 { throw TraceSourceError.unknown(id, place: client.name) }
      try Self.check(answer, from: client)
      guard let trace = try NativeJSONDecoder.decode(answer.body).first, trace.id == id else {
        throw TraceSourceError.noPage(client.name)
      }
      return (trace, answer.body)
    case .archive(let path):
      let archive = try TraceArchive(directory: path, access: .readOnly)
      defer { archive.close() }
      guard let trace = try archive.trace(id: id) else { throw TraceSourceError.unknown(id, place: path) }
      return (trace, NativeJSONEncoder.encode(trace))
    case .file(let path):
      guard let trace = try Self.read(path).first(where: { $0.id == id }) else {
        throw TraceSourceError.unknown(id, place: path)
      }
      return (trace, NativeJSONEncoder.encode(trace))
    }
  }

  static func check(_ answer: TracePageClient.Answer, from client: TracePageClient) throws {
    switch answer.status {
    case 200: return
    case 401: throw TraceSourceError.needsToken(client.name)
    case 404: throw TraceSourceError.noPage(client.name)
    case 503: throw TraceSourceError.recordsNothing(client.name)
    default: throw TraceSourceError.refused(client.name, status: answer.status)
    }
  }
}

/// Why traces cannot be read. Every text is one line that says what to do.
enum TraceSourceError: Error, Equatable, CustomStringConvertible {
  case unreachable(String)
  case cutAnswer(String)
  case needsToken(String)
  case noPage(String)
  case recordsNothing(String)
  case refused(String, status: UInt)
  case unknown(UInt64, place: String)
  case noFile(String)
  case unreadable(String, reason: String)
  case noRequests(String)

  var description: String {
    switch self {
    case .unreachable(let page): "\(page): nobody answers; a server listens there with --profile-ui"
    case .cutAnswer(let page): "\(page): the answer ended before its end, is too large or took too long"
    case .needsToken(let page): "\(page): asks for another token; give it by --token or FASTLIKE_PROFILE_AUTH"
    case .noPage(let page): "\(page): is not the profile page of a fastlike; its address is that of --profile-ui"
    case .recordsNothing(let page): "\(page): records nothing; start the server with --profile trace"
    case .refused(let page, let status): "\(page): answered with status \(status)"
    case .unknown(let id, let place):
      "\(place): has no request \(id): never recorded, still running, or newer ones took its place"
    case .noFile(let path): "\(path): cannot be read; write a file that trace export --format json made"
    case .unreadable(let path, let reason): "\(path): \(reason)"
    case .noRequests(let place): "\(place): has no request that is meant"
    }
  }
}
