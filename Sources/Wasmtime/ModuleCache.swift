public import Foundation
internal import Synchronization

/// Compiled modules on disk, so that a program starts in milliseconds the second time.
///
/// An entry's name has two parts: what it depends on (the module's bytes, Wasmtime's version, the compiler settings, the
/// machine), and the digest of the code in it, because Wasmtime does not notice code that was damaged. An entry is written
/// beside its place and renamed, so that readers see all of it or nothing; one that is damaged or refused is removed and
/// made anew. The folder is the user's alone (mode 0700), because what is in it is run as machine code.
public final class ModuleCache: Sendable {
  private let directory: URL
  private let maximumBytes: Int
  private let digest: Digest

  /// A collision-free name for bytes and a text, in hexadecimal.
  public typealias Digest = @Sendable (_ bytes: UnsafeRawBufferPointer, _ salt: String) -> String

  /// - Parameters:
  ///   - maximumBytes: The sum of all entries; the ones used longest ago go first.
  ///   - digest: How entries are named.
  public init(directory: URL, maximumBytes: Int = 2 << 30, digest: @escaping Digest) {
    self.directory = directory
    self.maximumBytes = maximumBytes
    self.digest = digest
  }

  /// The first part of an entry's name.
  private func key(_ bytes: [UInt8], _ settings: EngineSettings) -> String {
    let salt = "wasmtime \(Engine.wasmtimeVersion) \(ModuleCache.machine) \(settings.compilationFingerprint)"
    return bytes.withUnsafeBytes { digest($0, salt) }
  }

  private static let machine: String = {
    var system = utsname()
    uname(&system)
    let name = withUnsafeBytes(of: system.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    #if os(macOS)
      return "macos " + name
    #else
      return "linux " + name
    #endif
  }()

  /// The compiled module, or nil when there is none that can be used. The engine is asked for last, because making it
  /// takes as long as checking the code and may go on meanwhile.
  public func load(_ bytes: [UInt8], settings: EngineSettings, engine: () -> Engine) -> Module? {
    let key = key(bytes, settings)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
    for name in names where name.hasPrefix(key + "-") {
      let place = directory.appendingPathComponent(name)
      guard isOurs(place.path), let code = try? Data(contentsOf: place, options: .alwaysMapped),
        name == ModuleCache.name(key, code.withUnsafeBytes { digest($0, "code") }),
        let module = try? Module(engine: engine(), serializedFile: place.path)
      else {
        try? FileManager.default.removeItem(at: place)
        continue
      }
      // The order of use decides what is dropped when the cache is full.
      try? FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: place.path)
      return module
    }
    return nil
  }

  private static func name(_ key: String, _ sum: String) -> String { "\(key)-\(sum).cwasm" }

  /// A regular file that belongs to this user and that nobody else can write.
  private func isOurs(_ path: String) -> Bool {
    var info = stat()
    guard lstat(path, &info) == 0 else { return false }
    return info.st_mode & S_IFMT == S_IFREG && info.st_uid == geteuid() && info.st_mode & 0o022 == 0
  }

  /// Keeps a compiled module. A cache that cannot be written costs the next start its time and nothing else.
  public func store(_ module: Module, for bytes: [UInt8], settings: EngineSettings) {
    let temporary = directory.appendingPathComponent(".\(UUID().uuidString).tmp")
    do {
      try FileManager.default.createDirectory(
        at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      let code = try module.serialized()
      let sum = code.withUnsafeBytes { digest($0, "code") }
      let place = directory.appendingPathComponent(ModuleCache.name(key(bytes, settings), sum))
      guard
        FileManager.default.createFile(
          atPath: temporary.path, contents: Data(code), attributes: [.posixPermissions: 0o600])
      else { return }
      if rename(temporary.path, place.path) != 0 { try? FileManager.default.removeItem(at: temporary) }
      trim(keeping: place)
    } catch {
      try? FileManager.default.removeItem(at: temporary)
    }
  }

  private func trim(keeping newest: URL) {
    let keys: Set<URLResourceKey> = [.fileSizeKey, .contentModificationDateKey]
    let files =
      (try? FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: Array(keys))) ?? []
    var entries: [(url: URL, size: Int, used: Date)] = files.compactMap { url in
      guard url.pathExtension == "cwasm", let values = try? url.resourceValues(forKeys: keys) else { return nil }
      return (url, values.fileSize ?? 0, values.contentModificationDate ?? .distantPast)
    }
    entries.sort { $0.used < $1.used }
    var total = entries.reduce(0) { $0 + $1.size }
    for entry in entries where total > maximumBytes && entry.url.lastPathComponent != newest.lastPathComponent {
      try? FileManager.default.removeItem(at: entry.url)
      total -= entry.size
    }
  }
}
