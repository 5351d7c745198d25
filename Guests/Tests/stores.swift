// Dictionaries and config stores: `/config_store` and `/dictionary` with `name`, `key` and an optional `capacity`.

@_cdecl("_start")
func start() {
  serve { (request, _) throws(Status) in
    let target = try request.target()
    let name = target["name"] ?? "store"
    let key = target["key"] ?? "key"
    let capacity = UInt32(target.number("capacity", default: 4))
    var report = Report()
    switch target.path {
    case "/config_store":
      do throws(Status) {
        let store = try ConfigStore(name)
        report.add("open", status: .ok)
        report.add("reading", store.reading(key, capacity: capacity))
        report.text("value") { () throws(Status) in try store.get(key) }
      } catch {
        report.add("open", status: error)
      }
      report.text("bad_handle") { () throws(Status) in try ConfigStore(handle: 777).get(key) }
    case "/dictionary":
      do throws(Status) {
        let store = try EdgeDictionary(name)
        report.add("open", status: .ok)
        report.add("reading", store.reading(key, capacity: capacity))
        report.text("value") { () throws(Status) in try store.get(key) }
      } catch {
        report.add("open", status: error)
      }
      report.text("bad_handle") { () throws(Status) in try EdgeDictionary(handle: 777).get(key) }
    default: return try sendUnknownPath(target.path)
    }
    try report.send()
  }
}
