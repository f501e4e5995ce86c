import Foundation
import Postgres

/// Rows of a target that are not those of the snapshot that it was loaded from: what an application has written to it since.
///
/// Found by the proof, and written to files, a JSON document a line, so that they can be carried back by hand. Called from a thread that
/// may block.
public struct RowsSince: Sendable {
    public struct Table: Codable, Sendable, Equatable {
        public let name: String
        public var inserted = 0
        public var changed = 0
        public var deleted = 0
        /// The file with its rows, in the folder that was named; nil before they are written.
        public var file: String?
        /// Whether the file has all rows of the table: there is no key to find single ones by, or there are too many of them to
        /// be told one by one.
        public var isWhole = false
        /// Why its rows could not be compared or written; nil where they were.
        public var obstacle: String?

        public var count: Int { inserted + changed + deleted }
    }

    let preparation: Preparation
    let server: TargetServer
    let workers: Int
    let cancellation: Cancellation
    let progress: RunProgress
    private let log: DifferenceLog

    /// `preparation` is of the snapshot that the target was loaded from.
    public init(
        preparation: Preparation, server: TargetServer, state: StateFolder, workers: Int,
        cancellation: Cancellation,
        progress: RunProgress
    ) throws {
        self.preparation = preparation
        self.server = server
        self.workers = workers
        self.cancellation = cancellation
        self.progress = progress
        log = try DifferenceLog(state, name: "since")
    }

    /// Counts them; tables without any are left out.
    public func count() throws -> [Table] {
        progress.begin(.proof)
        defer { progress.end() }
        let verdicts = try ProofRun(
            preparation: preparation, server: server, workers: workers, cancellation: cancellation,
            progress: progress, gate: PauseGate(), differences: log
        ).run(only: Set(preparation.plan.tables.map(\.name)))
        return try preparation.plan.tables.compactMap { table in
            guard !table.isSkipped, let verdict = verdicts[table.name], verdict.verdict != .equal else {
                return nil
            }
            var line = Table(name: table.name)
            if let obstacle = verdict.obstacle {
                line.obstacle = obstacle
                return line
            }
            try eachDifference(of: table.name) { difference in
                switch difference.kind {
                case .extra: line.inserted += 1
                case .changed: line.changed += 1
                case .missing: line.deleted += 1
                }
                if difference.place?.keys == nil, difference.kind != .missing { line.isWhole = true }
            }
            // More than are kept one by one.
            if verdict.isTruncated || line.count < verdict.differences { line.isWhole = true }
            return line
        }
    }

    private func eachDifference(of table: String, _ body: (RowDifference) throws -> Void) throws {
        var first = 0
        while true {
            let page = try log.page(table, from: first, count: 500)
            for difference in page { try body(difference) }
            first += page.count
            if page.count < 500 { return }
        }
    }

    // MARK: Writing

    /// Writes the rows of the tables into a folder, one file a table; returns them with the names of the files.
    ///
    /// A line is `{"kind": "inserted", "row": {…}}`, with `changed` for rows that the snapshot has otherwise, and
    /// `{"kind": "deleted", "key": {…}}` for rows that are no longer there; in a file of a whole table every line is of the kind `row`.
    /// Values are as PostgreSQL's `to_json` writes them: numbers of any length as numbers, bytes as `\x` and hexadecimal digits.
    public func write(_ tables: [Table], to folder: String) throws -> [Table] {
        try makePrivateFolder(folder)
        return try server.withConnection(purpose: "export") { connection in
            try tables.enumerated().map { index, table in
                var table = table
                guard table.obstacle == nil,
                    let planned = preparation.plan.tables.first(where: { $0.name == table.name })
                else { return table }
                let name = tableFileName(index + 1, table.name, "ndjson")
                let file = try NDJSONFile("\(folder)/\(name)")
                if table.isWhole {
                    try writeAll(planned, to: file, connection)
                } else {
                    try writeDifferences(planned, to: file, connection)
                }
                try file.finish()
                table.file = name
                return table
            }
        }
    }

    private func qualified(_ table: MigrationPlan.Table) -> String {
        quoteIdentifier(preparation.plan.schema, table.targetName)
    }

    /// The document of a row, in one line: outside of strings, where line ends are escaped, they mean nothing.
    private static func line(_ kind: String) -> String {
        "translate(json_build_object('kind', \(kind), 'row', to_json(t))::text, E'\\n\\r', '  ')"
    }

    /// Tables of the target's schema that the plan does not know: what is in them is in no file.
    public func unknownTables() throws -> [String] {
        let known = Set(preparation.plan.tables.map(\.targetName))
        return try server.withConnection(purpose: "export") { connection in
            let found = try connection.query(
                """
                SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p') AND NOT relispartition
                ORDER BY 1
                """, [quoteIdentifier(preparation.plan.schema)])
            return (0..<found.count).compactMap { found.text($0, 0) }.filter { !known.contains($0) }
        }
    }

    private func writeAll(
        _ table: MigrationPlan.Table, to file: NDJSONFile, _ connection: borrowing Postgres.Connection
    ) throws {
        // Without a delimiter or a quote of its own, the text format changes nothing but backslashes: one byte that no JSON text has
        // stands for each.
        try connection.copyOut(
            "COPY (SELECT \(Self.line("'row'")) FROM \(qualified(table)) AS t) TO STDOUT (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')"
        ) { try file.write($0) }
        try eachDifference(of: table.name) {
            if $0.kind == .missing { try file.write(deleted: key(of: $0, table)) }
        }
    }

    /// The key's columns, as the target spells them, with their values as texts; of a table without a key the row's place in SQLite.
    private func key(of difference: RowDifference, _ table: MigrationPlan.Table) -> [String: String] {
        let columns = preparation.catalog.tables.first { $0.name == table.name }?.primaryKey ?? []
        guard let keys = difference.place?.keys, keys.count == columns.count, !keys.isEmpty else {
            return ["sqlite": difference.key]
        }
        return Dictionary(zip(table.targetNames(columns), keys)) { first, _ in first }
    }

    private func writeDifferences(
        _ table: MigrationPlan.Table, to file: NDJSONFile, _ connection: borrowing Postgres.Connection
    ) throws {
        guard let source = preparation.catalog.tables.first(where: { $0.name == table.name }) else { return }
        let condition = table.targetNames(source.primaryKey).enumerated().map {
            "t.\(quoteIdentifier($1)) = $\($0 + 2)"
        }.joined(separator: " AND ")
        try eachDifference(of: table.name) { difference in
            try cancellation.check()
            guard difference.kind != .missing else {
                return try file.write(deleted: key(of: difference, table))
            }
            let kind = difference.kind == .extra ? "inserted" : "changed"
            let row = try connection.query(
                "SELECT \(Self.line("$1::text")) FROM \(qualified(table)) AS t WHERE \(condition)",
                [kind] + (difference.place?.keys ?? []))
            if let line = row.text(0, 0) { try file.write(line: line) }
        }
    }
}

/// A file of JSON documents, one a line, for the owner alone.
final class NDJSONFile {
    private let path: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []

    init(_ path: String) throws {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileSystemError("writing", path) }
    }

    deinit { close(descriptor) }

    func write(line: String) throws {
        buffer += line.utf8
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count > 1 << 16 { try flush() }
    }

    /// Bytes that end with their line.
    func write(_ bytes: UnsafeRawBufferPointer) throws {
        buffer += bytes
        if buffer.count > 1 << 16 { try flush() }
    }

    func write(deleted key: [String: String]) throws {
        let text = String(decoding: try JSONEncoder().encode(key), as: UTF8.self)
        try write(line: "{\"kind\" : \"deleted\", \"key\" : \(text)}")
    }

    func finish() throws {
        try flush()
        guard fsync(descriptor) == 0 else { throw FileSystemError("writing", path) }
    }

    private func flush() throws {
        var rest = buffer[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno != EINTR { throw FileSystemError("writing", path) }
            rest = rest.dropFirst(max(0, count))
        }
        buffer.removeAll(keepingCapacity: true)
    }
}
