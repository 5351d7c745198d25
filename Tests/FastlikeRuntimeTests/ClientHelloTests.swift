import Testing

@testable import FastlikeRuntime

/// Hellos of real clients, captured from their sockets, and one put together as Chromium sends it, with GREASE. What they
/// come to was computed apart from this program, by a script that follows the publications of JA3 and JA4.
@Suite("Client hellos")
struct ClientHelloTests {
  /// `openssl s_client -servername openssl.test -alpn h2,http/1.1`, OpenSSL 3.0.
  private static let openSSL =
    "01000147030379e7210b4f54be2c4893e84283d330421f83e72370fbefd483c3b1d284bbafdf2044de02d2da8e1ae191e653"
    + "1a5648f063516b844877d33f9b32f9e5f7854fb30e003e130213031301c02cc030009fcca9cca8ccaac02bc02f009ec024c0"
    + "28006bc023c0270067c00ac0140039c009c0130033009d009c003d003c0035002f00ff010000c000000011000f00000c6f70"
    + "656e73736c2e74657374000b000403000102000a00160014001d0017001e0019001801000101010201030104002300000010"
    + "000e000c02683208687474702f312e310016000000170000000d002a0028040305030603080708080809080a080b08040805"
    + "0806040105010601030303010302040205020602002b0009080304030303020301002d00020101003300260024001d002010"
    + "e327268b4fc935b61c2830dc0c94eb679f96b470e2ee2de92d19d13c0fb75f"

  /// Python's `ssl`, at most TLS 1.2.
  private static let python =
    "010000bc03038bc3b8906c91678bf03cdee47bc81c7d6b1a76b98c56c159f364c14e9004559000001ec02cc030c02bc02fcc"
    + "a9cca8c024c028c023c027009f009e006b006700ff0100007500000010000e00000b707974686f6e2e74657374000b000403"
    + "000102000a000c000a001d0017001e00190018002300000010000b000908687474702f312e310016000000170000000d002a"
    + "0028040305030603080708080809080a080b080408050806040105010601030303010302040205020602"

  private static let browser =
    "0100013303036465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f8081828320000102030405060708090a"
    + "0b0c0d0e0f101112131415161718191a1b1c1d1e1f00208a8a130113021303c02bc02fc02cc030cca9cca8c013c014009c00"
    + "9d002f0035010000ca3a3a00000000001500130000107777772e62726f777365722e7465737400170000ff01000100000a00"
    + "0c000adada11ec001d00170018000b00020100002300000010000e000c02683208687474702f312e31000500050100000000"
    + "000d0012001004030804040105030805050108060601001200000033002b0029dada000100001d0020000102030405060708"
    + "090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f002d00020101002b0007069a9a03040303001b000302000244cd00"
    + "050003026832caca000100"

  private static func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = hexadecimal.map { UInt8($0.hexDigitValue ?? 0) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  private static func digest(_ hello: ClientHello) -> String {
    hello.ja3Digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  @Test func theFingerprintsOfOpenSSL() throws {
    let hello = try #require(ClientHello(Self.bytes(Self.openSSL)))
    #expect(hello.serverName == Array("openssl.test".utf8))
    #expect(hello.firstProtocol == Array("h2".utf8))
    #expect(
      hello.ja3
        == "771,4866-4867-4865-49196-49200-159-52393-52392-52394-49195-49199-158-49188-49192-107-49187-49191-103-49162"
        + "-49172-57-49161-49171-51-157-156-61-60-53-47-255,0-11-10-35-16-22-23-13-43-45-51,29-23-30-25-24-256-257-258-259"
        + "-260,0-1-2")
    #expect(Self.digest(hello) == "5a1edc7f170af1014fc65c994878e63c")
    #expect(hello.ja4 == "t13d3111h2_e8f1e7e78f70_1f22a2ca17c4")
  }

  @Test func theFingerprintsOfPython() throws {
    let hello = try #require(ClientHello(Self.bytes(Self.python)))
    #expect(hello.serverName == Array("python.test".utf8))
    #expect(hello.supportedVersions.isEmpty)
    #expect(Self.digest(hello) == "104774240db569f8f87b1a28206b25e5")
    #expect(hello.ja4 == "t12d1508h1_d68b136fe8d9_e7e480e5a997")
  }

  @Test func greaseDoesNotCount() throws {
    let hello = try #require(ClientHello(Self.bytes(Self.browser)))
    #expect(hello.cipherSuites.first == 0x8A8A)
    #expect(
      hello.ja3
        == "771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-157-47-53,"
        + "0-23-65281-10-11-35-16-5-13-18-51-45-43-27-17613,4588-29-23-24,0")
    #expect(Self.digest(hello) == "5282b23ff07896bb0a9df80f7414a872")
    #expect(hello.ja4 == "t13d1515h2_8daaf6152771_22334254f9f7")
  }

  @Test func theOrderOfExtensionsCountsForJA3Alone() throws {
    var hello = try #require(ClientHello(Self.bytes(Self.browser)))
    let (ja3, ja4) = (hello.ja3, hello.ja4)
    hello.extensions.reverse()
    #expect(hello.ja3 != ja3)
    #expect(hello.ja4 == ja4)
  }

  @Test func anUnusualProtocolIsMarkedByItsBytes() throws {
    var hello = try #require(ClientHello(Self.bytes(Self.browser)))
    hello.firstProtocol = [0xAB, 0x68, 0xCD]
    #expect(hello.ja4.hasPrefix("t13d1515ad_"))
    hello.firstProtocol = nil
    #expect(hello.ja4.hasPrefix("t13d151500_"))
  }

  @Test func aHelloWithoutExtensionsIsOneOfAnOldClient() throws {
    let body: [UInt8] = [3, 1] + [UInt8](repeating: 1, count: 32) + [0, 0, 2, 0, 0x2F, 1, 0]
    let hello = try #require(ClientHello([1, 0, 0, UInt8(body.count)] + body))
    #expect(hello.ja3 == "769,47,,,")
    #expect(hello.ja4.hasPrefix("t10i010000_"))
    #expect(hello.ja4.hasSuffix("_000000000000"))
    #expect(hello.serverName == nil)
  }

  @Test(arguments: [openSSL, python, browser])
  func aHelloThatIsCutOffIsNone(hexadecimal: String) {
    let bytes = Self.bytes(hexadecimal)
    for count in 0..<bytes.count { #expect(ClientHello(Array(bytes[..<count])) == nil) }
  }

  @Test func damagedExtensionsDoNoHarm() {
    let bytes = Self.bytes(Self.browser)
    for place in bytes.indices {
      for value in [UInt8(0), 0x7F, 0xFF] {
        var damaged = bytes
        damaged[place] = value
        let hello = ClientHello(damaged)
        #expect(hello == nil || hello?.ja4.utf8.count == 36)
      }
    }
  }

  @Test func suitesHaveTheirNamesOfOpenSSL() {
    #expect(TLSCipherSuiteName.openSSL(0x1301) == "TLS_AES_128_GCM_SHA256")
    #expect(TLSCipherSuiteName.openSSL(0xC02F) == "ECDHE-RSA-AES128-GCM-SHA256")
    #expect(TLSCipherSuiteName.openSSL(0x0A0A) == nil)
  }
}
