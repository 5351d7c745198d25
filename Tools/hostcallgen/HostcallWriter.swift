/// Works out how one function looks in Swift: what its parameters become, what it returns, how its thunk reads and writes.
struct HostcallShape {
  /// Parameters of the protocol requirement: name and type.
  var parameters: [(name: String, type: String)] = []
  /// Lines of the thunk that read and check an argument; each defines a constant named as its parameter.
  var reads: [String] = []
  /// What the requirement returns, one for each out-parameter.
  var returns: [(name: String, type: String)] = []
  /// Lines of the thunk that store the returned values.
  var writes: [String] = []

  init(_ function: Function, _ types: TypeWriter) {
    let index = Dictionary(uniqueKeysWithValues: function.params.enumerated().map { ($1.name, $0) })
    // Lists of WASI records are left to the host, with their count.
    var consumed = Set(
      function.params.filter { HostcallShape.pointee($0.type)?.hasPrefix("wasi.") != true }.compactMap(\.len))
    let cursor = function.params.first { $0.type == "multi_value_cursor" }
    let ending = function.params.first { $0.type == "ptr<multi_value_cursor_result>" }
    if let cursor, ending != nil { consumed.insert(cursor.name) }
    if let ending { consumed.insert(ending.name) }
    for (position, parameter) in function.params.enumerated() where parameter.dir != "in" {
      guard parameter.len != nil || parameter.fixedLength != nil else { continue }
      if let partner = HostcallShape.partner(of: parameter, at: position, in: function) { consumed.insert(partner) }
    }
    for (position, parameter) in function.params.enumerated() where !consumed.contains(parameter.name) {
      let name = Spelling.parameterName(parameter.name)
      let argument = "a.u32(\(position))"
      if parameter.len != nil || parameter.fixedLength != nil {
        let count = parameter.len.flatMap { index[$0] }.map { "a.u32(\($0))" } ?? "\(parameter.fixedLength ?? 0)"
        buffer(
          parameter, name, argument, count, position, function, cursor.flatMap { index[$0.name] },
          ending.flatMap { index[$0.name] })
      } else if let pointee = HostcallShape.pointee(parameter.type) {
        pointer(parameter, pointee, name, argument, function, types)
      } else {
        scalar(parameter, name, position, types, isWASI: function.isWASI)
      }
    }
  }

  private mutating func buffer(
    _ parameter: Function.Parameter, _ name: String, _ argument: String, _ count: String, _ position: Int,
    _ function: Function, _ cursor: Int?, _ ending: Int?
  ) {
    let pointee = HostcallShape.pointee(parameter.type) ?? ""
    let isBytes = pointee == "char8" || pointee == "u8"
    guard isBytes || parameter.dir != "in" || !pointee.hasPrefix("wasi.") else { return address(name, argument) }
    guard isBytes || parameter.dir == "in" else { return address(name, argument) }
    if parameter.dir == "in" {
      let kind = isBytes ? ("GuestBytes", "bytes") : ("GuestArray", "array")
      parameters.append((name, kind.0))
      reads.append("let \(name) = try memory.\(kind.1)(\(argument), count: \(count))")
      return
    }
    guard let partner = HostcallShape.partner(of: parameter, at: position, in: function),
      let place = function.params.firstIndex(where: { $0.name == partner })
    else {
      parameters.append((name, "GuestBuffer"))
      reads.append("let \(name) = try memory.buffer(\(argument), count: \(count))")
      return
    }
    let output =
      "GuestOutput(try memory.buffer(\(argument), count: \(count)), written: try memory.out(a.u32(\(place)), UInt32.self))"
    guard let cursor, let ending else {
      parameters.append((name, "GuestOutput"))
      reads.append("let \(name) = \(output)")
      return
    }
    parameters.append((name, "GuestItemOutput"))
    reads.append("let \(name)Ending = a.u32(\(ending)) == 0 ? nil : try memory.out(a.u32(\(ending)), Int64.self)")
    reads.append(
      "let \(name) = GuestItemOutput(\n      \(output),\n      cursor: a.u32(\(cursor)), endingCursor: \(name)Ending)")
  }

  private mutating func pointer(
    _ parameter: Function.Parameter, _ pointee: String, _ name: String, _ argument: String, _ function: Function,
    _ types: TypeWriter
  ) {
    // What the host is given and what it fills in may have one name.
    let own = parameters.contains { $0.name == name } ? Spelling.memberName(parameter.name) : name
    if types.isStructure(pointee) {
      let type = Spelling.typeName(pointee)
      parameters.append((own, type))
      // What the host writes is checked whole beforehand; of what it reads, only the fields in use.
      reads.append("let \(own) = try \(type)(memory, \(argument))" + (parameter.dir == "in" ? "" : ".checked()"))
      return
    }
    guard parameter.dir == "out", !pointee.contains("ptr<"), let scalar = types.scalar(pointee),
      !(function.isWASI && parameter.name.hasPrefix("arg") && pointee == "u8"),
      !(function.isWASI && parameter.name.hasPrefix("environ") && pointee == "u8")
    else { return address(name, argument) }
    let storage: String
    let value: String
    let type: String
    switch scalar {
    case .integer(let integer): (storage, type, value) = (integer, integer, "$")
    case .boolean: (storage, type, value) = ("UInt32", "Bool", "$ ? 1 : 0")
    case .handle(let handle): (storage, type, value) = ("UInt32", handle, "$.rawValue")
    case .enumeration(let name), .flags(let name):
      (storage, type, value) = (types.storage(of: pointee), name, "$.rawValue")
    }
    let output = function.out.first { $0.name == parameter.name }
    if output?.writtenOn?.contains("buflen") == true {
      // It is written also when the call fails, so the host does it.
      parameters.append((own, "GuestPointer<\(storage)>"))
      reads.append("let \(own) = try memory.out(\(argument), \(storage).self)")
      return
    }
    let conditional = output?.conditional == true
    reads.append("let \(name)Place = try memory.out(\(argument), \(storage).self)")
    returns.append((name, conditional ? type + "?" : type))
    writes.append(
      conditional
        ? "if let value = value.$ { \(name)Place.store(\(value.replacing("$", with: "value"))) }"
        : "\(name)Place.store(\(value.replacing("$", with: "value.$")))")
  }

  private mutating func address(_ name: String, _ argument: String) {
    parameters.append((name, "UInt32"))
    reads.append("let \(name) = \(argument)")
  }

  private mutating func scalar(
    _ parameter: Function.Parameter, _ name: String, _ position: Int, _ types: TypeWriter, isWASI: Bool
  ) {
    // A bad pointer and a bad value are one status of Fastly's and two numbers of WASI's.
    let invalid = isWASI ? ".wasi(.inval)" : ".inval"
    let wide = parameter.wasm == "i64"
    let argument = wide ? "a.u64(\(position))" : "a.u32(\(position))"
    switch types.scalar(parameter.type) {
    case .handle(let type):
      parameters.append((name, type))
      reads.append("let \(name) = \(type)(rawValue: \(argument))")
    case .enumeration(let type):
      parameters.append((name, type))
      let raw = types.storage(of: parameter.type)
      let number = raw == "UInt32" ? argument : "\(raw)(truncatingIfNeeded: \(argument))"
      reads.append("guard let \(name) = \(type)(rawValue: \(number)) else { throw \(invalid) }")
    case .flags(let type):
      parameters.append((name, type))
      reads.append("let \(name) = try \(type)(argument: \(argument))")
    case .integer("UInt16"):
      parameters.append((name, "UInt16"))
      reads.append("guard let \(name) = UInt16(exactly: \(argument)) else { throw \(invalid) }")
    case .boolean:
      parameters.append((name, "Bool"))
      reads.append("let \(name) = \(argument) != 0")
    case .integer(let type):
      parameters.append((name, type))
      let plain = wide ? "UInt64" : "UInt32"
      reads.append("let \(name) = " + (type == plain ? argument : "\(type)(truncatingIfNeeded: \(argument))"))
    case nil:
      address(name, argument)
    }
  }

  static func pointee(_ type: String) -> String? {
    for prefix in ["const_ptr<", "ptr<"] where type.hasPrefix(prefix) {
      return String(type.dropFirst(prefix.count).dropLast())
    }
    return nil
  }

  /// The parameter that takes the number of bytes written to a buffer: the next count among the outputs.
  private static func partner(of parameter: Function.Parameter, at position: Int, in function: Function) -> String? {
    let pointee = pointee(parameter.type) ?? ""
    guard pointee == "char8" || pointee == "u8" else { return nil }
    return function.params[(position + 1)...].first {
      $0.dir == "out" && ["ptr<usize>", "ptr<num_bytes>", "ptr<wasi.size>"].contains($0.type)
        && ($0.name.contains("nwritten") || $0.name.contains("nread") || $0.name.contains("bufused"))
    }?.name
  }
}

/// Writes one file for each ABI module: its protocol and its thunks.
struct HostcallWriter {
  let functions: [Function]
  let types: TypeWriter
  let unsupported: [Unsupported]

  var ownFunctions: [Function] { functions.filter { $0.aliasOf == nil } }

  var modules: [String] {
    var seen: Set<String> = []
    return ownFunctions.map(\.module).filter { seen.insert($0).inserted }
  }

  /// Also those that hold nothing but older names of other modules' functions.
  private var allModules: [String] {
    var seen: Set<String> = []
    return functions.map(\.module).filter { seen.insert($0).inserted }
  }

  /// The entry of a function that answers `unsupported`.
  func refusal(_ function: Function) -> Unsupported? { note(function).flatMap { $0.answered == true ? nil : $0 } }

  private func note(_ function: Function) -> Unsupported? {
    unsupported.first { $0.covers(function.qualifiedName) }
  }

  func thunkName(_ function: Function) -> String { Spelling.methodName(function) + "Thunk" }

  private func traceIndex(_ function: Function) -> Int {
    (functions.firstIndex { $0.qualifiedName == function.qualifiedName } ?? 0) + 1
  }

  func module(_ module: String) -> String {
    let own = ownFunctions.filter { $0.module == module }
    var text = generatedHeader + "\ninternal import CWasmtime\n"
    let served = own.filter { refusal($0) == nil }
    if !served.isEmpty {
      text += "\n/// The hostcalls of `\(module)`.\npublic protocol \(Spelling.protocolName(module)): AnyObject {\n"
      text += served.map(requirement).joined()
      text += "}\n"
    }
    for function in own { text += refusal(function) == nil ? thunk(function) : refused(function) }
    return text
  }

  private func requirement(_ function: Function) -> String {
    if function.results.isEmpty { return "" }
    let shape = HostcallShape(function, types)
    let parameters = shape.parameters.map { "\($0.name): \($0.type)" }.joined(separator: ", ")
    let result = resultType(shape)
    let returned = function.mayBlock ? " -> Blocking<\(result)>" : result == "Void" ? "" : " -> \(result)"
    return """
        /// `\(function.qualifiedName)`.
        func \(Spelling.methodName(function))(\(parameters)) throws(Status)\(returned)

      """
  }

  private func resultType(_ shape: HostcallShape) -> String {
    switch shape.returns.count {
    case 0: "Void"
    case 1: shape.returns[0].type
    default: "(" + shape.returns.map { "\($0.name): \($0.type)" }.joined(separator: ", ") + ")"
    }
  }

  private func thunk(_ function: Function) -> String {
    let name = thunkName(function)
    let index = traceIndex(function)
    if function.results.isEmpty {
      return """

        let \(name): wasmtime_func_unchecked_callback_t = { _, caller, raw, _ in
          HostcallContext.exit(\(index), caller, raw)
        }

        """
    }
    let shape = HostcallShape(function, types)
    let arguments = shape.parameters.map { "\($0.name): \($0.name)" }.joined(separator: ", ")
    let call = "try host.\(Spelling.methodName(function))(\(arguments))"
    let writes =
      shape.returns.count == 1
      ? shape.writes.map { $0.replacing("value.$", with: "value") }
      : zip(shape.writes, shape.returns).map { $0.replacing("value.$", with: "value.\($1.name)") }
    let errors = function.isWASI ? ".wasi" : ".fastly"
    var lines = shape.reads
    if function.mayBlock {
      let value = shape.returns.isEmpty ? "_" : "value"
      let finish =
        writes.isEmpty
        ? "{ (_) throws(Status) in }"
        : "{ (\(value)) throws(Status) in\n      "
          + writes.joined(separator: "\n      ") + "\n    }"
      lines.append("return \(call).finishing \(finish)")
      return """

        let \(name): wasmtime_func_async_callback_t = { _, caller, args, _, results, _, _, continuation in
          HostcallContext.begin(\(index), \(errors), caller, args, results, continuation) { (host, memory, a) throws(Status) in
            \(lines.joined(separator: "\n    "))
          }
        }

        """
    }
    lines.append(shape.returns.isEmpty ? call : "let value = \(call)")
    lines += writes
    return """

      let \(name): wasmtime_func_unchecked_callback_t = { _, caller, raw, _ in
        HostcallContext.answer(\(index), \(errors), caller, raw) { (host, memory, a) throws(Status) in
          \(lines.joined(separator: "\n    "))
        }
      }

      """
  }

  private func refused(_ function: Function) -> String {
    """

    let \(thunkName(function)): wasmtime_func_unchecked_callback_t = { _, caller, raw, _ in
      HostcallContext.refuse(\(traceIndex(function)), caller, raw)
    }

    """
  }

  /// `HostcallEntries.swift`: the table and the protocol that a host of all of it has.
  func table() -> String {
    var text = generatedHeader + "\ninternal import CWasmtime\ninternal import Wasmtime\n"
    let protocols = modules.filter { module in ownFunctions.contains { $0.module == module && refusal($0) == nil } }
      .map(Spelling.protocolName)
    text += """

      /// A host of every hostcall that is served.
      public protocol ComputeHost: \(protocols.joined(separator: ",\n  ")) {}

      extension HostcallTable {
        /// All \(functions.count) functions.
        public static let entries: [Entry] = \(allModules.map { "\(Spelling.memberName($0))Entries" }.joined(separator: "\n    + "))

      """
    for module in allModules {
      text += "\n  private static let \(Spelling.memberName(module))Entries: [Entry] = [\n"
      for function in functions where function.module == module { text += entry(function) }
      text += "  ]\n"
    }
    return text + "}\n"
  }

  private func entry(_ function: Function) -> String {
    let target = resolve(function)
    let note = note(target)
    let state =
      switch note?.state {
      case nil: ".implemented"
      case "local": ".localAnswer(\"\(note?.reason ?? "")\")"
      default: ".unsupported(\"\(note?.reason ?? "")\")"
      }
    let variants = (function.variants ?? []).compactMap { variant -> String? in
      guard let other = functions.first(where: { $0.qualifiedName == variant.target }) else { return nil }
      return "(\(signature(variant.wasm, ["i32"])), \(thunkCase(resolve(other))))"
    }
    return """
          Entry(
            module: "\(function.module)", name: "\(function.name)",
            signature: \(signature(function.params.map(\.wasm), function.results)), state: \(state),
            index: \(traceIndex(target)), aliasOf: \(function.aliasOf.map { "\"\($0)\"" } ?? "nil"), isServed: \(refusal(target) == nil),
            isWASI: \(function.isWASI),
            thunk: \(thunkCase(target)), variants: [\(variants.joined(separator: ", "))]),

      """
  }

  private func resolve(_ function: Function) -> Function {
    var current = function
    while let alias = current.aliasOf, let target = functions.first(where: { $0.qualifiedName == alias }) {
      current = target
    }
    return current
  }

  private func thunkCase(_ function: Function) -> String {
    let blocks = function.mayBlock && refusal(function) == nil
    return (blocks ? ".blocking(" : ".immediate(") + thunkName(function) + ")"
  }

  private func signature(_ params: [String], _ results: [String]) -> String {
    func list(_ types: [String]) -> String { "[" + types.map { "." + $0 }.joined(separator: ", ") + "]" }
    return "Module.Signature(params: \(list(params)), results: \(list(results)))"
  }
}
