/// Indices into the profile's categories, which colour frames and head the rows of the marker chart.
enum FirefoxCategory: Int, CaseIterable {
  case other = 0
  case guest
  case host
  case kernel
  case request
  case hostcall
  case suspended
  case backend
  case memory

  init(of kind: StackFrame.Kind) {
    switch kind {
    case .guest: self = .guest
    case .host: self = .host
    case .kernel: self = .kernel
    case .unknown: self = .other
    }
  }

  private var nameAndColor: (name: String, color: String) {
    switch self {
    case .other: ("Other", "grey")
    case .guest: ("Guest", "purple")
    case .host: ("Host", "blue")
    case .kernel: ("Kernel", "orange")
    case .request: ("Request", "darkgrey")
    case .hostcall: ("Hostcalls", "green")
    case .suspended: ("Suspended", "red")
    case .backend: ("Backend calls", "lightblue")
    case .memory: ("Memory", "brown")
    }
  }

  /// The value of `meta.categories`; one has to be grey.
  static func writeAll(to json: inout JSONByteWriter) {
    json.array("categories", of: allCases) { json, category in
      json.beginObject()
      json.field("name", category.nameAndColor.name)
      json.field("color", category.nameAndColor.color)
      json.field("subcategories", literal: #"["Other"]"#)
      json.endObject()
    }
  }
}

/// What the profile declares of its marker payloads. A payload's key that is not listed here would never be shown, and
/// a payload without a declared `type` would show none of its keys; `Network` is built into the viewer and must not be
/// declared.
enum FirefoxMarkerType: String, CaseIterable {
  case request = "Request"
  case stage = "Stage"
  case hostcall = "Hostcall"
  case suspended = "Suspended"
  case backendCall = "BackendCall"
  case event = "Event"
  case deepMetrics = "DeepMetrics"

  private typealias Field = (key: String, label: String, format: String)

  private var fields: [Field] {
    switch self {
    case .request:
      [
        ("request", "Request", "string"), ("method", "Method", "string"), ("url", "URL", "url"),
        ("status", "Status", "integer"), ("outcome", "Outcome", "string"), ("module", "Module", "string"),
        ("moduleName", "Module name", "string"), ("responseBytes", "Response body", "bytes"),
        ("queue", "Queue", "duration"), ("setup", "Setup", "duration"), ("guest", "Guest", "duration"),
        ("host", "Host", "duration"), ("blockedQueue", "Blocked: queue", "duration"),
        ("blockedBackend", "Blocked: backend", "duration"),
        ("blockedClient", "Blocked: client", "duration"),
        ("blockedCache", "Blocked: cache", "duration"),
        ("blockedStore", "Blocked: store", "duration"),
        ("blockedTimer", "Blocked: timer", "duration"),
        ("blockedOther", "Blocked: other", "duration"),
      ]
    case .stage: [("request", "Request", "string")]
    case .hostcall:
      [
        ("status", "Status", "integer"), ("blocked", "Blocked", "duration"), ("touches", "Touches", "list"),
        ("tags", "Tags", "list"),
      ]
    case .suspended: [("inHostcall", "In a hostcall", "string")]
    case .backendCall:
      [
        ("backend", "Backend", "string"), ("method", "Method", "string"), ("url", "URL", "url"),
        ("variant", "Sent by", "string"), ("status", "Status", "integer"), ("outcome", "Outcome", "string"),
        ("failure", "Failure", "string"), ("connection", "Connection", "string"),
        ("peer", "Peer", "sanitized-string"), ("pendingID", "Pending handle", "integer"),
        ("isDynamic", "Dynamic backend", "string"), ("isCollapsed", "Collapsed", "string"),
        ("requestHead", "Request head", "bytes"), ("requestBody", "Request body", "bytes"),
        ("responseHead", "Response head", "bytes"), ("responseBody", "Response body", "bytes"),
      ]
    case .event: [("text", "Text", "string"), ("count", "Count", "integer")]
    case .deepMetrics:
      [
        ("bodyRead", "Body bytes read", "bytes"), ("bodyWritten", "Body bytes written", "bytes"),
        ("cacheLookups", "Cache lookups", "integer"), ("cacheInserts", "Cache inserts", "integer"),
        ("cacheHits", "Cache hits", "integer"), ("cacheMisses", "Cache misses", "integer"),
        ("cacheStale", "Cache stale", "integer"), ("memoryMin", "Memory, least", "bytes"),
        ("memoryMax", "Memory, most", "bytes"), ("memoryFinal", "Memory at the end", "bytes"),
        ("stores", "Store access", Self.storeTable), ("requestHeaders", "Request headers", Self.headerTable),
        ("responseHeaders", "Response headers", Self.headerTable),
      ]
    }
  }

  private static let storeTable =
    #"{"type":"table","columns":[{"label":"Kind","type":"string"},{"label":"Store","type":"string"},"#
    + #"{"label":"Count","type":"integer"}]}"#
  private static let headerTable =
    #"{"type":"table","columns":[{"label":"Name","type":"string"},{"label":"Count","type":"integer"},"#
    + #"{"label":"Bytes","type":"bytes"}]}"#

  private var display: String {
    switch self {
    case .hostcall, .request, .suspended: #"["marker-chart","marker-table","timeline-overview"]"#
    case .stage, .backendCall, .event, .deepMetrics: #"["marker-chart","marker-table"]"#
    }
  }

  private var tableLabel: String {
    switch self {
    case .request: "{marker.data.method} {marker.data.url} → {marker.data.status} {marker.data.outcome}"
    case .hostcall: "{marker.name} → {marker.data.status}"
    case .backendCall: "{marker.data.method} {marker.data.url} → {marker.data.status} {marker.data.outcome}"
    case .event: "{marker.name} {marker.data.text}"
    case .stage, .suspended, .deepMetrics: "{marker.name}"
    }
  }

  /// The value of `meta.markerSchema`.
  /// - Parameter hostcallsNest: Whether no two hostcalls of one request overlap without one containing the other.
  static func writeAll(hostcallsNest: Bool, to json: inout JSONByteWriter) {
    json.array("markerSchema", of: allCases) { json, type in
      json.beginObject()
      json.field("name", type.rawValue)
      json.field("display", literal: type.display)
      json.field("tooltipLabel", "{marker.name}")
      json.field("tableLabel", type.tableLabel)
      json.field("chartLabel", "{marker.name}")
      if type == .hostcall, hostcallsNest { json.field("isStackBased", true) }
      json.array("fields", of: type.fields) { json, field in
        json.beginObject()
        json.field("key", field.key)
        json.field("label", field.label)
        if field.format.hasPrefix("{") {
          json.field("format", literal: field.format)
        } else {
          json.field("format", field.format)
        }
        json.endObject()
      }
      json.endObject()
    }
  }
}

extension BlockCause {
  /// The key of the cause's time in a request's marker.
  var firefoxKey: StaticString {
    switch self {
    case .queue: "blockedQueue"
    case .backend: "blockedBackend"
    case .client: "blockedClient"
    case .cache: "blockedCache"
    case .store: "blockedStore"
    case .timer: "blockedTimer"
    case .other: "blockedOther"
    }
  }
}
