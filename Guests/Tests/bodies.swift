// Bodies: writing, reading, appending, lengths, trailers, ends. The tests are listed in Guests/README.md.

@_cdecl("_start")
func start() {
  serve(route)
}

func route(_ request: Request, _ body: Body) throws(Status) {
  let target = try request.target()
  switch target.path {
  case "/write": try writes()
  case "/known_length": try knownLengths(body)
  case "/append": try appends()
  case "/ends": try ends()
  case "/misuse": try misuse()
  case "/streaming_misuse": try streamingMisuse()
  case "/trailers": try trailers()
  case "/request": try describe(body, limit: UInt32(target.number("limit", default: 16_384)))
  case "/request_trailers": try describeTrailers(body)
  case "/response_trailers": try respondWithTrailers()
  case "/echo": try echo(body, chunk: UInt32(target.number("chunk", default: 16_384)))
  case "/forward": try Response().send(body)
  case "/pattern": try respondWithPattern(target)
  case "/append_to_stream": try appendToStream(body)
  case "/abandon": try abandonResponse()
  case "/write_until_failure": try writeUntilFailure()
  default: try sendUnknownPath(target.path)
  }
}

func writes() throws(Status) {
  var report = Report()
  let body = try Body()
  report.number("back") { () throws(Status) in try body.writeOnce("middle") }
  report.number("front") { () throws(Status) in try body.writeOnce("start ", at: .front) }
  report.number("back_again") { () throws(Status) in try body.writeOnce(" end") }
  report.number("empty") { () throws(Status) in try body.writeOnce("") }
  report.text("read_nothing") { () throws(Status) in try body.read(limit: 0) }
  report.text("read_some") { () throws(Status) in try body.read(limit: 3) }
  report.text("read_all") { () throws(Status) in try body.readAll() }
  report.text("read_at_end") { () throws(Status) in try body.read(limit: 10) }
  report.number("write_after_end") { () throws(Status) in try body.writeOnce("more") }
  report.text("read_more") { () throws(Status) in try body.readAll() }
  var written: UInt32 = 0
  report.add("bad_end", status: Status(code: hostBodyWrite(body.handle, nil, 0, 2, &written)))
  try report.send()
}

func knownLengths(_ downstream: Body) throws(Status) {
  var report = Report()
  let body = try Body()
  report.number("empty") { () throws(Status) in try body.knownLength() }
  try body.write("12345")
  report.number("five") { () throws(Status) in try body.knownLength() }
  _ = try body.read(limit: 2)
  report.number("three") { () throws(Status) in try body.knownLength() }
  try body.append(try Body("67"))
  report.number("appended") { () throws(Status) in try body.knownLength() }
  report.number("downstream") { () throws(Status) in try downstream.knownLength() }
  try report.send()
}

func appends() throws(Status) {
  var report = Report()
  let first = try Body("one ")
  let second = try Body("two")
  try second.appendTrailer("x-end", "yes")
  report.attempt("append") { () throws(Status) in try first.append(second) }
  report.text("source_is_gone") { () throws(Status) in try second.read(limit: 1) }
  report.text("content") { () throws(Status) in try first.readAll() }
  report.text("trailer") { () throws(Status) in try first.trailer("x-end") }
  report.attempt("to_itself") { () throws(Status) in try first.append(first) }
  report.attempt("missing_source") { () throws(Status) in try first.append(Body(handle: invalidHandle)) }
  let third = try Body("three")
  report.attempt("missing_destination") { () throws(Status) in try Body(handle: invalidHandle).append(third) }
  try report.send()
}

func ends() throws(Status) {
  var report = Report()
  let closed = try Body("content")
  report.attempt("close") { () throws(Status) in try closed.close() }
  report.attempt("close_twice") { () throws(Status) in try closed.close() }
  report.text("read_closed") { () throws(Status) in try closed.read(limit: 1) }
  report.number("write_closed") { () throws(Status) in try closed.writeOnce("x") }
  let abandoned = try Body("content")
  report.attempt("abandon") { () throws(Status) in try abandoned.abandon() }
  report.attempt("abandon_twice") { () throws(Status) in try abandoned.abandon() }
  try report.send()
}

func misuse() throws(Status) {
  var report = Report()
  let missing = Body(handle: 12_345)
  report.text("read") { () throws(Status) in try missing.read(limit: 1) }
  report.number("write") { () throws(Status) in try missing.writeOnce("x") }
  report.attempt("close") { () throws(Status) in try missing.close() }
  report.attempt("abandon") { () throws(Status) in try missing.abandon() }
  report.number("known_length") { () throws(Status) in try missing.knownLength() }
  report.attempt("trailer") { () throws(Status) in try missing.appendTrailer("a", "b") }
  report.texts("trailer_names") { () throws(Status) in try missing.trailerNames() }
  report.attempt("respond") { () throws(Status) in try Response().send(missing) }
  try report.send()
}

func streamingMisuse() throws(Status) {
  var report = Report()
  let body = try Response.stream()
  report.number("front") { () throws(Status) in try body.writeOnce("x", at: .front) }
  report.text("read") { () throws(Status) in try body.read(limit: 1) }
  report.number("known_length") { () throws(Status) in try body.knownLength() }
  report.texts("trailer_names") { () throws(Status) in try body.trailerNames() }
  let plain = try Body("content")
  report.attempt("append_stream_to_plain") { () throws(Status) in try plain.append(body) }
  report.attempt("respond_with_stream") { () throws(Status) in try Response().send(body) }
  report.number("write_empty") { () throws(Status) in try body.writeOnce("") }
  try body.write(report.lines)
  try body.close()
}

func trailers() throws(Status) {
  var report = Report()
  let body = try Body("content")
  report.attempt("append") { () throws(Status) in try body.appendTrailer("x-one", "1") }
  report.attempt("append_again") { () throws(Status) in try body.appendTrailer("X-One", "2") }
  report.attempt("append_other") { () throws(Status) in try body.appendTrailer("x-two", "") }
  report.attempt("bad_name") { () throws(Status) in try body.appendTrailer("a b", "1") }
  report.attempt("bad_value") { () throws(Status) in try body.appendTrailer("x-bad", "a\r\nb") }
  report.attempt("long_name") { () throws(Status) in
    try body.appendTrailer(Text.repeating(UInt8(ascii: "n"), count: 65_536), "1")
  }
  report.texts("names_early") { () throws(Status) in try body.trailerNames() }
  report.text("value_early") { () throws(Status) in try body.trailer("x-one") }
  report.texts("values_early") { () throws(Status) in try body.trailerValues("x-one") }
  _ = try body.readAll()
  report.texts("names") { () throws(Status) in try body.trailerNames() }
  report.text("value") { () throws(Status) in try body.trailer("x-one") }
  report.texts("values") { () throws(Status) in try body.trailerValues("x-one") }
  report.text("missing_value") { () throws(Status) in try body.trailer("x-none") }
  report.texts("missing_values") { () throws(Status) in try body.trailerValues("x-none") }
  report.add(
    "names_tiny",
    MultiValuePage.once(capacity: 3, cursor: 0) { buffer, capacity, cursor, ending, written in
      hostBodyTrailerNamesGet(body.handle, buffer, capacity, cursor, ending, written)
    })
  try report.send()
}

/// Reads the client's body in pieces of a limited size.
func describe(_ body: Body, limit: UInt32) throws(Status) {
  var report = Report()
  var length = 0
  var reads = 0
  var largest = 0
  var matches = true
  report.attempt("end") { () throws(Status) in
    while true {
      let piece = try body.read(limit: limit)
      if piece.isEmpty { return }
      if piece != pattern(offset: length, count: piece.count) { matches = false }
      length += piece.count
      reads += 1
      largest = max(largest, piece.count)
    }
  }
  report.add("length", length)
  report.add("reads", reads)
  report.add("largest_read", largest)
  report.add("is_pattern", matches)
  try report.send()
}

func describeTrailers(_ body: Body) throws(Status) {
  var report = Report()
  report.texts("names_early") { () throws(Status) in try body.trailerNames() }
  report.add("length", try body.readAll().count)
  report.texts("names") { () throws(Status) in try body.trailerNames() }
  do throws(Status) {
    for name in try body.trailerNames() { report.add("trailer.\(name)", try body.trailerValues(name)) }
  } catch {
    report.add("trailers", status: error)
  }
  try report.send()
}

func respondWithTrailers() throws(Status) {
  let body = try Response.stream()
  try body.write("content\n")
  try body.appendTrailer("x-checksum", "abc")
  try body.appendTrailer("x-checksum", "def")
  try body.close()
}

/// Sends each piece of the client's body back as soon as it is here.
func echo(_ body: Body, chunk: UInt32) throws(Status) {
  let answer = try Response.stream(contentType: "application/octet-stream")
  try body.copy(to: answer, chunk: chunk)
  try answer.close()
}

func respondWithPattern(_ target: Target) throws(Status) {
  let answer = try Response.stream(contentType: "application/octet-stream")
  try writePattern(
    count: target.number("bytes", default: 1_000_000), chunk: target.number("chunk", default: 8192), to: answer)
  try answer.close()
}

/// Moves the client's body into a response that already streams.
func appendToStream(_ body: Body) throws(Status) {
  let answer = try Response.stream()
  try answer.write("before ")
  try answer.append(body)
  try answer.write(" after")
  try answer.close()
}

func abandonResponse() throws(Status) {
  let answer = try Response.stream()
  try answer.write("the first half\n")
  try answer.abandon()
}

/// Writes without end; the status that stopped it goes to the log endpoint `bodies`.
func writeUntilFailure() throws(Status) {
  let log = try Log("bodies")
  let answer = try Response.stream(contentType: "application/octet-stream")
  do throws(Status) {
    while true { try answer.write(pattern(offset: 0, count: 8192)) }
  } catch {
    try log.write("write_until_failure=!\(error)")
  }
}
