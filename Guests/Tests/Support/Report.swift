/// What a test guest found out, as lines of `name=value` that the conformance suite compares.
///
/// A hostcall's failure stands as `name=!status`. Values are on one line: control characters, backslashes and bytes
/// beyond ASCII are written as escapes.
struct Report {
  private(set) var lines = Text()

  mutating func add(_ name: Text, _ value: Text) {
    lines += "\(name)=\(value.escaped)\n"
  }

  mutating func add(_ name: Text, _ value: some FixedWidthInteger) {
    lines += "\(name)=\(value)\n"
  }

  mutating func add(_ name: Text, _ value: Bool) {
    lines += "\(name)=\(value)\n"
  }

  mutating func add(_ name: Text, status: Status) {
    lines += status == .ok ? "\(name)=ok\n" : "\(name)=!\(status)\n"
  }

  /// The values joined by commas.
  mutating func add(_ name: Text, _ values: [Text]) {
    var joined = Text()
    for (place, value) in values.enumerated() {
      if place > 0 { joined += "," }
      joined += value
    }
    add(name, joined)
  }

  /// A fill of one buffer, in the order status, stored length, bytes: `name=ok,3,abc`, `name=!buflen,3,`.
  mutating func add(_ name: Text, _ reading: Reading) {
    let mark: Text = reading.status == .ok ? "" : "!"
    lines += "\(name)=\(mark)\(reading.status),\(reading.written),\(reading.text.escaped)\n"
  }

  /// A page of values, in the order status, stored length, ending cursor, values: `name=ok,6,-1,ab|cd`.
  mutating func add(_ name: Text, _ page: MultiValuePage) {
    let mark: Text = page.status == .ok ? "" : "!"
    var joined = Text()
    for (place, value) in page.values.enumerated() {
      if place > 0 { joined += "|" }
      joined += value.escaped
    }
    lines += "\(name)=\(mark)\(page.status),\(page.written),\(page.endingCursor),\(joined)\n"
  }

  /// Makes a call that answers nothing: `name=ok`.
  mutating func attempt(_ name: Text, _ call: () throws(Status) -> Void) {
    do throws(Status) {
      try call()
      add(name, status: .ok)
    } catch {
      add(name, status: error)
    }
  }

  /// Makes a call that answers a number.
  mutating func number(_ name: Text, _ call: () throws(Status) -> some FixedWidthInteger) {
    do throws(Status) { add(name, try call()) } catch { add(name, status: error) }
  }

  /// Makes a call that answers a text.
  mutating func text(_ name: Text, _ call: () throws(Status) -> Text) {
    do throws(Status) { add(name, try call()) } catch { add(name, status: error) }
  }

  /// Makes a call that answers several texts.
  mutating func texts(_ name: Text, _ call: () throws(Status) -> [Text]) {
    do throws(Status) { add(name, try call()) } catch { add(name, status: error) }
  }

  /// Sends the lines to the client.
  func send(status: UInt16 = 200) throws(Status) {
    try Response.send(status: status, lines)
  }
}

extension Report {
  /// Adds what a send came to. Of a response: its status, the named headers and the body with its end. Of a failure:
  /// the status and the detail.
  mutating func add(_ outcome: SendOutcome, prefix: Text = "", headers: [Text] = []) {
    switch outcome {
    case .failed(let failure):
      add("\(prefix)send", status: failure.status)
      add(failure.detail, prefix: prefix)
    case .response(let exchange):
      add("\(prefix)send", status: .ok)
      number("\(prefix)status") { () throws(Status) in try exchange.response.status() }
      for name in headers {
        add("\(prefix)header.\(name)", exchange.response.headers[name] ?? "-")
      }
      add(exchange.body, prefix: prefix)
    }
  }

  mutating func add(_ detail: SendErrorDetail, prefix: Text = "") {
    add("\(prefix)detail", detail.name)
    add("\(prefix)detail_mask", detail.mask)
    if detail.mask & SendErrorDetail.Field.dnsErrorCode != 0 { add("\(prefix)dns_rcode", detail.dnsErrorCode) }
    if detail.mask & SendErrorDetail.Field.tlsAlert != 0 { add("\(prefix)tls_alert", detail.tlsAlert) }
    if detail.mask & SendErrorDetail.Field.http2Error != 0 {
      add("\(prefix)h2_error_frame", detail.http2Frame)
      add("\(prefix)h2_error", detail.http2Error)
    }
  }

  /// Reads a body to its end: `body` has the first 200 bytes, `body_length` the count and `body_end` what ended it.
  mutating func add(_ body: Body, prefix: Text = "") {
    var start = Text()
    var length = 0
    var end = Status.ok
    do throws(Status) {
      while true {
        let chunk = try body.read(limit: 16_384)
        if chunk.isEmpty { break }
        length += chunk.count
        if start.count < 200 { start += chunk[..<min(chunk.count, 200 - start.count)] }
      }
    } catch {
      end = error
    }
    add("\(prefix)body", start)
    add("\(prefix)body_length", length)
    add("\(prefix)body_end", status: end)
  }
}

/// Tells the client that the guest has no such test.
func sendUnknownPath(_ path: Text) throws(Status) {
  try Response.send(status: 404, "This guest has no test at \(path)\n")
}

/// Bytes of a text that repeats `0123456789abcdef`, from an offset on, so that a receiver can check each place.
func pattern(offset: Int, count: Int) -> Text {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(count)
  for place in offset..<offset + count { bytes.append(hexadecimalDigit(UInt8(place & 15))) }
  return Text(bytes)
}

/// Writes that many pattern bytes in chunks.
func writePattern(count: Int, chunk: Int, to body: Body) throws(Status) {
  var offset = 0
  while offset < count {
    let size = min(chunk, count - offset)
    try body.write(pattern(offset: offset, count: size))
    offset += size
  }
}
