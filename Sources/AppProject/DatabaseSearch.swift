/// Looks for SQLite files in a folder that no schema speaks of.
public enum DatabaseSearch {
    private static let endings = [".db", ".sqlite", ".sqlite3"]

    /// The files in the folder and up to two folders below that are named like databases and begin like SQLite ones.
    ///
    /// Sorted, each file once whatever links lead to it. `isOver` ends the search early.
    public static func files(in folder: String, depth: Int = 2, isOver: () -> Bool = { false }) -> [String] {
        var seen: Set<FileIdentity> = []
        return candidates(in: folder, depth: depth, isOver).filter { path in
            Files.identity(path).map { seen.insert($0).inserted } ?? false
        }
    }

    private static func candidates(in folder: String, depth: Int, _ isOver: () -> Bool) -> [String] {
        if isOver() { return [] }
        let here = Files.names(in: folder)
            .filter { name in endings.contains { name.lowercased().hasSuffix($0) } }
            .map { Files.join(folder, $0) }.filter(Files.isSQLite)
        guard depth > 0 else { return here }
        return here + Files.subfolders(of: folder).flatMap { candidates(in: $0, depth: depth - 1, isOver) }
    }
}
