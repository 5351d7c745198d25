// The smallest useful guest: one header and a short body. The benchmarks' yardstick.

@_cdecl("_start")
func start() {
  serve { (_, _) throws(Status) in
    try Response.send("Hello from the edge\n")
  }
}
