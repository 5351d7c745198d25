internal import Foundation

/// The folder of an archive, held open: files in it are reached through its descriptor, and no symbolic link is followed.
final class ArchiveDirectory: Sendable {
  static let indexName = "index.sqlite"
  private static let lockName = "lock"

  /// Without slashes at its end.
  let path: String
  private let descriptor: Int32
  private let lock: ArchiveFile?

  /// - Parameter isWritable: Makes the folder if there is none, and takes the lock that one process at a time has.
  init(path given: String, isWritable: Bool) throws(TraceArchiveError) {
    // With a slash at the end the system would follow a link.
    var path = given
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    guard !path.isEmpty else { throw .unusable(path: "\"\"", reason: "a folder is needed") }
    self.path = path
    if isWritable { try Self.make(path) }
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else {
      let code = errno
      let isLink = (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil
      throw .unusable(path: path, reason: isLink ? "is a symbolic link; name the folder itself" : systemErrorText(code))
    }
    self.descriptor = descriptor
    var status = stat()
    if fstat(descriptor, &status) != 0 || status.st_mode & S_IWOTH != 0 {
      _ = close(descriptor)
      throw .unusable(path: path, reason: "everybody may write into it; choose a folder of your own")
    }
    guard isWritable else {
      lock = nil
      return
    }
    let lockDescriptor = openat(descriptor, Self.lockName, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard lockDescriptor >= 0 else {
      let code = errno
      _ = close(descriptor)
      throw .unusable(path: path + "/" + Self.lockName, reason: systemErrorText(code))
    }
    let lock = ArchiveFile(lockDescriptor)
    guard flock(lockDescriptor, LOCK_EX | LOCK_NB) == 0 else {
      _ = close(descriptor)
      throw .inUse(path: path)
    }
    self.lock = lock
  }

  deinit { _ = close(descriptor) }

  /// Lets another process write.
  func unlock() { lock?.unlock() }

  private static func make(_ path: String) throws(TraceArchiveError) {
    let parent = (path as NSString).deletingLastPathComponent
    if !parent.isEmpty {
      do {
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
      } catch {
        throw .unusable(path: parent, reason: "the folder cannot be made")
      }
    }
    guard mkdir(path, 0o700) != 0, errno != EEXIST else { return }
    throw .unusable(path: path, reason: systemErrorText(errno))
  }

  // MARK: - Files

  /// Opens a file in the folder that is there; nil when it is not, is a link or is no regular file.
  func openFile(_ name: String, isWritable: Bool = false) -> ArchiveFile? {
    let flags = (isWritable ? O_RDWR | O_APPEND : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
    let file = openat(descriptor, name, flags)
    guard file >= 0 else { return nil }
    let opened = ArchiveFile(file)
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return opened
  }

  /// Makes a file that is not there.
  func makeFile(_ name: String) throws(TraceArchiveError) -> ArchiveFile {
    let file = openat(descriptor, name, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw .unusable(path: path + "/" + name, reason: systemErrorText(errno)) }
    return ArchiveFile(file)
  }

  func remove(_ name: String) { _ = unlinkat(descriptor, name, 0) }

  /// What is in the place of a file.
  enum Occupant {
    case nothing, file, other
  }

  /// Looks without opening: to close a file that SQLite has open would end the process's locks on it.
  func occupant(of name: String) -> Occupant {
    var status = stat()
    guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return .nothing }
    return status.st_mode & S_IFMT == S_IFREG ? .file : .other
  }

  /// Takes all access to a file from others than its owner.
  func restrict(_ name: String) { _ = fchmodat(descriptor, name, 0o600, 0) }

  // MARK: - Segments

  static func segmentName(_ number: Int64) -> String {
    let digits = String(number)
    return "traces-" + String(repeating: "0", count: max(0, 10 - digits.count)) + digits + ".seg"
  }

  /// The numbers of all segments, ascending.
  func segments() -> [Int64] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.compactMap { name in
      guard name.hasPrefix("traces-"), name.hasSuffix(".seg") else { return nil }
      let number = Int64(name.dropFirst(7).dropLast(4))
      return number.flatMap { $0 > 0 && $0 < .max / 2 && Self.segmentName($0) == name ? $0 : nil }
    }
    .sorted()
  }
}

/// An open file, closed when nobody uses it any more.
final class ArchiveFile: Sendable {
  private let descriptor: Int32

  init(_ descriptor: Int32) { self.descriptor = descriptor }
  deinit { _ = close(descriptor) }

  /// Bytes; 0 when they cannot be told.
  var size: Int64 {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? Int64(status.st_size) : 0
  }

  /// Up to `count` bytes from `offset` on; fewer at the file's end.
  func read(at offset: Int64, count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      while initialized < count {
        let got = pread(
          descriptor, buffer.baseAddress! + initialized, count - initialized, off_t(offset) + off_t(initialized))
        if got < 0, errno == EINTR { continue }
        guard got > 0 else { return }
        initialized += got
      }
    }
  }

  /// Appends all bytes.
  /// - Returns: 0, or the system's error number, after which the file may end in a part of them.
  func append(_ bytes: [UInt8]) -> Int32 {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + written, $0.count - written) }
      if count > 0 { written += count } else if errno != EINTR { return errno == 0 ? EIO : errno }
    }
    return 0
  }

  /// Cuts the file.
  func truncate(to size: Int64) -> Bool { ftruncate(descriptor, off_t(size)) == 0 }

  func unlock() { _ = flock(descriptor, LOCK_UN) }

  /// Waits until the file is on the disk.
  func synchronize() { _ = fsync(descriptor) }
}
