import Foundation

/// Compares lines with the file `Goldens/NAME.txt` beside the test; returns how they differ, nil where they are equal.
///
/// With `UPDATE_SNAPSHOTS=1` in the environment the file is written instead.
public func goldenMismatch(_ lines: [String], _ name: String, file: String = #filePath) -> String? {
    let folder = URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent("Goldens")
    let url = folder.appendingPathComponent("\(name).txt")
    let text = lines.joined(separator: "\n") + "\n"
    if ProcessInfo.processInfo.environment["UPDATE_SNAPSHOTS"] == "1" {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try text.write(to: url, atomically: true, encoding: .utf8)
            return nil
        } catch {
            return "\(url.path) cannot be written: \(error)"
        }
    }
    guard let golden = try? String(contentsOf: url, encoding: .utf8) else {
        return "there is no golden \(name): make it with UPDATE_SNAPSHOTS=1"
    }
    if golden == text { return nil }
    let old = golden.split(separator: "\n", omittingEmptySubsequences: false)
    let new = text.split(separator: "\n", omittingEmptySubsequences: false)
    let row = zip(old, new).prefix { $0 == $1 }.count
    return
        "\(name), line \(row + 1): was “\(old.dropFirst(row).first ?? "")”, is “\(new.dropFirst(row).first ?? "")”"
}
