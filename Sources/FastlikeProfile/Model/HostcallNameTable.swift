/// The names of a host's hostcalls, qualified by module (`fastly_http_req.send`), by index.
///
/// Indices are stable for the lifetime of the table, and index 0 is the sentinel ``unknownName``. Files carry
/// names, never indices, so a reader needs no table of the writer's version.
public final class HostcallNameTable: Sendable, Hashable {
  /// The name at index 0, and the answer for every index that the table does not have.
  public static let unknownName = "unknown"

  /// A table with the sentinel alone.
  public static let empty = HostcallNameTable(names: [])

  /// Every name; the first is ``unknownName``.
  public let names: [String]
  private let indices: [String: UInt16]

  /// - Parameter names: `module.function` names. The sentinel is put in front unless it is there. Of equal names the
  ///   first one counts; names beyond 65,535 resolve to the sentinel.
  public init(names: [String]) {
    var all = names.first == Self.unknownName ? names : [Self.unknownName] + names
    if all.count > Int(UInt16.max) + 1 { all.removeLast(all.count - Int(UInt16.max) - 1) }
    self.names = all
    var indices: [String: UInt16] = [:]
    indices.reserveCapacity(all.count)
    for (index, name) in all.enumerated() where indices[name] == nil { indices[name] = UInt16(index) }
    self.indices = indices
  }

  /// The index of a name, or 0 when the table does not have it.
  public func index(of name: String) -> UInt16 { indices[name] ?? 0 }

  /// The name at an index, or ``unknownName`` when the table does not reach that far.
  public func name(at index: UInt16) -> String {
    Int(index) < names.count ? names[Int(index)] : Self.unknownName
  }

  /// The part of a name before its last dot: `fastly_http_req` of `fastly_http_req.send`; empty without a dot.
  public func module(at index: UInt16) -> Substring {
    let name = name(at: index)
    guard let dot = name.lastIndex(of: ".") else { return "" }
    return name[..<dot]
  }

  /// The part of a name after its last dot: `send` of `fastly_http_req.send`.
  public func function(at index: UInt16) -> Substring {
    let name = name(at: index)
    guard let dot = name.lastIndex(of: ".") else { return name[...] }
    return name[name.index(after: dot)...]
  }

  public static func == (left: HostcallNameTable, right: HostcallNameTable) -> Bool {
    left === right || left.names == right.names
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(names.count) }
}
