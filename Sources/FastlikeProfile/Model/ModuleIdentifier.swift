import Crypto
public import Foundation

/// A short stable name for a version of a module, so that a reload does not mix two versions' traces.
public enum ModuleIdentifier {
  /// The first eight bytes of the SHA-256 of a module's bytes, as 16 hexadecimal digits.
  public static func of(_ module: some DataProtocol) -> String {
    SHA256.hash(data: module).prefix(8)
      .map { byte in
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
      }
      .joined()
  }
}
