import Testing

@testable import FastlikeRuntime

@Suite struct HeaderListTests {
  private func names(_ list: HeaderList) -> [String] {
    (0..<list.count).map { String(decoding: list.name(at: $0), as: UTF8.self) }
  }

  @Test func `names are found without regard to case and kept as they are spelled`() {
    let list = HeaderList([("X-Mixed", "1"), ("other", "2")])
    #expect(list.first("x-mixed") == "1")
    #expect(names(list) == ["X-Mixed", "other"])
  }

  @Test func `names are found by how they begin`() {
    let list = HeaderList([("fast", "1"), ("X-Fastlike-A", "2"), ("Fastlike-B", "3")])
    #expect(list.containsName(startingWith: "fastlike-"))
    #expect(list.containsName(startingWith: "fastlike-b"))
    #expect(!list.containsName(startingWith: "fastlike-a"))
    #expect(!HeaderList().containsName(startingWith: "a"))
  }

  @Test func `setting takes the first field's place and removes the others`() {
    var list = HeaderList([("a", "1"), ("b", "2"), ("A", "3"), ("c", "4")])
    list.set("a", "new")
    #expect(list == HeaderList([("a", "new"), ("b", "2"), ("c", "4")]))
  }

  @Test func `repeated fields stay apart`() {
    let list = HeaderList([("set-cookie", "a=1"), ("set-cookie", "b=2")])
    #expect(list.indices(of: "Set-Cookie".utf8).count == 2)
    #expect(list.distinctNameIndices() == [0])
  }

  @Test func `a field that is set again and again does not grow the list`() {
    var list = HeaderList()
    for round in 0..<100_000 { list.set("x-round", String(round)) }
    #expect(list.first("x-round") == "99999")
    #expect(list.storedBytes < 16_384)
  }

  @Test func `bytes that are not UTF-8 survive`() {
    var list = HeaderList()
    list.append(name: Array("x".utf8), value: [0xe9, 0x20, 0xff])
    #expect(Array(list.value(at: 0)) == [0xe9, 0x20, 0xff])
  }
}
