import FastlikeRuntime
import Foundation
import Synchronization

/// Puts new versions of a service in place: all of it when its user asks for that, and only the contents of its stores when
/// one of their files has changed, which needs no asking.
///
/// A new version is a new `Service`, so requests in flight keep what they began with. Where something is broken, what was
/// served before goes on, and one line says where it is broken.
final class ServiceReload: Sendable {
  private let handler: ServiceSwitch
  private let loader: ServiceLoader
  /// One version after the other: each begins from the one before.
  private let turn = Mutex(())

  init(handler: ServiceSwitch, loader: ServiceLoader) {
    self.handler = handler
    self.loader = loader
  }

  /// Loads the program and its configuration again.
  func all() {
    turn.withLock { _ in
      do {
        let service = try loader.load()
        handler.service = service
        report("reloaded \(service.program.name) (\(service.program.moduleID))")
      } catch {
        report("not reloaded, the old version goes on: \(error)")
      }
    }
  }

  /// Reads the files of stores again, and nothing else.
  func files(_ changed: Set<String>) {
    turn.withLock { _ in
      let present = handler.service
      do {
        let service = try loader.readingFilesAgain(of: present)
        handler.service = service
        let problems = service.configuration.problems.filter { !present.configuration.problems.contains($0) }
        for problem in problems { report("\(problem); what was read before goes on") }
        if problems.count < changed.count { report("read again: \(changed.sorted().joined(separator: ", "))") }
      } catch {
        report("not read again, all goes on as before: \(error)")
      }
    }
  }

  /// Watches the files of stores until the task is cancelled; with `everything`, also the program and the manifest.
  func watch(everything: Bool) async {
    let (handler, module) = (handler, loader.module)
    var watch = FileWatch {
      let configuration = handler.service.configuration
      return everything
        ? [module] + configuration.files : configuration.files.filter { $0 != configuration.manifestFile }
    }
    while let changed = try? await watch.change() {
      if changed.contains(module) || changed.contains(where: { $0 == handler.service.configuration.manifestFile }) {
        all()
      } else {
        files(changed)
      }
    }
  }

  private func report(_ line: String) { FileHandle.standardError.write(Data("fastlike: \(line)\n".utf8)) }
}
