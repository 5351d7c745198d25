import NIOCore
import NIOHPACK
import Testing

@testable import FastlikeServer

/// Keeps what a decoder finds, as text.
private struct Fields: HeaderFieldSink {
  var pairs: [String] = []

  mutating func take(name: Span<UInt8>, value: Span<UInt8>) {
    pairs.append("\(text(name)): \(text(value))")
  }

  private func text(_ span: Span<UInt8>) -> String {
    span.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
  }
}

private func bytes(_ hexadecimal: String) -> [UInt8] {
  let digits = hexadecimal.filter { $0 != " " }.map { UInt8($0.hexDigitValue ?? 0) }
  return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

@Suite("HPACK")
struct HPACKTests {
  private func decode(_ decoder: inout HeaderBlockDecoder, _ block: [UInt8]) throws -> [String] {
    var fields = Fields()
    try decoder.decode(block.span, into: &fields)
    return fields.pairs
  }

  private func isMalformed(_ block: [UInt8]) -> Bool {
    var decoder = HeaderBlockDecoder()
    return (try? decode(&decoder, block)) == nil
  }

  // The examples of RFC 7541 Appendix C.

  @Test func literalsAreReadAsInC2() throws {
    var decoder = HeaderBlockDecoder()
    let first = try decode(&decoder, bytes("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572"))
    #expect(first == ["custom-key: custom-header"])
    #expect(try decode(&decoder, bytes("040c 2f73 616d 706c 652f 7061 7468")) == [":path: /sample/path"])
    #expect(try decode(&decoder, bytes("1008 7061 7373 776f 7264 0673 6563 7265 74")) == ["password: secret"])
    #expect(try decode(&decoder, bytes("82")) == [":method: GET"])
    // The first one was kept, the others were not.
    #expect(try decode(&decoder, bytes("be")) == ["custom-key: custom-header"])
    #expect(isMalformed(bytes("bf")))
  }

  @Test(arguments: [
    // C.3, without Huffman coding.
    [
      "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", "8286 84be 5808 6e6f 2d63 6163 6865",
      "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ],
    // C.4, with it.
    [
      "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", "8286 84be 5886 a8eb 1064 9cbf",
      "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ],
  ])
  func requestsOfOneConnectionBuildUponEachOther(blocks: [String]) throws {
    var decoder = HeaderBlockDecoder()
    let expected = [
      [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"],
      [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com", "cache-control: no-cache"],
      [
        ":method: GET", ":scheme: https", ":path: /index.html", ":authority: www.example.com",
        "custom-key: custom-value",
      ],
    ]
    for (block, fields) in zip(blocks, expected) { #expect(try decode(&decoder, bytes(block)) == fields) }
  }

  @Test func aSmallTableForgetsItsOldestFieldsAsInC6() throws {
    var decoder = HeaderBlockDecoder()
    // The table of 256 bytes, then the three responses of C.6.
    _ = try decode(
      &decoder,
      bytes(
        "3fe1 0148 8264 0258 85ae c377 1a4b 6196 d07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff"
          + "6e91 9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3"))
    #expect(
      try decode(&decoder, bytes("4883 640e ffc1 c0bf")) == [
        ":status: 307", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:21 GMT",
        "location: https://www.example.com",
      ])
    let third = try decode(
      &decoder,
      bytes(
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7"
          + "b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07"))
    #expect(
      third == [
        ":status: 200", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:22 GMT",
        "location: https://www.example.com", "content-encoding: gzip",
        "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
      ])
  }

  @Test func everyByteSurvivesHuffmanCoding() throws {
    // Characters beyond ASCII, one and all, through the other implementation's encoder.
    let text = String((1..<256).map { Character(Unicode.Scalar(UInt8($0))) })
    var encoder = HPACKEncoder(allocator: ByteBufferAllocator())
    var buffer = ByteBuffer()
    try encoder.encode(headers: HPACKHeaders([("a", text), ("b", String(text.reversed()))]), to: &buffer)
    var decoder = HeaderBlockDecoder()
    #expect(
      try decode(&decoder, Array(buffer.readableBytesView)) == [
        "a: \(text)", "b: \(text.reversed().map(String.init).joined())",
      ])
  }

  @Test(arguments: [
    "80", "ff ffff ffff 0f", "40", "400a 61", "0001 6105", "3fe2 1f", "8220", "0083 ffff ffff 01 61", "0081 fe 01 61",
    "0082 ffff 01 61",
  ])
  func whatIsNoBlockIsRefused(block: String) {
    #expect(isMalformed(bytes(block)))
  }

  @Test func aFieldThatIsLargerThanTheTableEmptiesIt() throws {
    var decoder = HeaderBlockDecoder()
    _ = try decode(&decoder, [0x40, 1, 0x61, 1, 0x62])
    var large: [UInt8] = [0x40, 1, 0x63, 0x7F, 0x81, 0x1F]
    large += [UInt8](repeating: 0x64, count: 127 + 1 + 31 * 128)
    #expect(try decode(&decoder, large).count == 1)
    #expect(throws: HeaderBlockDecoder.Malformed.self) { try decode(&decoder, [0xBE]) }
  }

  @Test func responsesAreUnderstoodByAnotherImplementation() throws {
    var buffer = ByteBuffer()
    HeaderBlockEncoder.writeTableSize(into: &buffer)
    HeaderBlockEncoder.writeStatus(200, into: &buffer)
    HeaderBlockEncoder.writeField(Array("Content-Type".utf8)[...], Array("text/plain".utf8)[...], into: &buffer)
    HeaderBlockEncoder.writeField(Array("X-Long".utf8)[...], Array(repeating: 0x61, count: 1000)[...], into: &buffer)
    var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
    let headers = try decoder.decodeHeaders(from: &buffer)
    #expect(headers.map(\.name) == [":status", "content-type", "x-long"])
    #expect(headers.first(name: "x-long")?.count == 1000)
    for status in [UInt16(204), 206, 304, 400, 404, 500, 103, 418, 999] {
      var buffer = ByteBuffer()
      HeaderBlockEncoder.writeStatus(status, into: &buffer)
      #expect(try decoder.decodeHeaders(from: &buffer).first(name: ":status") == "\(status)")
    }
  }
}
