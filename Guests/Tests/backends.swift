// What a guest can ask about a backend: `/NAME` reports every setting of that backend.

@_cdecl("_start")
func start() {
  serve { (request, _) throws(Status) in
    let target = try request.target()
    var report = Report()
    report.describe(target.segments.first ?? "")
    try report.send()
  }
}
