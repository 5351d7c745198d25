import ComputeABI
import Testing

@testable import FastlikeRuntime

@Suite struct FramingHeadersTests {
  private func resolved(
    _ pairs: [(String, String)], _ mode: FramingMode, length: Int?, _ kind: FramingHeaders.MessageKind
  ) -> (Framing, HeaderList) {
    var headers = HeaderList(pairs)
    let framing = FramingHeaders.resolve(headers: &headers, mode: mode, bodyLength: length, messageKind: kind)
    return (framing, headers)
  }

  private let response = FramingHeaders.MessageKind.response(status: 200, toHEAD: false)

  @Test func automaticModeReplacesTheGuestsFramingFieldsByTheKnownLength() {
    let (framing, headers) = resolved(
      [("Content-Length", "99"), ("X-A", "1"), ("Transfer-Encoding", "chunked")], .automatic, length: 5, response)
    #expect(framing == .contentLength(5))
    #expect(headers == HeaderList([("X-A", "1"), ("content-length", "5")]))
  }

  @Test func automaticModeChunksABodyOfUnknownLength() {
    let (framing, headers) = resolved([("Content-Length", "9")], .automatic, length: nil, .request(method: "POST"))
    #expect(framing == .chunked)
    #expect(headers == HeaderList([("transfer-encoding", "chunked")]))
  }

  @Test(arguments: ["GET", "HEAD", "DELETE", "CONNECT", "OPTIONS", "TRACE"])
  func anEmptyRequestOfABodilessMethodHasNoFramingField(method: String) {
    let (framing, headers) = resolved([("Content-Length", "0")], .automatic, length: 0, .request(method: method))
    #expect(framing == .none)
    #expect(headers.isEmpty)
  }

  @Test(arguments: ["POST", "PUT", "PATCH", "QUERY"])
  func anEmptyRequestOfAnotherMethodAnnouncesZero(method: String) {
    let (framing, headers) = resolved([], .automatic, length: 0, .request(method: method))
    #expect(framing == .contentLength(0))
    #expect(headers == HeaderList([("content-length", "0")]))
  }

  @Test func anEmptyResponseAnnouncesZero() {
    let (framing, headers) = resolved([], .automatic, length: 0, response)
    #expect(framing == .contentLength(0))
    #expect(headers.first("content-length") == "0")
  }

  @Test func manualModeKeepsAValidLengthAsItStands() {
    let (framing, headers) = resolved([("CONTENT-length", "7")], .manuallyFromHeaders, length: nil, response)
    #expect(framing == .contentLength(7))
    #expect(headers == HeaderList([("CONTENT-length", "7")]))
  }

  @Test func manualModeKeepsChunkedForAKnownLength() {
    let (framing, headers) = resolved([("Transfer-Encoding", "Chunked")], .manuallyFromHeaders, length: 3, response)
    #expect(framing == .chunked)
    #expect(headers == HeaderList([("Transfer-Encoding", "Chunked")]))
  }

  @Test(arguments: [
    [], [("content-length", "")], [("content-length", "-1")], [("content-length", "1, 1")], [("content-length", "0x3")],
    [("content-length", "3"), ("content-length", "3")], [("transfer-encoding", "gzip")],
    [("transfer-encoding", "gzip, chunked")], [("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
    [("content-length", "3"), ("transfer-encoding", "chunked")], [("content-length", "9999999999999999999")],
  ])
  func manualModeFallsBackWhereTheFieldsAreInvalid(pairs: [(String, String)]) {
    let (framing, headers) = resolved(pairs, .manuallyFromHeaders, length: 3, response)
    #expect(framing == .contentLength(3))
    #expect(headers == HeaderList([("content-length", "3")]))
  }

  @Test func manualModeFallsBackWhereTheLengthIsNotThatOfTheBody() {
    let (framing, headers) = resolved([("content-length", "10")], .manuallyFromHeaders, length: 3, response)
    #expect(framing == .contentLength(3))
    #expect(headers.first("content-length") == "3")
  }

  @Test func aResponseToHEADKeepsADeclaredLengthAndHasNoBody() {
    let (framing, headers) = resolved(
      [("Content-Length", "120")], .manuallyFromHeaders, length: 0, .response(status: 200, toHEAD: true))
    #expect(framing == .none)
    #expect(headers.first("content-length") == "120")
  }

  @Test func aResponseToHEADTellsAKnownLengthThatIsNotZero() {
    let kind = FramingHeaders.MessageKind.response(status: 200, toHEAD: true)
    #expect(resolved([], .automatic, length: 12, kind).1.first("content-length") == "12")
    #expect(resolved([], .automatic, length: 0, kind).1.isEmpty)
    #expect(resolved([], .automatic, length: nil, kind).1.isEmpty)
  }

  @Test(arguments: [100, 103, 204] as [UInt16])
  func aBodilessStatusCarriesNoFramingField(status: UInt16) {
    let (framing, headers) = resolved(
      [("content-length", "4")], .manuallyFromHeaders, length: 4, .response(status: status, toHEAD: false))
    #expect(framing == .none)
    #expect(headers.isEmpty)
  }

  @Test func a304KeepsADeclaredLengthInManualModeOnly() {
    let kind = FramingHeaders.MessageKind.response(status: 304, toHEAD: false)
    #expect(resolved([("content-length", "4")], .manuallyFromHeaders, length: 0, kind).1.count == 1)
    #expect(resolved([("content-length", "4")], .automatic, length: 0, kind).1.isEmpty)
  }

  @Test func connectionFieldsAndThoseTheyNameAreRemovedInBothModes() {
    for mode in [FramingMode.automatic, .manuallyFromHeaders] {
      let (_, headers) = resolved(
        [("Connection", "X-Hop, close, host"), ("x-hop", "1"), ("Keep-Alive", "5"), ("Host", "a"), ("X-End", "2")],
        mode, length: 0, .request(method: "GET"))
      #expect(headers == HeaderList([("Host", "a"), ("X-End", "2")]))
    }
  }
}
