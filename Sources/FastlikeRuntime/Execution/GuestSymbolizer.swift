import ComputeABI
import FastlikeProfile
import Synchronization
import Wasmtime

/// Finds the functions behind addresses in a program's machine code. One serves all requests of the program.
final class GuestSymbolizer: GuestFrameNames {
  let code: GuestCode
  private let symbols: GuestSymbols
  private let frames = Mutex<[UInt32: StackFrame]>([:])

  init(code: GuestCode, symbols: GuestSymbols) {
    self.code = code
    self.symbols = symbols
  }

  /// What stands in a stack for the engine's work for a guest: growing a memory, copying tables, changing stacks. No code lies
  /// at such addresses.
  static let engine = mark | 1 << 32
  private static let mark: UInt = 1 << 63

  /// What stands in a stack for a hostcall, as the innermost function.
  static func word(hostcall: UInt16) -> UInt { mark | UInt(hostcall) }

  func frame(of word: UInt) -> StackFrame? {
    if word & Self.mark == 0 { return frame(at: word) }
    if word == Self.engine { return StackFrame(name: "(engine)", module: "wasmtime", kind: .host) }
    return StackFrame(name: HostcallTable.traceNames[Int(word & 0xFFFF)], module: "fastlike", kind: .host)
  }

  /// The function at an address; nil for code that only leads between host and guest.
  func frame(at address: UInt) -> StackFrame? {
    guard let function = code.function(at: address) else { return nil }
    return frames.withLock { frames in
      if let known = frames[function] { return known }
      let frame = symbols.frame(of: function)
      frames[function] = frame
      return frame
    }
  }
}
