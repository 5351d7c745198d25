import Testing

@testable import FastlikeServer

@Suite("TLS: first handshake message")
struct HandshakeObserverTests {
  private func record(_ payload: [UInt8], type: UInt8 = 22) -> [UInt8] {
    [type, 3, 1, UInt8(payload.count >> 8), UInt8(payload.count & 255)] + payload
  }

  private func message(_ body: [UInt8], type: UInt8 = 1) -> [UInt8] {
    [type, 0, UInt8(body.count >> 8), UInt8(body.count & 255)] + body
  }

  @Test func aMessageIsCompleteWithItsLastByte() {
    let hello = message([1, 2, 3, 4, 5])
    var reader = FirstHandshakeMessage()
    let bytes = record(hello)
    for byte in bytes.dropLast() {
      reader.take([byte])
      #expect(!reader.isSettled)
    }
    reader.take([bytes.last ?? 0])
    #expect(reader.message == hello)
  }

  @Test func aMessageMayBeSpreadOverRecordsAndShareItsLastOne() {
    let hello = message(Array(0..<100))
    var reader = FirstHandshakeMessage()
    reader.take(record(Array(hello[..<3])) + record(Array(hello[3..<60])) + record(hello[60...] + message([9])))
    #expect(reader.message == hello)
  }

  @Test func otherRecordsMayFollowInTheSameFlight() {
    let hello = message([1, 2, 3], type: 2)
    var reader = FirstHandshakeMessage()
    reader.take(record(hello) + record([1], type: 20) + record([9, 9], type: 23))
    #expect(reader.message == hello)
  }

  @Test(arguments: [Array("GET / HTTP/1.1\r\n".utf8), [21, 3, 1, 0, 2, 2, 40]])
  func somethingElseIsGivenUp(bytes: [UInt8]) {
    var reader = FirstHandshakeMessage()
    reader.take(bytes)
    #expect(reader.message == nil)
    #expect(reader.isHopeless)
  }

  @Test func aMessageThatIsTooLongIsGivenUp() {
    var reader = FirstHandshakeMessage()
    reader.take(record([1, 1, 0, 0] + [UInt8](repeating: 0, count: 1000)))
    #expect(reader.isHopeless)
    var dripping = FirstHandshakeMessage()
    for _ in 0..<40 { dripping.take(record([1, 0, 120, 0] + [UInt8](repeating: 0, count: 1020))) }
    #expect(dripping.isSettled)
  }

  @Test func theServersHelloTellsTheCipher() {
    let session: [UInt8] = [3, 7, 7, 7]
    let hello = message([3, 3] + [UInt8](repeating: 5, count: 32) + session + [0x13, 0x02, 0], type: 2)
    #expect(FirstHandshakeMessage.cipherSuite(ofServerHello: hello) == 0x1302)
    for count in 0..<hello.count - 1 {
      #expect(FirstHandshakeMessage.cipherSuite(ofServerHello: Array(hello[..<count])) == nil)
    }
    #expect(FirstHandshakeMessage.cipherSuite(ofServerHello: message([3, 3])) == nil)
  }
}
