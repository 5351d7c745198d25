import ArgumentParser
import ComputeABI
import Foundation

/// `fastlike abi`.
struct AbiCommand: ActionCommand {
  static let configuration = CommandConfiguration(
    commandName: "abi", abstract: "Lists the functions that guests can import, and the state of each.")

  @Flag(name: .customLong("json"), help: "Print a JSON array instead of a table.")
  var json = false

  func action(in environment: FlagEnvironment) throws -> CommandAction {
    let json = json
    return {
      let report = HostcallReport(
        rows: HostcallTable.entries.map { entry in
          switch entry.state {
          case .implemented: HostcallReport.Row(entry.module, entry.name, .implemented)
          case .localAnswer(let reason): HostcallReport.Row(entry.module, entry.name, .localAnswer, reason)
          case .unsupported(let reason): HostcallReport.Row(entry.module, entry.name, .unsupported, reason)
          }
        })
      print(json ? try report.json() : report.text())
      return Fastlike.ExitCodes.success
    }
  }
}

/// The table of host functions as it is printed.
struct HostcallReport {
  enum State: String, Encodable, CaseIterable {
    case implemented
    case localAnswer = "local answer"
    case unsupported
  }

  struct Row: Encodable {
    var module: String
    var name: String
    var state: State
    var reason: String?

    init(_ module: String, _ name: String, _ state: State, _ reason: String? = nil) {
      self.module = module
      self.name = name
      self.state = state
      self.reason = reason
    }
  }

  var rows: [Row]

  /// One line a function, module by module, and a line of totals.
  func text() -> String {
    let sorted = rows.sorted { ($0.module, $0.name) < ($1.module, $1.name) }
    let moduleWidth = sorted.map(\.module.count).max() ?? 0
    let nameWidth = sorted.map(\.name.count).max() ?? 0
    var lines = sorted.map { row in
      let columns = [
        row.module.padding(toLength: moduleWidth, withPad: " ", startingAt: 0),
        row.name.padding(toLength: nameWidth, withPad: " ", startingAt: 0),
        row.state.rawValue + (row.reason.map { ": \($0)" } ?? ""),
      ]
      return columns.joined(separator: "  ")
    }
    let totals = State.allCases.map { state in "\(rows.count { $0.state == state }) \(state.rawValue)" }
    lines.append("\(rows.count) functions: \(totals.joined(separator: ", "))")
    return lines.joined(separator: "\n")
  }

  /// An array of objects with module, name, state and, unless implemented, reason.
  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(rows), as: UTF8.self)
  }
}
