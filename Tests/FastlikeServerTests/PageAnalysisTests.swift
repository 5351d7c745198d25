import FastlikeProfile
import Testing

@testable import FastlikeServer

@Suite("Page: flame graphs and comparison")
struct PageAnalysisTests {
  private func tree(_ weight: FlameWeight, _ traces: [RequestTrace]) -> FlameTree {
    var builder = FlameTree.Builder(weight: weight)
    for trace in traces { builder.add(trace) }
    return builder.finish()
  }

  @Test func aFlameGraphReadsWithoutAScript() throws {
    let filter = RequestFilter(query: "route=/slow&status=200")
    let html = try PageTemplates().flame(FlameView(tree(.blocked, [PageTrace.slow()]), filter, request: nil))
    #expect(html.contains("<svg class=\"flame\""))
    #expect(html.contains("<title>backend: "))
    #expect(html.contains("Heaviest by themselves"))
    #expect(html.contains("name=\"status\" value=\"200\""))
    #expect(html.contains("data-source=\"flame.json?"))
    #expect(!html.contains("style="))
  }

  @Test func nothingToDrawSaysWhatToDo() throws {
    let html = try PageTemplates().flame(FlameView(tree(.cpu, [PageTrace.slow()]), RequestFilter(), request: 2))
    #expect(!html.contains("<svg class=\"flame\""))
    #expect(html.contains("no stacks were sampled"))
  }

  @Test func namesOfFramesAreOnlyText() throws {
    var builder = FlameTree.Builder(weight: .cpu)
    builder.add([FlameFrame(.guest, name: "<script>alert(1)</script>", detail: "\"><b>")], 1000)
    let html = try PageTemplates().flame(FlameView(builder.finish(), RequestFilter(), request: nil))
    #expect(!html.contains("<script>alert"))
    #expect(!html.contains("<b>"))
  }

  @Test func aComparisonTellsTheVerdict() throws {
    var sets = [TraceSet.Builder(name: "a"), TraceSet.Builder(name: "b")]
    for index in 0..<30 {
      for (set, factor) in [(0, Int64(1)), (1, 2)] {
        var trace = PageTrace.quick(id: UInt64(index))
        trace.wallNanos = 5_000_000 * factor + Int64(index) * 1000
        sets[set].add(trace)
      }
    }
    let comparison = TraceComparison(before: sets[0].finish(), after: sets[1].finish())
    let flame = FlameDifference(before: FlameTree.Builder(weight: .cpu), after: FlameTree.Builder(weight: .cpu))
    let view = CompareView(before: "module=<a>", after: "module=b", problems: [], comparison, flame)
    let html = try PageTemplates().compare(view)
    #expect(html.contains("slower: the median request took"))
    #expect(html.contains("<span class=\"warn\">slower</span>"))
    #expect(html.contains("module=&lt;a&gt;"))
    #expect(html.contains("seed 1."))
  }

  @Test func theFormAloneOffersComparisons() throws {
    let html = try PageTemplates().compare(
      CompareView(
        suggestionsFor: ["new", "old", "new", "other"].map { id in
          var trace = PageTrace.quick(id: 1)
          trace.moduleID = id
          trace.moduleName = id == "other" ? "<other>" : "shop"
          return trace
        }))
    #expect(html.contains("name=\"a\""))
    #expect(html.contains("href=\"compare?a=module%3Dold&amp;b=module%3Dnew\""))
    #expect(!html.contains("module%3Dother"))
    #expect(html.contains("the last minute with what was before"))
    #expect(!html.contains("verdict"))
  }

  @Test func theStylesOfTheBoxesAreAFileOfThePage() {
    #expect(PageAsset.named("flame.css")?.contentType.hasPrefix("text/css") == true)
    #expect(PageAsset.named("flame.js")?.bytes.isEmpty == false)
  }
}
