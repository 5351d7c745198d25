/// Values and their numbers, in the order in which they came.
struct NumberTable<Value: Hashable & Sendable>: Sendable {
  /// Most values.
  let maximum: Int
  private var values: [Value] = []
  private var numbers: [Value: UInt32] = [:]

  init(maximum: Int = .max) { self.maximum = maximum }

  var count: Int { values.count }

  /// - Parameter number: One that was given out.
  subscript(number: UInt32) -> Value { values[Int(number)] }

  /// The number of a value; nil when there is no room for one more.
  mutating func number(of value: Value) -> UInt32? {
    if let number = numbers[value] { return number }
    guard values.count < maximum else { return nil }
    let number = UInt32(values.count)
    values.append(value)
    numbers[value] = number
    return number
  }
}
