/// The version of this program and library.
public enum FastlikeVersion {
  /// As in semantic versioning: `0.1.0`.
  public static let current = "0.1.0"
}
