// Log endpoints. The tests are listed in Guests/README.md.

@_cdecl("_start")
func start() {
  serve { (request, _) throws(Status) in
    let target = try request.target()
    switch target.path {
    case "/write": try writes()
    case "/names": try names()
    case "/records": try records(target)
    default: try sendUnknownPath(target.path)
    }
  }
}

func writes() throws(Status) {
  var report = Report()
  let log = try Log("my-endpoint")
  report.number("plain") { () throws(Status) in try log.write("plain record") }
  report.number("newline_at_end") { () throws(Status) in try log.write("newline at end\n") }
  report.number("two_lines") { () throws(Status) in try log.write("two\nlines") }
  report.number("empty") { () throws(Status) in try log.write("") }
  report.number("not_text") { () throws(Status) in try log.write(Text([0x61, 0xff, 0x62])) }
  report.number("bad_handle") { () throws(Status) in try Log(handle: 777).write("nothing") }
  report.add("same_name_same_handle", try Log("my-endpoint").handle == log.handle)
  report.add("other_name_other_handle", try Log("other-endpoint").handle != log.handle)
  try report.send()
}

func names() throws(Status) {
  var report = Report()
  let names: [Text] = [
    "stdout", "STDOUT", "stderr", "stdin", "fst_managed_x", "FST_MANAGED_x", "stdout2", "with space", "with:colon",
    "with\nnewline", "",
  ]
  for name in names {
    report.attempt("open_\(name.escaped)") { () throws(Status) in _ = try Log(name) }
  }
  report.attempt("open_not_text") { () throws(Status) in _ = try Log(Text([0xff, 0xfe])) }
  try report.send()
}

/// Writes `count` numbered records of `bytes` filler bytes each.
func records(_ target: Target) throws(Status) {
  let log = try Log(target["endpoint"] ?? "my-endpoint")
  let filler = pattern(offset: 0, count: target.number("bytes", default: 0))
  for number in 0..<target.number("count", default: 3) { try log.write("record \(number) \(filler)") }
  try Response.send("done\n")
}
