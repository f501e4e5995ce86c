import Foundation

/// A folder that is removed with the test.
final class Scratch {
    let path: String

    init() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "howdah-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        path = folder.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    subscript(name: String) -> String { "\(path)/\(name)" }

    /// Every file and folder below, sorted.
    func content(of name: String = "") -> [String] {
        (FileManager.default.subpaths(atPath: name.isEmpty ? path : self[name]) ?? []).sorted()
    }
}
