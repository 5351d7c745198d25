import ComputeABI
import FastlikeProfile
import Foundation
import Testing

@testable import FastlikeRuntime

/// KV stores as guests use them, through all three modules.
@Suite struct KVStoreHostcallTests {
  private var harness = GuestHarness()

  init() {
    harness.configuration.kvStores = [
      "s": KVStoreSeed(items: ["seed": KVStoreSeed.Item(value: Array("sown".utf8), metadata: "meta")])
    ]
  }

  /// A guest with the imports of the modules and these pieces: `$say` adds a digit to the response, `$put` a body.
  /// Memory: "s" at 0, "k-y" at 8, "v-lue" at 16, "seed" at 24; outputs from 64 on; configurations at 128.
  private func module(_ body: String) -> String {
    """
    (module
      (import "fastly_kv_store" "open" (func $open (param i32 i32 i32) (result i32)))
      (import "fastly_kv_store" "lookup" (func $lookup (param i32 i32 i32 i32 i32 i32) (result i32)))
      (import "fastly_kv_store" "lookup_wait_v2"
        (func $lookup_wait (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
      (import "fastly_kv_store" "insert" (func $insert (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
      (import "fastly_kv_store" "insert_wait" (func $insert_wait (param i32 i32) (result i32)))
      (import "fastly_kv_store" "delete" (func $delete (param i32 i32 i32 i32 i32 i32) (result i32)))
      (import "fastly_kv_store" "delete_wait" (func $delete_wait (param i32 i32) (result i32)))
      (import "fastly_kv_store" "list" (func $list (param i32 i32 i32 i32) (result i32)))
      (import "fastly_kv_store" "list_wait" (func $list_wait (param i32 i32 i32) (result i32)))
      (import "fastly_object_store" "open" (func $old_open (param i32 i32 i32) (result i32)))
      (import "fastly_object_store" "insert" (func $old_insert (param i32 i32 i32 i32) (result i32)))
      (import "fastly_object_store" "lookup" (func $old_lookup (param i32 i32 i32 i32) (result i32)))
      (import "fastly_object_store" "delete_async" (func $old_delete (param i32 i32 i32 i32) (result i32)))
      (import "fastly_object_store" "pending_delete_wait" (func $old_delete_wait (param i32) (result i32)))
      (import "fastly_kv" "insert" (func $first_insert (param i32 i32 i32 i32 i32 i32) (result i32)))
      (import "fastly_async_io" "is_ready" (func $is_ready (param i32 i32) (result i32)))
      (import "fastly_http_body" "new" (func $body_new (param i32) (result i32)))
      (import "fastly_http_body" "write" (func $write (param i32 i32 i32 i32 i32) (result i32)))
      (import "fastly_http_body" "append" (func $append (param i32 i32) (result i32)))
      (import "fastly_http_resp" "new" (func $response (param i32) (result i32)))
      (import "fastly_http_resp" "send_downstream" (func $send (param i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "s") (data (i32.const 8) "k-y") (data (i32.const 16) "v-lue") (data (i32.const 24) "seed")
      (global $out (mut i32) (i32.const 0))
      (func $say (param $digit i32)
        (i32.store8 (i32.const 60) (i32.add (i32.const 48) (local.get $digit)))
        (drop (call $write (global.get $out) (i32.const 60) (i32.const 1) (i32.const 0) (i32.const 96))))
      (func $put (param $body i32) (call $say (call $append (global.get $out) (local.get $body))))
      (func $value (result i32)
        (drop (call $body_new (i32.const 64)))
        (drop (call $write (i32.load (i32.const 64)) (i32.const 16) (i32.const 5) (i32.const 0) (i32.const 96)))
        (i32.load (i32.const 64)))
      (func (export "_start") (local $store i32) (local $op i32)
        (drop (call $body_new (i32.const 64)))
        (global.set $out (i32.load (i32.const 64)))
        (drop (call $open (i32.const 0) (i32.const 1) (i32.const 64)))
        (local.set $store (i32.load (i32.const 64)))
        \(body)
        (drop (call $response (i32.const 64)))
        (drop (call $send (i32.load (i32.const 64)) (global.get $out) (i32.const 0)))))
    """
  }

  /// Starts a look-up of the key at an address and keeps its handle.
  private func lookup(_ address: Int, _ count: Int) -> String {
    """
    (call $say (call $lookup (local.get $store) (i32.const \(address)) (i32.const \(count)) (i32.const 0)
      (i32.const 128) (i32.const 64)))
    (local.set $op (i32.load (i32.const 64)))
    """
  }

  /// Takes the look-up's result with room for so much metadata at 200, and says the status.
  private func wait(room: Int) -> String {
    """
    (call $say (call $lookup_wait (local.get $op) (i32.const 68) (i32.const 200) (i32.const \(room)) (i32.const 72)
      (i32.const 80) (i32.const 88)))
    """
  }

  private let insert = """
    (call $say (call $insert (local.get $store) (i32.const 8) (i32.const 3) (call $value) (i32.const 0)
      (i32.const 128) (i32.const 64)))
    (call $say (call $insert_wait (i32.load (i32.const 64)) (i32.const 88)))
    (call $say (i32.load (i32.const 88)))
    """

  @Test func `what is inserted is found, listed and deleted`() async throws {
    let outcome = try await harness.run(
      module(
        insert + lookup(8, 3) + wait(room: 0) + """
          (call $say (i32.load (i32.const 88)))
          (call $put (i32.load (i32.const 68)))
          (drop (call $list (local.get $store) (i32.const 0) (i32.const 128) (i32.const 64)))
          (call $say (call $list_wait (i32.load (i32.const 64)) (i32.const 68) (i32.const 88)))
          (call $put (i32.load (i32.const 68)))
          (drop (call $delete (local.get $store) (i32.const 8) (i32.const 3) (i32.const 0) (i32.const 128)
            (i32.const 64)))
          (call $say (call $delete_wait (i32.load (i32.const 64)) (i32.const 88)))
          """ + lookup(8, 3) + wait(room: 0) + "(call $say (i32.load (i32.const 88)))"))
    let list = #"{"data":["k-y","seed"],"meta":{"limit":1000}}"#
    // Each digit is a status or a kv_error; `$put` says the status of its append behind the body.
    #expect(outcome.body == "001" + "001" + "v-lue0" + "0" + list + "0" + "0" + "003")
  }

  @Test func `metadata that does not fit can be asked for again`() async throws {
    let outcome = try await harness.run(
      module(
        lookup(24, 4) + wait(room: 3) + "(call $say (i32.load (i32.const 72)))"
          + "(drop (call $is_ready (local.get $op) (i32.const 92))) (call $say (i32.load (i32.const 92)))"
          + wait(room: 4) + "(call $put (i32.load (i32.const 68)))" + wait(room: 4)))
    // buflen and the length; ready; then the value; the handle is consumed by then.
    #expect(outcome.body == "0" + "44" + "1" + "0" + "sown0" + "3")
  }

  @Test func `the older modules share the data`() async throws {
    let outcome = try await harness.run(
      module(
        """
        (drop (call $old_open (i32.const 0) (i32.const 1) (i32.const 64)))
        (local.set $op (i32.load (i32.const 64)))
        (call $say (call $old_insert (local.get $op) (i32.const 8) (i32.const 3) (call $value)))
        (call $say (call $first_insert (local.get $store) (i32.const 16) (i32.const 5) (call $value) (i32.const 60)
          (i32.const 88)))
        (call $say (i32.load (i32.const 88)))
        (call $say (call $old_lookup (local.get $op) (i32.const 16) (i32.const 5) (i32.const 68)))
        (call $put (i32.load (i32.const 68)))
        (drop (call $old_delete (local.get $op) (i32.const 8) (i32.const 3) (i32.const 64)))
        (call $say (call $old_delete_wait (i32.load (i32.const 64))))
        (i32.store (i32.const 68) (i32.const 7))
        (call $say (call $old_lookup (local.get $op) (i32.const 8) (i32.const 3) (i32.const 68)))
        (call $say (i32.load (i32.const 68)))
        """))
    #expect(outcome.body == "001" + "0v-lue0" + "0" + "07")
  }

  @Test func `a body of the client is read to its end before it is stored`() async throws {
    var harness = harness
    harness.requestBody = String(repeating: "x", count: 200_000)
    let outcome = try await harness.run(
      module(
        """
        (call $say (call $insert (local.get $store) (i32.const 8) (i32.const 3) (i32.const 0) (i32.const 0)
          (i32.const 128) (i32.const 64)))
        """ + lookup(8, 3) + wait(room: 0) + "(call $put (i32.load (i32.const 68)))"))
    #expect(outcome.body == "000" + harness.requestBody + "0")
  }

  @Test func `unknown stores, keys that none accepts and handles of another kind are refused`() async throws {
    let outcome = try await harness.run(
      module(
        """
        (call $say (call $open (i32.const 8) (i32.const 3) (i32.const 64)))
        (call $say (call $lookup (local.get $store) (i32.const 8) (i32.const 0) (i32.const 0) (i32.const 128)
          (i32.const 64)))
        (call $say (call $old_lookup (local.get $store) (i32.const 8) (i32.const 0) (i32.const 64)))
        """ + lookup(8, 3) + "(call $say (call $insert_wait (local.get $op) (i32.const 88)))"))
    #expect(outcome.body == "22103")
  }

  @Test func `a guest waits for a store on disk, and its trace says so`() async throws {
    var harness = harness
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fastlike-kv-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    harness.configuration.kvDirectory = folder.path
    let outcome = try await harness.run(
      module(insert + lookup(8, 3) + wait(room: 0) + "(call $put (i32.load (i32.const 68)))"))
    #expect(outcome.body == "001" + "00" + "v-lue0")
    // The result comes by way of the loop, which is the guest's until it waits.
    #expect(outcome.trace.time.blocked[.store] > 0)
  }

  @Test func `a trace names the store, and neither keys nor values`() async throws {
    let trace = try await harness.run(module(insert)).trace
    #expect(trace.deep?.storeAccess.contains { $0.kind == .kv && $0.name == "s" } == true)
    let text = String(decoding: NativeJSONEncoder.encode(trace), as: UTF8.self)
    #expect(!text.contains("k-y") && !text.contains("v-lue"))
  }
}
