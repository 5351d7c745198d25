import FastlikeProfile
import Testing

@testable import FastlikeRuntime

@Suite("Configuration: budgets")
struct ConfigurationBudgetTests {
  private func problem(_ text: String) -> String {
    do {
      _ = try BudgetFile.parse(text, name: "budget.toml")
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test func everyLimitIsRead() throws {
    let budget = try BudgetFile.parse(
      """
      # what a page may cost
      [[route]]
      route = "*"
      error_share = 0

      [[route]]
      route = "GET /items/*"
      requests = 20
      wall_p50 = "1.5ms"
      wall_p95 = "80ms"
      wall_p99 = "2s"
      guest_p50 = "500us"
      guest_p95 = "5ms"
      guest_p99 = "1m"
      backend_calls = 2
      backend_bytes = "64KiB"
      response_bytes = 1000
      memory = "1.5 MiB"
      cache_hit_share = 0.9

      [route.hostcalls]
      total = 30
      "fastly_http_req.send" = 1
      """, name: "budget.toml")
    #expect(budget.rules.count == 2)
    #expect(budget.rules[0].limits == [Budget.Limit(.errorShare, 0, place: "budget.toml:4")])
    let rule = budget.rules[1]
    #expect(rule.route == TraceRoutePattern("GET /items/*"))
    #expect(rule.leastRequests == 20)
    #expect(rule.place == "budget.toml:6")
    let expected: [(Budget.Subject, Double, Int)] = [
      (.wall(percent: 50), 1.5e6, 9), (.wall(percent: 95), 80e6, 10), (.wall(percent: 99), 2e9, 11),
      (.guest(percent: 50), 5e5, 12), (.guest(percent: 95), 5e6, 13), (.guest(percent: 99), 60e9, 14),
      (.backendCalls, 2, 15), (.backendBytes, 65_536, 16), (.responseBytes, 1000, 17), (.memory, 1_572_864, 18),
      (.cacheHitShare, 0.9, 19), (.hostcalls, 30, 22), (.hostcall("fastly_http_req.send"), 1, 23),
    ]
    #expect(rule.limits.count == expected.count)
    for (subject, bound, line) in expected {
      #expect(rule.limits.contains(Budget.Limit(subject, bound, place: "budget.toml:\(line)")))
    }
  }

  @Test(arguments: [
    ("", "budget.toml: route is missing: give [[route]] with its limits"),
    ("route = 3", "budget.toml:1: route: must be an array of tables, [[route]], not an integer"),
    ("budget = 3", "budget.toml:1: budget: unrecognized key; allowed are route"),
    ("[[route]]\nwall_p95 = \"1s\"", "budget.toml:1: route[0]: route is missing: give a path such as"),
    ("[[route]]\nroute = \"items\"", "budget.toml:2: route[0].route: \"items\" is not allowed; write a path such as"),
    ("[[route]]\nroute = \"*\"", "budget.toml:1: route[0]: has no limit; write one such as wall_p95 = \"80ms\""),
    ("[[route]]\nroute = \"*\"\nwall_p90 = \"1s\"", "budget.toml:3: route[0].wall_p90: unrecognized key; allowed are"),
    ("[[route]]\nroute = \"*\"\nwall_p95 = 80", "budget.toml:3: route[0].wall_p95: must be a string, not an integer"),
    (
      "[[route]]\nroute = \"*\"\nwall_p95 = \"80\"",
      "budget.toml:3: route[0].wall_p95: \"80\" is not allowed; write a time"
    ),
    ("[[route]]\nroute = \"*\"\nwall_p95 = \"0ms\"", "budget.toml:3: route[0].wall_p95: \"0ms\" is not allowed; write"),
    (
      "[[route]]\nroute = \"*\"\nmemory = \"2 mb\"",
      "budget.toml:3: route[0].memory: \"2 mb\" is not allowed; write bytes"
    ),
    ("[[route]]\nroute = \"*\"\nbackend_calls = -1", "budget.toml:3: route[0].backend_calls: must be from 0 to"),
    ("[[route]]\nroute = \"*\"\nerror_share = 5", "budget.toml:3: route[0].error_share: must be from 0 to 1, not 5"),
    ("[[route]]\nroute = \"*\"\nrequests = 0\nmemory = 1", "budget.toml:3: route[0].requests: must be from 1 to"),
    (
      "[[route]]\nroute = \"*\"\n[route.hostcalls]\nsend = 1",
      "budget.toml:4: route[0].hostcalls.send: is no hostcall; write"
    ),
    ("[[route]\nroute = \"*\"", "budget.toml:1: not TOML: "),
  ])
  func aMistakeIsOneLineWithItsPlace(text: String, expected: String) {
    let found = problem(text)
    #expect(found.hasPrefix(expected), "\(found)")
    #expect(!found.contains("\n"))
  }
}
