public import FastlikeProfile
import Foundation
import Hummingbird
import Synchronization

/// Takes a profiler's samples into the traces of a running server: the one thing that the page can be sent.
///
/// The body is written to a file of its own before it is read, so that an import costs the memory of its samples and not of its
/// text. One import at a time: each may hold as many samples as ``NativeImportLimits`` allows.
final class SampleImport: Sendable {
  /// Most bytes of a body.
  static let maximumBytes = 2 << 30

  private let isBusy = Mutex(false)

  func answer(_ request: Request, store: ProfileStore, archive: TraceArchive?) async throws -> Response {
    let isFree = isBusy.withLock { isBusy in
      defer { isBusy = true }
      return !isBusy
    }
    guard isFree else { return PageAnswer.text(.conflict, "another import is going on; try again when it is done") }
    defer { isBusy.withLock { $0 = false } }
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > Self.maximumBytes {
      return Self.tooLarge
    }
    guard let file = TemporaryFile() else {
      return PageAnswer.text(
        .internalServerError, "there is no room for the samples: the temporary folder cannot be written")
    }
    var received = 0
    for try await piece in request.body {
      received += piece.readableBytes
      guard received <= Self.maximumBytes else { return Self.tooLarge }
      guard file.append(piece.readableBytesView) else {
        return PageAnswer.text(
          .internalServerError, "there is no room for the samples in the temporary folder")
      }
    }
    do {
      let summary = try await Self.merge(file, into: store, archive)
      return PageAnswer.bytes(try JSONEncoder().encode(summary), contentType: "application/json")
    } catch let error as NativeSampleError {
      return PageAnswer.text(.unprocessableContent, "\(error)")
    }
  }

  private static let tooLarge = PageAnswer.text(
    .contentTooLarge, "the file is larger than the \(maximumBytes >> 20) MiB that are taken")

  /// Reads and joins where waiting holds nobody up.
  private static func merge(
    _ file: TemporaryFile, into store: ProfileStore, _ archive: TraceArchive?
  ) async throws -> SampleImportSummary {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async {
        continuation.resume(
          with: Result {
            let batch = try NativeProfileFormat.importSamples(atPath: file.path)
            let report = NativeSampleMerger().merge(batch, into: store)
            // What the archive has of these requests is replaced.
            for id in report.changedTraces { store.trace(id: id).map { _ = archive?.append($0) } }
            return SampleImportSummary(report, of: batch)
          })
      }
    }
  }

  /// A file that goes with the value. Only one thread uses it at a time.
  private final class TemporaryFile: @unchecked Sendable {
    // Sendable because the request's task hands it to the queue that reads it, and waits.
    let path: String
    private let handle: FileHandle

    init?() {
      path = FileManager.default.temporaryDirectory.appendingPathComponent("fastlike-samples-\(UUID().uuidString)").path
      guard
        FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]),
        let handle = FileHandle(forWritingAtPath: path)
      else { return nil }
      self.handle = handle
    }

    deinit {
      try? handle.close()
      try? FileManager.default.removeItem(atPath: path)
    }

    func append(_ bytes: some Sequence<UInt8>) -> Bool { (try? handle.write(contentsOf: Data(bytes))) != nil }
  }
}

/// What became of an import, as the server tells it and the command prints it.
public struct SampleImportSummary: Codable, Sendable, Equatable {
  public var attached: Int
  public var traces: Int
  public var outsideWindow: Int
  public var otherProcess: Int
  public var ambiguous: Int
  public var withoutStack: Int
  public var unknownProcess: Int
  public var unknownLines: Int
  /// Of the first few, counted from 1.
  public var unknownLineNumbers: [Int]

  public init(_ report: NativeMergeReport, of batch: NativeSampleBatch) {
    attached = report.attached
    traces = report.changedTraces.count
    outsideWindow = report.outsideWindow
    otherProcess = report.otherProcess
    ambiguous = report.ambiguous
    withoutStack = report.withoutStack
    unknownProcess = report.unknownProcess
    unknownLines = batch.unknownLines
    unknownLineNumbers = batch.unknownLineNumbers
  }

  private enum CodingKeys: String, CodingKey {
    case attached, traces, ambiguous
    case outsideWindow = "outside_window"
    case otherProcess = "other_process"
    case withoutStack = "without_stack"
    case unknownProcess = "unknown_process"
    case unknownLines = "unknown_lines"
    case unknownLineNumbers = "unknown_line_numbers"
  }
}
