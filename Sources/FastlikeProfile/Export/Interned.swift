/// Distinct values in the order of their first use, numbered as a format wants it.
struct Interned<Value: Hashable, Number: FixedWidthInteger> {
  private(set) var values: [Value] = []
  private var numbers: [Value: Number] = [:]
  private let first: Number

  /// - Parameter first: The number of the first value; the others count up from it.
  init(first: Number = 0) { self.first = first }

  /// The number of a value, which is taken in unless it is known.
  mutating func number(of value: Value) -> Number {
    if let known = numbers[value] { return known }
    let number = first + Number(values.count)
    values.append(value)
    numbers[value] = number
    return number
  }
}
