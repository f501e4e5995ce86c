import Foundation

/// The reference files beside the repository, where they are.
public enum Golden {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../shared/reference/prisma").standardizedFileURL.path

    public static let isThere = FileManager.default.fileExists(atPath: folder)

    public static func text(_ name: String) throws -> String {
        try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
    }
}
