import FastlikeProfile
import Synchronization
import Wasmtime

/// Finds the functions behind addresses in a program's machine code. One serves all requests of the program.
final class GuestSymbolizer: Sendable {
  let code: GuestCode
  private let symbols: GuestSymbols
  private let frames = Mutex<[UInt32: StackFrame]>([:])

  init(code: GuestCode, symbols: GuestSymbols) {
    self.code = code
    self.symbols = symbols
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
