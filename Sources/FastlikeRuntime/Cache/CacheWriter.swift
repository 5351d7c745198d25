import NIOCore

/// The write end of an object's body. A writer that is let go of breaks the body off.
///
/// An object whose body breaks off, or does not have the promised length, leaves the cache: those who read it get an error, and the
/// next look-up is a miss.
final class CacheWriter: Sendable {
  let object: CachedObject
  private let store: CacheStore

  init(object: CachedObject, store: CacheStore) {
    self.object = object
    self.store = store
  }

  deinit { abandon() }

  /// Adds bytes. False when the cache has no room for them: the body has broken off.
  @discardableResult
  func write(_ bytes: ByteBuffer) -> Bool {
    let isWritten = object.body.append(bytes) { [store] in store.reserve($0) }
    if !isWritten { store.discard(object) }
    return isWritten
  }

  func finish(trailers: HeaderList? = nil) {
    guard object.body.isBeingWritten else { return }
    if !object.body.finish(trailers: trailers) { store.discard(object) }
  }

  func abandon(_ error: BodyError = .unfinished) {
    guard object.body.isBeingWritten else { return }
    object.body.fail(error)
    store.discard(object)
  }

  /// Takes all that comes through a pipe of this event loop, to its end. The pipe is cancelled when there is no room.
  func fill(from pipe: BodyPipe) {
    pipe.onReadable = { [self, unowned pipe] in drain(pipe) }
    drain(pipe)
  }

  private func drain(_ pipe: BodyPipe) {
    while true {
      switch pipe.read() {
      case .bytes(let bytes):
        if write(bytes) { continue }
        pipe.onReadable = nil
        return pipe.cancel()
      case .pending: return
      case .end(let trailers):
        pipe.onReadable = nil
        return finish(trailers: trailers)
      case .failed(let error):
        pipe.onReadable = nil
        return abandon(error)
      }
    }
  }
}
