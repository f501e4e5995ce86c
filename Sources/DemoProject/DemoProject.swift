import Foundation
import SQLite

/// A chat application's project on Prisma and SQLite, to try a migration on.
///
/// The same seed and number of messages give the same rows. Everything in it is valid, and much of it is what loses
/// its way elsewhere: emoji, empty BLOBs, dates before 1970, subnormal numbers, keys of every length.
public enum DemoProject {
    public struct Options: Sendable {
        public var messages: Int
        public var seed: UInt64
        /// Whether it has rows that PostgreSQL refuses.
        public var isDirty: Bool

        public init(messages: Int = 10_000, seed: UInt64 = 1, isDirty: Bool = false) {
            self.messages = messages
            self.seed = seed
            self.isDirty = isDirty
        }
    }

    /// What was made.
    public struct Made: Sendable {
        public let directory: String
        public let databasePath: String
        public let rows: [(table: String, count: Int)]
    }

    /// Whether a folder holds a demo that was made before.
    public static func isDemo(_ directory: String) -> Bool {
        guard let data = FileManager.default.contents(atPath: "\(directory)/package.json") else {
            return false
        }
        return data == Data(ProjectFiles.packageJSON.utf8)
            && FileManager.default.fileExists(atPath: "\(directory)/prisma/dev.db")
    }

    /// Makes the project in a folder that is not there, or is empty.
    ///
    /// The database gets its name last: where making it fails or is cancelled, what was made is removed. `progress`
    /// gets the number of messages that are there.
    public static func make(
        in directory: String, options: Options = Options(), progress: (_ messages: Int) -> Void = { _ in },
        isCancelled: () -> Bool = { false }
    ) throws -> Made {
        let files = FileManager.default
        let existed = files.fileExists(atPath: directory)
        let content =
            (try? files.contentsOfDirectory(atPath: directory)) ?? (existed ? ["a file of that name"] : [])
        guard content.isEmpty else {
            throw DemoError("\(directory) is there already and is not empty: the demo overwrites nothing")
        }
        let path = "\(directory)/prisma/dev.db"
        do {
            try ProjectFiles.write(to: directory)
            let rows = try ChatDatabase(options: options).make(
                at: path + ".partial", progress: progress, isCancelled: isCancelled)
            try files.moveItem(atPath: path + ".partial", toPath: path)
            return Made(directory: directory, databasePath: path, rows: rows)
        } catch {
            ProjectFiles.remove(from: directory)
            let rest = try? files.contentsOfDirectory(atPath: directory)
            if !existed, rest?.isEmpty == true { try? files.removeItem(atPath: directory) }
            if let error = error as? DemoError { throw error }
            let reason = (error as? SQLiteError)?.description ?? error.localizedDescription
            throw DemoError("\(directory) cannot be made: \(reason)")
        }
    }
}

/// Why a demo was not made.
public struct DemoError: Error, CustomStringConvertible, Sendable {
    public let description: String
    public let isCancelled: Bool

    init(_ description: String, isCancelled: Bool = false) {
        self.description = description
        self.isCancelled = isCancelled
    }
}
