import Testing

@testable import FastlikeProfile

struct SymbolNameTests {
  @Test(arguments: [
    ("_RNvCs1234_7mycrate3foo", "mycrate::foo"),
    ("_RNvMs_Cs4fqI2P2rA04_13const_genericINtB4_3FooKpE3foo", "<const_generic::Foo<_>>::foo"),
    ("_RINvNtC3std3mem8align_ofjdE", "std::mem::align_of::<usize, f64>"),
    ("_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_", "cc::spawn::{closure#0}::{closure#0}"),
    (
      "_RINbNbCskIICzLVDPPb_5alloc5alloc8box_freeDINbNiB4_5boxed5FnBoxuEp6OutputuEL_ECs1iopQbuBiw2_3std",
      "alloc::alloc::box_free::<dyn alloc::boxed::FnBox<(), Output = ()>>"
    ),
    ("_RINtCs1_8arrayvec8ArrayVechKj7b_E", "arrayvec::ArrayVec::<u8, 123>"),
    ("_RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y", "utf8_idents::საჭმელად_გემრიელი_სადილი"),
  ])
  func rustsOwnManglingIsRead(symbol: String, name: String) {
    #expect(SymbolName.readable(symbol) == name)
  }

  @Test(arguments: [
    ("_ZN3foo3bar17h0123456789abcdefE", "foo::bar"),
    (
      "_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE",
      "<Test + 'static as foo::Bar<Test>>::bar"
    ),
    (
      "_ZN4core3ptr85drop_in_place$LT$std..rt..lang_start$LT$$LP$$RP$$GT$..$u7b$$u7b$closure$u7d$$u7d$$GT$17h6d4ff0e0e52f4b5fE",
      "core::ptr::drop_in_place<std::rt::lang_start<()>::{{closure}}>"
    ),
  ])
  func rustsFirstManglingLosesItsHash(symbol: String, name: String) {
    #expect(SymbolName.readable(symbol) == name)
  }

  @Test(arguments: [
    ("_ZN3foo3barEi", "foo::bar(int)"),
    ("_ZNSt6vectorIiSaIiEE9push_backERKi", "std::vector<int, std::allocator<int> >::push_back(int const&)"),
  ])
  func namesOfCPlusPlusAreRead(symbol: String, name: String) {
    #expect(SymbolName.readable(symbol) == name)
  }

  @Test(arguments: [
    ("$s4main3fooyS2iF", "main.foo(Int) -> Int"),
    ("$e5hello5startyyF", "hello.start() -> ()"),
  ])
  func namesOfSwiftAndEmbeddedSwiftAreRead(symbol: String, name: String) {
    #expect(SymbolName.readable(symbol) == name)
  }

  @Test(arguments: [
    (
      "function signature specialization <Arg[0] = [Closure Propagated : $s1f, Argument Types : [(A) -> B<C>]> of a.serve((A) -> ()) -> ()",
      "a.serve((A) -> ()) -> ()"
    ),
    ("function signature specialization <Arg[0] = Dead", "function signature specialization <Arg[0] = Dead"),
    ("generic specialization <Swift.UInt8> of a.f<A>(A) -> ()", "generic specialization <UInt8> of a.f<A>(A) -> ()"),
  ])
  func whatTheOptimizerDidIsNoPartOfAName(long: String, name: String) {
    #expect(SwiftDemangler.withoutNoise(long) == name)
  }

  @Test(arguments: [
    ("net_http.__Request_.Write", "net_http.(*Request).Write"),
    ("github.com/fastly/compute-sdk-go/fsthttp.ServeFunc", "fsthttp.ServeFunc"),
    ("(*github.com/a/b.T).M", "(*b.T).M"),
    ("main.main", "main.main"),
  ])
  func namesOfGoLoseTheirPath(symbol: String, name: String) {
    #expect(SymbolName.readable(symbol) == name)
  }

  @Test(arguments: [
    "memcpy", "_R", "_RNv", "_ZN", "_Z", "$s", "", "_RNvC1a1", "_RB_", "_RNvB_3foo", "__wasm_call_ctors",
  ])
  func whatIsNoMangledNameStaysAsItIs(symbol: String) {
    #expect(SymbolName.readable(symbol) == symbol)
  }

  @Test func aNameThatWouldGrowWithoutEndStaysAsItIs() {
    // Each tuple holds its predecessor twice.
    var symbol = "_RINvC1a1bTuuE"
    for _ in 0..<40 { symbol += "TB7_B7_E" }
    symbol += "E"
    #expect(SymbolName.readable(symbol).utf8.count <= 4096)
  }
}
