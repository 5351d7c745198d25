internal import Synchronization

/// The module of traces: a number in their memory, where its names would cost each request the counting of references that all
/// threads share.
///
/// The names are kept once and for the life of the process, so a host makes one of these for each module that it loads, and not for
/// each request.
public struct TracedModule: Sendable, Hashable, BitwiseCopyable {
  /// The place in the list of all.
  let number: UInt32

  private struct Names: Hashable {
    let id: String
    let name: String
  }

  private static let table = Mutex(NumberTable<Names>())

  /// - Parameters:
  ///   - id: ``ModuleIdentifier`` of the guest.
  ///   - name: A name for people, such as the module's file name.
  public init(id: String, name: String = "") {
    // There is room for all.
    number = Self.table.withLock { $0.number(of: Names(id: id, name: name))! }
  }

  /// - Parameter number: That of a module.
  init(number: UInt32) { self.number = number }

  private var names: Names { Self.table.withLock { $0[number] } }

  /// ``ModuleIdentifier`` of the guest.
  public var id: String { names.id }
  /// A name for people; may be empty.
  public var name: String { names.name }
}
