import Testing

@testable import FastlikeRuntime

struct ShortQueueTests {
  @Test(arguments: 0..<20) func behavesAsAnArray(seed: Int) {
    var queue = ShortQueue<Int>()
    var expected: [Int] = []
    for step in 0..<400 {
      switch Int.random(in: 0..<(seed.isMultiple(of: 2) ? 5 : 7)) {
      case 0:
        queue.append(step)
        expected.append(step)
      case 1:
        queue.prepend(step)
        expected.insert(step, at: 0)
      case 2, 5: #expect(queue.popFirst() == (expected.isEmpty ? nil : expected.removeFirst()))
      case 3, 6: #expect(queue.popLast() == expected.popLast())
      default:
        if step.isMultiple(of: 13) {
          queue.removeAll()
          expected = []
        }
      }
      #expect(Array(queue) == expected)
      #expect(queue.first == expected.first && queue.last == expected.last && queue.isEmpty == expected.isEmpty)
    }
  }
}
