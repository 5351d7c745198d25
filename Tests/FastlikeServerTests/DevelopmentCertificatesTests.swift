import FastlikeRuntime
import Foundation
import NIOSSL
import Testing
import X509

@testable import FastlikeServer

@Suite("TLS: development certificates")
struct DevelopmentCertificatesTests {
  private let day: TimeInterval = 86_400

  private func withFolder(_ body: (DevelopmentCertificates) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fastlike-tls-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(DevelopmentCertificates(folder: folder.appendingPathComponent("fastlike/tls")))
  }

  private func mode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }

  @Test func theFirstStartMakesAnAuthorityAndTheNextOnesKeepIt() throws {
    try withFolder { certificates in
      let first = try certificates.load(names: [])
      let second = try certificates.load(names: [])
      #expect(first.isNewAuthority)
      #expect(!second.isNewAuthority)
      #expect(first.leaf.certificate == second.leaf.certificate)
      #expect(DevelopmentAuthority.names(of: first.leaf.certificate) == ["localhost", "127.0.0.1", "::1"])
    }
  }

  @Test func nobodyButTheUserCanReadTheKeys() throws {
    try withFolder { certificates in
      _ = try certificates.load(names: [])
      let folder = certificates.folder.path
      #expect(try mode(folder) == 0o700)
      #expect(try mode(folder + "/authority-key.pem") == 0o600)
      #expect(try mode(folder + "/edge-key.pem") == 0o600)
      let others = try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasSuffix(".pem") }
      #expect(others == [".lock"])
    }
  }

  @Test func aNameThatIsMissingIsAddedToThoseBefore() throws {
    try withFolder { certificates in
      let first = try certificates.load(names: ["a.test"])
      let second = try certificates.load(names: ["*.b.test", "10.0.0.1"])
      let third = try certificates.load(names: ["a.test"])
      #expect(first.leaf.certificate != second.leaf.certificate)
      #expect(second.leaf.certificate == third.leaf.certificate)
      #expect(!second.isNewAuthority)
      let names = Set(DevelopmentAuthority.names(of: second.leaf.certificate))
      #expect(names == ["localhost", "127.0.0.1", "::1", "a.test", "*.b.test", "10.0.0.1"])
    }
  }

  @Test func aCertificateThatIsAboutToExpireIsRenewed() throws {
    try withFolder { certificates in
      let now = Date()
      let first = try certificates.load(names: [], now: now)
      let before = try certificates.load(names: [], now: now.addingTimeInterval(366 * day))
      let after = try certificates.load(names: [], now: now.addingTimeInterval(368 * day))
      #expect(before.leaf.certificate == first.leaf.certificate)
      #expect(after.leaf.certificate != first.leaf.certificate)
      #expect(!after.isNewAuthority)
      #expect(after.leaf.isValid(at: now.addingTimeInterval(368 * day), andFor: 396 * day))
    }
  }

  @Test func anAuthorityThatIsAboutToExpireIsReplaced() throws {
    try withFolder { certificates in
      let now = Date()
      _ = try certificates.load(names: [], now: now)
      let later = try certificates.load(names: [], now: now.addingTimeInterval(3640 * day))
      #expect(later.isNewAuthority)
    }
  }

  @Test func aDamagedCertificateIsMadeAnewAndADamagedAuthorityIsNamed() throws {
    try withFolder { certificates in
      _ = try certificates.load(names: [])
      let folder = certificates.folder.path
      try Data("nonsense".utf8).write(to: URL(fileURLWithPath: folder + "/edge.pem"))
      _ = try certificates.load(names: [])
      let other = try DevelopmentAuthority.make(now: Date())
      try Data(other.identity.keyPEM.utf8).write(to: URL(fileURLWithPath: folder + "/authority-key.pem"))
      let error = #expect(throws: ConfigurationError.self) { try certificates.load(names: []) }
      #expect(error?.problem.contains("another's key") == true)
      #expect(error?.place == folder)
    }
  }

  @Test func aClientThatTrustsTheAuthorityTrustsTheCertificate() async throws {
    let authority = try DevelopmentAuthority.make(now: Date())
    let leaf = try authority.issue(for: DevelopmentAuthority.localNames, now: Date())
    var verifier = Verifier(rootCertificates: CertificateStore([authority.identity.certificate])) {
      RFC5280Policy()
      ServerIdentityPolicy(serverHostname: "localhost", serverIP: nil)
    }
    guard case .validCertificate = await verifier.validate(leaf: leaf.certificate, intermediates: CertificateStore())
    else {
      Issue.record("the certificate is not valid")
      return
    }
  }

  @Test func theFolderFollowsTheUsersDataFolder() {
    let given = DevelopmentCertificates.standard(environment: ["XDG_DATA_HOME": "/data"])
    #expect(given.folder.path == "/data/fastlike/tls")
    let relative = DevelopmentCertificates.standard(environment: ["XDG_DATA_HOME": "data"])
    #expect(relative.folder.path == DevelopmentCertificates.standard(environment: [:]).folder.path)
  }
}
