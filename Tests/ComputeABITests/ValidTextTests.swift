import ComputeABI
import Testing

/// The standard library's validation is what the quick way is compared with.
@Suite struct ValidTextTests {
  private func text(_ bytes: [UInt8]) -> String? { bytes.withUnsafeBytes { String(validUTF8: $0) } }

  @Test func `ASCII, NUL included, is the same text`() {
    let bytes = Array(UInt8(0)..<0x80)
    #expect(text(bytes) == String(validating: bytes, as: UTF8.self))
    #expect(text([]) == "")
    #expect(String(validUTF8: UnsafeRawBufferPointer(start: nil, count: 0)) == "")
  }

  @Test(arguments: [0, 1, 15, 16, 63, 200])
  func `a character beyond ASCII is found wherever it is`(place: Int) {
    var bytes = Array(repeating: UInt8(ascii: "a"), count: 201)
    bytes[place] = 0xFF
    #expect(text(bytes) == nil)
    bytes.replaceSubrange(place...place, with: Array("ü".utf8))
    #expect(text(bytes)?.utf8.elementsEqual(bytes) == true)
  }

  @Test func `each pair of bytes is text or none as in the standard library`() {
    for first in UInt8.min...UInt8.max {
      for second in UInt8.min...UInt8.max {
        let bytes = [first, second]
        #expect(text(bytes) == String(validating: bytes, as: UTF8.self))
      }
    }
  }
}
