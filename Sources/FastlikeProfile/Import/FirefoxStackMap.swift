internal import Foundation

/// Where a profile's stacks are in the stack table of the import.
struct FirefoxStackMap {
  /// A stack deeper than ``StackTable/Builder/maximumDepth``, which is interned when a sample has it.
  private static let deep: Int32 = -2

  private var nodes: [Int32] = []
  private let frameIndices: [UInt32]
  private let stackFrames: [Int32]
  private let parents: [Int32]
  private let offset: Int

  init(
    _ tables: FirefoxTables, categories: [String], libraries: [String], into stacks: inout StackInterner,
    limits: NativeImportLimits
  ) throws(NativeSampleError) {
    offset = tables.stacks.offset
    var naming = FirefoxFrameNaming(tables, categories: categories, libraries: libraries)
    var frameIndices: [UInt32] = []
    for row in 0..<naming.count {
      frameIndices.append(stacks.frame(naming.frame(row)))
      guard stacks.frames.count <= limits.functions else {
        throw .malformedBytes(offset: tables.frames.offset, reason: "more than \(limits.functions) distinct functions")
      }
    }
    self.frameIndices = frameIndices

    let frames = tables.stacks.column("frame")
    let prefixes = tables.stacks.column("prefix")
    let distances = tables.stacks.column("prefixOffset")
    let hasDistances = tables.stacks.has("prefixOffset")
    guard frames.count <= limits.stackNodes else {
      throw .malformedBytes(offset: offset, reason: "more than \(limits.stackNodes) stacks")
    }
    var stackFrames: [Int32] = []
    var parents: [Int32] = []
    var depths: [Int32] = []
    for row in frames.indices {
      let parent =
        if hasDistances {
          tables.stacks.index(distances, row).flatMap { $0 == 0 ? nil : row - $0 } ?? -1
        } else {
          tables.stacks.index(prefixes, row) ?? -1
        }
      guard let frame = tables.stacks.index(frames, row), frame < frameIndices.count, parent < row, parent >= -1 else {
        throw .malformedBytes(offset: offset, reason: "stack \(row) names a frame or a caller that is not there")
      }
      stackFrames.append(Int32(frame))
      parents.append(Int32(parent))
      depths.append(parent < 0 ? 1 : depths[parent] + 1)
      if depths[row] > Int32(StackTable.Builder.maximumDepth) {
        nodes.append(Self.deep)
      } else {
        nodes.append(stacks.node(frame: frameIndices[frame], parent: parent < 0 ? -1 : nodes[parent]))
      }
    }
    self.stackFrames = stackFrames
    self.parents = parents
  }

  /// The stack's index in the import's table; nil when the profile does not have it.
  mutating func node(
    _ stack: Int, into stacks: inout StackInterner, limits: NativeImportLimits
  ) throws(NativeSampleError) -> UInt32? {
    guard stack < nodes.count else {
      throw .malformedBytes(offset: offset, reason: "a sample names stack \(stack) of \(nodes.count)")
    }
    if nodes[stack] == Self.deep {
      var chain: [UInt32] = []
      var next = Int32(stack)
      while next >= 0, chain.count < StackTable.Builder.maximumDepth {
        chain.append(frameIndices[Int(stackFrames[Int(next)])])
        next = parents[Int(next)]
      }
      nodes[stack] = stacks.stack(leafFirst: chain).map { Int32($0) } ?? -1
      guard stacks.nodes.count <= limits.stackNodes else {
        throw .malformedBytes(offset: offset, reason: "more than \(limits.stackNodes) distinct stacks")
      }
    }
    return nodes[stack] < 0 ? nil : UInt32(nodes[stack])
  }
}

/// Names the frames of a profile.
private struct FirefoxFrameNaming {
  /// The number of frames.
  let count: Int
  private let tables: FirefoxTables
  private let libraries: [String]
  private let categories: [String]
  private let functions: [Double]
  private let names: [Double]
  private let resources: [Double]
  private let resourceNames: [Double]
  private let resourceLibraries: [Double]
  private let frameLibraries: [Double]
  private let frameCategories: [Double]
  private let depths: [Double]
  private let locations: [Double]
  private var modules: [String: NativeFrameNaming.Module] = [:]

  init(_ tables: FirefoxTables, categories: [String], libraries: [String]) {
    self.tables = tables
    self.libraries = libraries
    self.categories = categories
    functions = tables.frames.column("func")
    locations = tables.frames.column("location")
    names = tables.functions.column("name")
    resources = tables.functions.column("resource")
    resourceNames = tables.resources.column("name")
    resourceLibraries = tables.resources.column("lib")
    frameLibraries = tables.frames.column("lib")
    frameCategories = tables.frames.column("category")
    depths = tables.frames.column("inlineDepth")
    count = max(functions.count, locations.count)
  }

  mutating func frame(_ row: Int) -> StackFrame {
    let category =
      tables.frames.index(frameCategories, row).flatMap { $0 < categories.count ? categories[$0] : nil } ?? ""
    if let location = tables.frames.index(locations, row) {
      let (name, library) = Self.split(string(location))
      return named(name, library, category, isInlined: false)
    }
    let function = tables.frames.index(functions, row) ?? Int.max
    let name = tables.functions.index(names, function).map { string($0) } ?? ""
    let depth = tables.frames.index(depths, row) ?? 0
    return named(name, library(row, function), category, isInlined: depth > 0)
  }

  private mutating func named(_ name: String, _ library: String, _ category: String, isInlined: Bool) -> StackFrame {
    var module = modules[library] ?? NativeFrameNaming.module(library)
    modules[library] = module
    switch category {
    case "Kernel": module.kind = .kernel
    case "JIT", "Wasm", "WebAssembly":
      module.kind = .guest
      module.isGenerated = true
    case "User", "Native": if module.kind == .unknown { module.kind = .host }
    default: break
    }
    return NativeFrameNaming.frame(symbol: name.isEmpty ? "[unknown]" : name, in: module, isInlined: isInlined)
  }

  private func library(_ row: Int, _ function: Int) -> String {
    if let resource = tables.functions.index(resources, function) {
      if let name = tables.resources.index(resourceNames, resource) { return string(name) }
      if let library = tables.resources.index(resourceLibraries, resource), library < libraries.count {
        return libraries[library]
      }
    }
    guard let library = tables.frames.index(frameLibraries, row), library < libraries.count else { return "" }
    return libraries[library]
  }

  private func string(_ index: Int) -> String { index < tables.strings.count ? tables.strings[index] : "" }

  /// `FUNCTION (in LIBRARY)` of a Gecko frame.
  private static func split(_ location: String) -> (name: String, library: String) {
    guard location.hasSuffix(")"), let open = location.range(of: " (in ", options: .backwards) else {
      return (location, "")
    }
    return (String(location[..<open.lowerBound]), String(location[open.upperBound...].dropLast()))
  }
}
