public import FastlikeRuntime
import Foundation
import Synchronization

/// A request of a bench, and how often it comes compared with the others.
public struct BenchRequest: Sendable, Equatable {
  /// With `host` and, for a body, `content-length` added where they were left out.
  public var head: RequestHead
  public var body: [UInt8]
  /// At least 1.
  public var weight: Int

  public init(head: RequestHead, body: [UInt8] = [], weight: Int = 1) {
    self.head = head
    self.body = body
    self.weight = max(1, weight)
  }
}

/// Reads a file of requests, in the text form of HTTP that editors know as `.http`:
///
/// ```http
/// # A line that begins with # is left out before a request.
/// GET /items?page=2
/// Accept: text/html
///
/// ### weight=3
/// POST /cart
/// Content-Type: application/json
///
/// {"item": 1}
///
/// ### a body from a file, beside this one
/// PUT /picture
///
/// < picture.png
/// ```
///
/// A line of `###` and anything begins the next request; `weight=N` in it makes it come N times as often as one without. A
/// body begins behind an empty line and ends before the next `###`, without the empty lines at its end.
public enum BenchRequests {
  /// Most requests of a file.
  public static let most = 10_000
  /// Most bytes of a body.
  public static let mostBodyBytes = 64 << 20

  /// - Parameter flag: What named the file, for errors.
  /// - Throws: `ConfigurationError` for the first mistake.
  public static func load(path: String, flag: String) throws -> [BenchRequest] {
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else {
      throw ConfigurationError(place: flag, problem: "\(path): cannot be read; write a file of requests")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw ConfigurationError(
        place: path, problem: "is not UTF-8 text; put other bodies into files of their own: < FILE")
    }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    return try parse(text, name: path) { name, place in
      guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: name, relativeTo: folder)) else {
        throw ConfigurationError(
          place: place, problem: "the body's file \(name) cannot be read; it is looked for beside \(path)")
      }
      return Array(bytes)
    }
  }

  /// - Parameters:
  ///   - name: The file's name in errors.
  ///   - file: The bytes of a body's file; the second argument is the place that names it.
  static func parse(
    _ text: String, name: String, file: (_ name: String, _ place: String) throws -> [UInt8]
  ) throws -> [BenchRequest] {
    var requests: [BenchRequest] = []
    var reader = Reader(text: text, name: name)
    while let request = try reader.next(file) {
      requests.append(request)
      guard requests.count <= most else {
        throw ConfigurationError(place: name, problem: "has more than the \(most) requests that are read")
      }
    }
    guard !requests.isEmpty else {
      throw ConfigurationError(place: name, problem: "has no request; write one such as GET /")
    }
    return requests
  }

  private struct Reader {
    private let lines: [Substring]
    private let name: String
    private var position = 0

    init(text: String, name: String) {
      lines = text.replacing("\r\n", with: "\n").split(separator: "\n", omittingEmptySubsequences: false)
      self.name = name
    }

    private func error(_ problem: String, at line: Int? = nil) -> ConfigurationError {
      ConfigurationError(place: "\(name):\((line ?? position) + 1)", problem: problem)
    }

    mutating func next(_ file: (String, String) throws -> [UInt8]) throws -> BenchRequest? {
      var weight = 1
      while position < lines.count, lines[position].hasPrefix("#") || lines[position].allSatisfy(\.isWhitespace) {
        if lines[position].hasPrefix("###") { weight = try self.weight(of: lines[position]) }
        position += 1
      }
      guard position < lines.count else { return nil }
      let start = position
      var head = try requestLine()
      while position < lines.count, !lines[position].isEmpty, !lines[position].hasPrefix("###") {
        head.headers.append(try field())
      }
      var body: [UInt8] = []
      if position < lines.count, lines[position].isEmpty {
        position += 1
        body = try self.body(file)
      }
      guard body.count <= mostBodyBytes else {
        throw error("the body has more than the \(mostBodyBytes) bytes that are sent", at: start)
      }
      let names = Set(head.headers.map { $0.0.lowercased() })
      if !names.contains("host") { head.headers.insert(("host", "localhost"), at: 0) }
      if !body.isEmpty, !names.contains("content-length") {
        head.headers.append(("content-length", String(body.count)))
      }
      return BenchRequest(
        head: RequestHead(method: head.method, uri: head.uri, headers: HeaderList(head.headers)), body: body,
        weight: weight)
    }

    private func weight(of line: Substring) throws -> Int {
      guard let word = line.split(separator: " ").first(where: { $0.hasPrefix("weight=") }) else { return 1 }
      guard let weight = Int(word.dropFirst("weight=".count)), (1...1000).contains(weight) else {
        throw error("weight is not allowed; write weight=1 to weight=1000")
      }
      return weight
    }

    private mutating func requestLine() throws -> (method: String, uri: String, headers: [(String, String)]) {
      let words = lines[position].split(separator: " ")
      let token = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
      guard let method = words.first, method.utf8.allSatisfy(token.contains), (2...3).contains(words.count),
        words.count == 2 || words[2].hasPrefix("HTTP/")
      else { throw error("is no request; write METHOD /PATH, such as GET /items") }
      guard words[1].hasPrefix("/"), words[1].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), words[1].utf8.count <= 16_384
      else { throw error("the path is not allowed; begin it with / and encode what is not ASCII, such as /a%20b?c=d") }
      position += 1
      return (String(method), String(words[1]), [])
    }

    private mutating func field() throws -> (String, String) {
      let parts = lines[position].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      // A value may be a secret, so it is not repeated.
      guard parts.count == 2, !parts[0].isEmpty, parts[0].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
        parts[1].utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 })
      else { throw error("is no header field; write NAME: VALUE, and an empty line before a body") }
      position += 1
      return (String(parts[0]), parts[1].trimmingCharacters(in: .whitespaces))
    }

    private mutating func body(_ file: (String, String) throws -> [UInt8]) throws -> [UInt8] {
      let start = position
      while position < lines.count, !lines[position].hasPrefix("###") { position += 1 }
      var content = lines[start..<position]
      while let last = content.last, last.allSatisfy(\.isWhitespace) { content.removeLast() }
      if content.count == 1, let only = content.first, only.hasPrefix("< ") {
        return try file(only.dropFirst(2).trimmingCharacters(in: .whitespaces), "\(name):\(start + 1)")
      }
      return Array(content.joined(separator: "\n").utf8)
    }
  }
}

/// Which request of a program comes next, on whichever loop: each as often as its weight says, spread evenly and the same
/// in every run (smooth weighted round robin).
final class BenchRotation: Sendable {
  private let weights: [Int]
  private let sum: Int
  private let credits: Mutex<[Int]>

  init(_ requests: [BenchRequest]) {
    weights = requests.map(\.weight)
    sum = weights.reduce(0, +)
    credits = Mutex(weights.map { _ in 0 })
  }

  /// The index of the next request.
  ///
  /// Complexity: O(requests)
  func next() -> Int {
    guard weights.count > 1 else { return 0 }
    return credits.withLock { credits in
      var chosen = 0
      for index in credits.indices {
        credits[index] += weights[index]
        if credits[index] > credits[chosen] { chosen = index }
      }
      credits[chosen] -= sum
      return chosen
    }
  }
}
