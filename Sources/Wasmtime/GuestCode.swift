internal import CSampler
internal import CWasmtime

/// Where the functions of a compiled module lie in memory.
///
/// What it points to belongs to the module, which it keeps and which is immutable; hence `@unchecked Sendable`.
public final class GuestCode: @unchecked Sendable {
  private let module: Module
  private let image: CompiledImage
  private let text: UInt
  let ranges: csampler_code_t

  /// Nil when the module's image has no symbols.
  public init?(_ module: Module) {
    var start: UnsafeMutableRawPointer?
    var end: UnsafeMutableRawPointer?
    wasmtime_module_image_range(module.pointer, &start, &end)
    guard let start, let end, start < end,
      let image = CompiledImage(image: UnsafeRawBufferPointer(start: start, count: end - start))
    else { return nil }
    self.module = module
    self.image = image
    text = UInt(bitPattern: start + image.text.lowerBound)
    ranges = csampler_code_t(
      all: csampler_range_t(start: text, end: text + UInt(image.text.count)),
      entries: Self.range(of: .entry, in: image, text), exits: Self.range(of: .exit, in: image, text))
  }

  /// From the first piece of a kind to the last; Wasmtime puts them side by side.
  private static func range(of kind: CompiledImage.Piece.Kind, in image: CompiledImage, _ text: UInt)
    -> csampler_range_t
  {
    let pieces = image.pieces.filter { $0.kind == kind }
    guard let first = pieces.first, let last = pieces.last else { return csampler_range_t() }
    return csampler_range_t(start: text + UInt(first.start), end: text + UInt(last.end))
  }

  /// The function of the module that an address in its machine code belongs to, by its index, imports included; nil for
  /// code that only leads between host and guest.
  public func function(at address: UInt) -> UInt32? {
    guard address >= text, let offset = UInt32(exactly: address - text), let piece = image.piece(at: offset),
      case .function(let function) = piece.kind
    else { return nil }
    return function
  }
}
