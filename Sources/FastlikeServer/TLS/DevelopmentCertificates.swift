import FastlikeRuntime
import Foundation
import X509

/// The folder in which a user's development authority and the certificate of the edge are kept.
///
/// Only the user may enter it, files are replaced in one step, and programs that start at the same time wait for each
/// other, so that there is one authority and each certificate lies beside its own key.
struct DevelopmentCertificates {
  /// What the edge shows, and the file with which its clients can check it.
  struct Loaded {
    var leaf: CertificateWithKey
    /// The path of the authority's certificate (PEM).
    var authorityPath: String
    /// Whether no client can trust the authority yet, because it was made just now.
    var isNewAuthority: Bool
  }

  let folder: URL

  static let authorityFile = "authority.pem"
  static let authorityKeyFile = "authority-key.pem"
  static let leafFile = "edge.pem"
  static let leafKeyFile = "edge-key.pem"

  init(folder: URL) { self.folder = folder }

  /// The folder in the user's data: `$XDG_DATA_HOME/fastlike/tls`, or without that variable
  /// `~/.local/share/fastlike/tls`, on macOS `~/Library/Application Support/fastlike/tls`.
  static func standard(environment: [String: String] = ProcessInfo.processInfo.environment) -> DevelopmentCertificates {
    let home = FileManager.default.homeDirectoryForCurrentUser
    #if os(macOS)
      var data = home.appendingPathComponent("Library/Application Support", isDirectory: true)
    #else
      var data = home.appendingPathComponent(".local/share", isDirectory: true)
    #endif
    // The specification has relative paths ignored.
    if let path = environment["XDG_DATA_HOME"], path.hasPrefix("/") { data = URL(fileURLWithPath: path) }
    return DevelopmentCertificates(folder: data.appendingPathComponent("fastlike/tls", isDirectory: true))
  }

  /// A certificate for the local names and these, with at least ``DevelopmentAuthority/renewalTime`` left. What is
  /// missing or about to expire is made and kept.
  ///
  /// - Throws: ``ConfigurationError`` naming the file that cannot be read or written.
  func load(names: [String], now: Date = Date()) throws -> Loaded {
    try prepareFolder()
    let lock = try FolderLock(folder.appendingPathComponent(".lock").path)
    defer { lock.release() }
    var isNewAuthority = false
    let authority: DevelopmentAuthority
    if let kept = try keptAuthority(), kept.identity.isValid(at: now, andFor: DevelopmentAuthority.renewalTime) {
      authority = kept
    } else {
      authority = try DevelopmentAuthority.make(now: now)
      try store(authority.identity, Self.authorityFile, Self.authorityKeyFile)
      isNewAuthority = true
    }
    return Loaded(
      leaf: try leaf(of: authority, names: DevelopmentAuthority.localNames + names, now: now),
      authorityPath: path(Self.authorityFile), isNewAuthority: isNewAuthority)
  }

  private func leaf(of authority: DevelopmentAuthority, names: [String], now: Date) throws -> CertificateWithKey {
    // A damaged or foreign one is as good as none: nobody trusts it by itself.
    let kept = try? read(Self.leafFile, Self.leafKeyFile)
    let earlier = kept.map { DevelopmentAuthority.names(of: $0.certificate) } ?? []
    if let kept, kept.isPair, authority.covers(kept.certificate, names: names),
      kept.isValid(at: now, andFor: DevelopmentAuthority.renewalTime)
    {
      return kept
    }
    // Names that were asked for before stay, so that two projects do not take turns in replacing it.
    let all = names + earlier.filter { !names.contains($0) }.prefix(100)
    let made = try authority.issue(for: all, now: now)
    try store(made, Self.leafFile, Self.leafKeyFile)
    return made
  }

  /// The authority that is there, or nil where there is none. One that cannot be used is the user's to remove, because
  /// its clients trust it.
  private func keptAuthority() throws -> DevelopmentAuthority? {
    let manager = FileManager.default
    guard manager.fileExists(atPath: path(Self.authorityFile)) else { return nil }
    let advice = "remove \(folder.path) to have a new authority made, which clients then have to trust anew"
    let kept: CertificateWithKey
    do {
      kept = try read(Self.authorityFile, Self.authorityKeyFile)
    } catch {
      throw ConfigurationError(
        place: folder.path, problem: "the development authority there cannot be read; " + advice)
    }
    guard kept.isPair else {
      throw ConfigurationError(
        place: folder.path, problem: "the development authority there has another's key; " + advice)
    }
    return DevelopmentAuthority(kept)
  }

  // MARK: Files

  private func path(_ file: String) -> String { folder.appendingPathComponent(file).path }

  private func prepareFolder() throws {
    do {
      try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder.path)
    } catch {
      throw ConfigurationError(
        place: folder.path, problem: "cannot be made a folder of this user alone; name a certificate with --tls-cert")
    }
  }

  private func read(_ certificate: String, _ key: String) throws -> CertificateWithKey {
    try CertificateWithKey(
      certificatePEM: String(contentsOfFile: path(certificate), encoding: .utf8),
      keyPEM: String(contentsOfFile: path(key), encoding: .utf8))
  }

  /// The key comes first: what ends this half-way leaves a key without a certificate, which is replaced.
  private func store(_ pair: CertificateWithKey, _ certificate: String, _ key: String) throws {
    try write(pair.keyPEM, to: key, mode: 0o600)
    try write(try pair.certificatePEM, to: certificate, mode: 0o644)
  }

  private func write(_ text: String, to file: String, mode: mode_t) throws {
    let target = path(file)
    let scratch = path(".\(file).\(UUID().uuidString)")
    let descriptor = open(scratch, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw Self.notWritten(target) }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    do {
      try handle.write(contentsOf: Data(text.utf8))
      try handle.synchronize()
      try handle.close()
    } catch {
      unlink(scratch)
      throw Self.notWritten(target)
    }
    guard rename(scratch, target) == 0 else {
      unlink(scratch)
      throw Self.notWritten(target)
    }
  }

  private static func notWritten(_ path: String) -> ConfigurationError {
    ConfigurationError(place: path, problem: "cannot be written; name a certificate with --tls-cert instead")
  }
}

/// Keeps other processes of this user out of the folder; the system lets go of it when the process ends.
private struct FolderLock {
  private let descriptor: Int32

  init(_ path: String) throws {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0, flock(descriptor, LOCK_EX) == 0 else {
      if descriptor >= 0 { close(descriptor) }
      throw ConfigurationError(place: path, problem: "cannot be locked; name a certificate with --tls-cert instead")
    }
  }

  func release() { close(descriptor) }
}
