import Foundation

/// The repairs of a state folder, each in a folder of its own below `repairs/`: what it did, and the rows that it replaced.
struct RepairStore: Sendable {
    enum Part: String {
        case before, after
    }

    private let state: StateFolder

    init(_ state: StateFolder) {
        self.state = state
    }

    private var path: String { "\(state.path)/repairs" }

    /// Oldest first. A folder without a record belongs to a repair that did not come to its commit.
    func records() -> [RepairRecord] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.sorted().compactMap { name in
            FileManager.default.contents(atPath: "\(path)/\(name)/repair.json").flatMap {
                try? JSONDecoder().decode(RepairRecord.self, from: $0)
            }
        }.filter { names.contains($0.id) }
    }

    /// Makes the folder of a new repair; returns its name and its time. What a killed one left that came to no commit goes: the state
    /// folder has one writer at a time.
    func begin() throws -> (id: String, time: String) {
        _ = try state.folder("repairs")
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        where access("\(path)/\(name)/repair.json", F_OK) != 0 { remove(name) }
        var date = Date()
        while true {
            let time = date.formatted(.iso8601)
            let id = time.filter { $0 != ":" && $0 != "-" }
            if mkdir("\(path)/\(id)", 0o700) == 0 { return (id, time) }
            guard errno == EEXIST else { throw FileSystemError("making the folder", "\(path)/\(id)") }
            date.addTimeInterval(1)
        }
    }

    func file(_ id: String, table: Int, _ part: Part) -> String { "\(path)/\(id)/\(table + 1)-\(part).copy" }

    /// Writes a record; it is on the disk when this returns, with the files beside it.
    func write(_ record: RepairRecord) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try writePrivateFile(
            "\(path)/\(record.id)/repair.json",
            String(decoding: try encoder.encode(record), as: UTF8.self) + "\n")
        syncFolder(path)
    }

    /// Forgets a repair that has changed nothing.
    func remove(_ id: String) {
        try? FileManager.default.removeItem(atPath: "\(path)/\(id)")
    }
}
