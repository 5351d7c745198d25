import ComputeABI
import Testing

/// The packing rules, on host memory that stands for a guest's.
@Suite struct GuestMemoryTests {
  private func output(_ capacity: Int) -> GuestBuffer {
    GuestBuffer(UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 8))
  }

  @Test func `a memory without an instance has no address`() {
    let memory = GuestMemory()
    #expect(throws: Status.inval) { try memory.load(0, as: UInt32.self) }
    #expect(throws: Status.badalign) { try memory.load(2, as: UInt32.self) }
  }

  @Test func `no bytes may be anywhere`() throws {
    #expect(try GuestMemory().bytes(0xffff_ffff, count: 0).isEmpty)
  }

  @Test func `text that does not fit copies nothing`() {
    let buffer = output(3)
    defer { buffer.raw.deallocate() }
    buffer.raw.copyBytes(from: "abc".utf8)
    #expect(throws: Status.buflen) { try GuestOutput(buffer, written: nil).write("long") }
    #expect(String(decoding: buffer.raw, as: UTF8.self) == "abc")
  }

  @Test func `items are packed whole, each with a NUL`() throws {
    let buffer = output(6)
    defer { buffer.raw.deallocate() }
    let items = ["ab", "cd", "ef"].map { ArraySlice($0.utf8) }
    try GuestItemOutput(GuestOutput(buffer, written: nil), cursor: 0, endingCursor: nil)
      .write(count: items.count) { items[$0] }
    #expect(String(decoding: buffer.raw, as: UTF8.self) == "ab\0cd\0")
  }

  @Test func `a first item that does not fit is buflen`() {
    let buffer = output(2)
    defer { buffer.raw.deallocate() }
    #expect(throws: Status.buflen) {
      try GuestItemOutput(GuestOutput(buffer, written: nil), cursor: 0, endingCursor: nil)
        .write(count: 1) { _ in ArraySlice("abc".utf8) }
    }
  }
}
