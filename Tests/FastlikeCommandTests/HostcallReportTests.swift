import Testing

@testable import fastlike

@Suite struct HostcallReportTests {
  private let report = HostcallReport(rows: [
    .init("fastly_uap", "parse", .unsupported, "there is no parser"), .init("fastly_abi", "init", .implemented),
    .init("fastly_acl", "open", .localAnswer, "always \"none\""),
  ])

  @Test func theTableIsSortedAlignedAndSummedUp() {
    #expect(
      report.text() == """
        fastly_abi  init   implemented
        fastly_acl  open   local answer: always "none"
        fastly_uap  parse  unsupported: there is no parser
        3 functions: 1 implemented, 1 local answer, 1 unsupported
        """)
  }

  @Test func theJSONHasOneObjectAFunction() throws {
    let json = try HostcallReport(rows: [report.rows[0]]).json()
    #expect(
      json == """
        [
          {
            "module" : "fastly_uap",
            "name" : "parse",
            "reason" : "there is no parser",
            "state" : "unsupported"
          }
        ]
        """)
  }
}
