/// Writes `ABITypes.swift`: handles, enumerations, flag sets and struct views.
struct TypeWriter {
  let types: Types

  /// The Swift type of a scalar ABI type, and how an argument of it is read.
  enum Scalar {
    case integer(String)
    case boolean
    case handle(String)
    case enumeration(String)
    case flags(String)
  }

  private static let integers = [
    "u8": "UInt8", "char8": "UInt8", "s8": "Int8", "u16": "UInt16", "s16": "Int16", "u32": "UInt32", "s32": "Int32",
    "u64": "UInt64", "s64": "Int64", "usize": "UInt32",
  ]

  func scalar(_ name: String) -> Scalar? {
    if let integer = TypeWriter.integers[name] { return .integer(integer) }
    if types.handles.contains(where: { $0.name == name }) { return .handle(Spelling.typeName(name)) }
    if let alias = (types.aliases + types.wasi.aliases).first(where: { $0.name == name }), let type = alias.type {
      if alias.bool == true { return .boolean }
      return scalar(type)
    }
    if let item = (types.enums + types.wasi.enums).first(where: { $0.name == name }) {
      return .enumeration(swiftName(item.name))
    }
    if types.flags.contains(where: { $0.name == name }) { return .flags(Spelling.typeName(name)) }
    // WASI's flag sets are taken as numbers: unknown bits are no error there.
    if let item = types.wasi.flags.first(where: { $0.name == name }) { return scalar(item.repr) }
    return nil
  }

  func isStructure(_ name: String) -> Bool { types.structs.contains { $0.name == name } }

  private func swiftName(_ name: String) -> String { name == "fastly_status" ? "Status" : Spelling.typeName(name) }

  func write() -> String {
    var text = generatedHeader
    for handle in types.handles {
      let name = Spelling.typeName(handle.name)
      text += """

        /// `\(handle.name)`: a number that the host gave to the guest.
        public struct \(name): RawRepresentable, Hashable, Sendable {
          public var rawValue: UInt32
          @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
          /// The number that no handle has.
          public static var invalid: \(name) { \(name)(rawValue: 0xffff_fffe) }
        }

        """
    }
    for item in types.enums + types.wasi.enums {
      text += item.name == "fastly_status" ? status(item) : enumeration(item)
    }
    for item in types.flags { text += flagSet(item) }
    for item in types.structs { text += view(item) }
    return text
  }

  /// The status is a struct, so that one error type can also carry WASI's numbers (see `Status.wasi`).
  private func status(_ item: Types.Enumeration) -> String {
    var text = """

      /// `fastly_status`: the `i32` that a hostcall answers.
      public struct Status: RawRepresentable, Error, Hashable, Sendable {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

      """
    for member in item.members {
      text += """
          /// \(member.value).
          @inlinable public static var \(Spelling.memberName(member.name)): Status { Status(rawValue: \(member.value)) }

        """
    }
    return text + "}\n"
  }

  private func enumeration(_ item: Types.Enumeration) -> String {
    let name = swiftName(item.name)
    var text = """

      /// `\(item.name)`.
      public enum \(name): \(TypeWriter.integers[item.repr] ?? "UInt32"), Sendable, CaseIterable {

      """
    for member in item.members { text += "  case \(Spelling.memberName(member.name)) = \(member.value)\n" }
    return text + "}\n"
  }

  private func flagSet(_ item: Types.FlagSet) -> String {
    let name = Spelling.typeName(item.name)
    let integer = TypeWriter.integers[item.repr] ?? "UInt32"
    var text = """

      /// `\(item.name)`.
      public struct \(name): OptionSet, Sendable, Hashable {
        public var rawValue: \(integer)
        public init(rawValue: \(integer)) { self.rawValue = rawValue }

      """
    for bit in item.bits {
      text += "  public static let \(Spelling.memberName(bit.name)) = \(name)(rawValue: \(bit.value))\n"
    }
    let all = item.bits.reduce(UInt64(0)) { $0 | $1.value }
    text += """
        /// The bits that have a meaning.
        public static let known = \(name)(rawValue: \(all))

        /// The set of an argument. Throws `inval` for a bit without a meaning.
        @inlinable
        public init(argument: \(integer)) throws(Status) {
          guard argument & ~\(all) == 0 else { throw .inval }
          rawValue = argument
        }
      }

      """
    return text
  }

  private func view(_ item: Types.Structure) -> String {
    let name = Spelling.typeName(item.name)
    var text = """

      /// `\(item.name)` in guest memory: \(item.size) bytes, aligned to \(item.align). Each field is checked when it is
      /// touched, because older guests allocate less than all of it.
      public struct \(name) {
        public static let size = \(item.size)
        let memory: GuestMemory
        let address: UInt32

        /// Throws `badalign` for an address that no such struct has.
        init(_ memory: GuestMemory, _ address: UInt32) throws(Status) {
          if address & \(item.align - 1) != 0 { throw .badalign }
          self.memory = memory
          self.address = address
        }

        /// Checks that the whole struct lies in memory. Throws `inval`.
        func checked() throws(Status) -> \(name) {
          _ = try memory.pointer(address, count: \(item.size))
          return self
        }

        private func at(_ offset: UInt32) throws(Status) -> UInt32 {
          let (place, overflow) = address.addingReportingOverflow(offset)
          if overflow { throw .inval }
          return place
        }

      """
    let lengths = Set(item.fields.compactMap(\.len))
    for field in item.fields where !lengths.contains(field.name) { text += accessors(field, in: item) }
    return text + "}\n"
  }

  private func accessors(_ field: Types.Structure.Field, in item: Types.Structure) -> String {
    var plain = field.name
    if plain.hasSuffix("_ptr") { plain.removeLast(4) }
    let name = Spelling.memberName(plain)
    if let length = field.len, let lengthField = item.fields.first(where: { $0.name == length }) {
      let kind = item.name == "purge_options" ? "buffer" : "bytes"
      let type = kind == "buffer" ? "GuestBuffer" : "GuestBytes"
      return """

          /// `\(field.name)` and `\(length)`.
          public func \(name)() throws(Status) -> \(type) {
            try memory.\(kind)(
              try memory.load(try at(\(field.offset)), as: UInt32.self),
              count: try memory.load(try at(\(lengthField.offset)), as: UInt32.self))
          }

        """
    }
    let raw = field.type.contains("ptr<") ? "UInt32" : storage(of: field.type)
    var text = "\n  /// `\(field.name)`.\n"
    switch field.type.contains("ptr<") ? .integer("UInt32") : scalar(field.type) {
    case .handle(let type):
      text += """
          public func \(name)() throws(Status) -> \(type) {
            \(type)(rawValue: try memory.load(try at(\(field.offset)), as: UInt32.self))
          }

        """
    case .enumeration(let type):
      text += """
          public func \(name)() throws(Status) -> \(type) {
            guard let value = \(type)(rawValue: try memory.load(try at(\(field.offset)), as: \(raw).self)) else {
              throw .inval
            }
            return value
          }

          /// Stores `\(field.name)`.
          public func set\(name.prefix(1).uppercased() + name.dropFirst())(_ value: \(type)) throws(Status) {
            try memory.store(value.rawValue, at: try at(\(field.offset)))
          }

        """
    default:
      text += """
          public func \(name)() throws(Status) -> \(raw) {
            try memory.load(try at(\(field.offset)), as: \(raw).self)
          }

          /// Stores `\(field.name)`.
          public func set\(name.prefix(1).uppercased() + name.dropFirst())(_ value: \(raw)) throws(Status) {
            try memory.store(value, at: try at(\(field.offset)))
          }

        """
    }
    return text
  }

  /// The integer that holds a scalar in memory.
  func storage(of name: String) -> String {
    switch scalar(name) {
    case .integer(let type): type
    case .enumeration:
      TypeWriter.integers[(types.enums + types.wasi.enums).first { $0.name == name }?.repr ?? "u32"] ?? "UInt32"
    case .flags: TypeWriter.integers[types.flags.first { $0.name == name }?.repr ?? "u32"] ?? "UInt32"
    default: "UInt32"
    }
  }
}

let generatedHeader = """
  // Generated by hostcallgen from Data/hostcalls.json, Data/types.json and Data/unsupported.json. Do not edit.
  // swift-format-ignore-file

  """
