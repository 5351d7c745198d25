/// Turns the names that external profilers print into functions of a trace.
enum NativeFrameNaming {
  /// What is known of the file that code comes from.
  struct Module: Hashable {
    /// Its last path component, so that no folder of the machine gets into a trace; empty for generated code.
    var name: String
    var kind: StackFrame.Kind
    /// Whether the code was generated at run time.
    var isGenerated: Bool

    static let unknown = Module(name: "", kind: .unknown, isGenerated: false)
  }

  /// Reads the DSO as `perf script` or a profile's library table names it.
  static func module(_ text: String) -> Module {
    var path = Substring(text)
    if path.hasSuffix(" (deleted)") { path = path.dropLast(10) }
    if path.isEmpty || path == "[unknown]" { return .unknown }
    if path == "//anon" || path == "JIT" || path.hasPrefix("[anon") || path.hasPrefix("[JIT") { return generated }
    if path.hasPrefix("["), path.hasSuffix("]") {
      let isUser = ["[vdso]", "[vsyscall]", "[heap]", "[stack]", "[uprobes]"].contains { $0 == path }
      return Module(name: bounded(path), kind: isUser ? .host : .kernel, isGenerated: false)
    }
    let file = path.split(separator: "/").last ?? path
    if isGenerated(file) { return generated }
    let isKernel = file == "vmlinux" || file.hasSuffix(".ko") || file.contains(".ko.")
    return Module(name: bounded(file), kind: isKernel ? .kernel : .host, isGenerated: false)
  }

  private static let generated = Module(name: "", kind: .guest, isGenerated: true)

  /// `perf-PID.map`, `jitted-PID-N.so` and `jit-PID.dump`.
  private static func isGenerated(_ file: Substring) -> Bool {
    if file.hasPrefix("perf-"), file.hasSuffix(".map") { return true }
    if file.hasPrefix("jitted-"), file.hasSuffix(".so") { return true }
    return file.hasPrefix("jit-") && file.hasSuffix(".dump")
  }

  /// The function of a symbol in a module.
  static func frame(symbol: String, in module: Module, isInlined: Bool = false) -> StackFrame {
    var name = Substring(symbol)
    var kind = module.kind
    if name.hasPrefix("wasm[") {
      kind = .guest
      // In compiled artefacts the name section's name follows the index: `wasm[0]::function[7]::leaf`.
      if let named = nameAfterIndex(name) { name = named }
    }
    // Wasmtime's glue between host and guest lies among the guest's code.
    if kind == .guest, isTrampoline(name) { kind = .host }
    let isGuest = kind == .guest
    return StackFrame(
      name: bounded(readable(name, isGuest: isGuest)), module: isGuest && module.isGenerated ? "" : module.name,
      kind: kind,
      isInlined: isInlined)
  }

  /// Samplers give the guest's names as its compiler wrote them, and the others' readable.
  private static func readable(_ name: Substring, isGuest: Bool) -> Substring {
    let plain = withoutRustHash(name)
    return isGuest ? Substring(SymbolName.readable(String(plain))) : plain
  }

  /// The function at an address that has no symbol.
  static func frame(address: UInt64, in module: Module) -> StackFrame {
    StackFrame(name: "0x" + String(address, radix: 16), module: module.name, kind: module.kind)
  }

  private static func nameAfterIndex(_ name: Substring) -> Substring? {
    guard let marker = firstRange(of: "]::function[", in: name) else { return nil }
    let rest = name[marker...]
    guard let end = firstRange(of: "]::", in: rest), end < rest.endIndex else { return nil }
    return rest[end...]
  }

  private static func isTrampoline(_ name: Substring) -> Bool {
    name.hasPrefix("signatures[") || firstRange(of: "_trampoline[", in: name) != nil
  }

  /// Where the text after the first occurrence begins.
  private static func firstRange(of needle: StaticString, in text: Substring) -> Substring.Index? {
    let wanted = needle.withUTF8Buffer { Array($0) }
    let bytes = text.utf8
    var start = bytes.startIndex
    while let first = bytes[start...].firstIndex(of: wanted[0]) {
      if bytes[first...].starts(with: wanted) { return bytes.index(first, offsetBy: wanted.count) }
      start = bytes.index(after: first)
    }
    return nil
  }

  /// Without the `::h` and 16 hexadecimal digits at the end of a Rust symbol.
  static func withoutRustHash(_ name: Substring) -> Substring {
    let tail = name.utf8.suffix(19)
    guard tail.count == 19, name.utf8.count > 19, tail.starts(with: "::h".utf8) else { return name }
    let isHash = tail.dropFirst(3).allSatisfy {
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
    }
    return isHash ? name[..<tail.startIndex] : name
  }

  private static func bounded(_ text: Substring) -> String {
    PrintableText.bounded(String(text), to: NativeImportLimits.nameBytes)
  }
}
