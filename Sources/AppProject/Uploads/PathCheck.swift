import Foundation
import MigrationEngine
import Postgres
import SQLite

/// What a look at the data's paths came to: a document that the journal keeps.
public struct PathReport: Codable, Sendable, Equatable {
    public struct Column: Codable, Sendable, Equatable {
        public let table: String
        public let column: String
        /// Why it was taken for one with paths.
        public let why: String
        public var values = 0
        public var found = 0
        public var missing = 0
        public var otherCase = 0
        /// Outside of the project, and there.
        public var outside = 0
        public var elsewhere = 0
        public var data = 0
        public var noPath = 0

        enum CodingKeys: String, CodingKey {
            case table, column, why, values, found, missing, outside, elsewhere, data
            case otherCase = "other_case"
            case noPath = "no_path"
        }

        /// Counts in words, those that are none left out.
        public var words: String {
            let counts = [
                (found, "there"), (missing, "missing"), (otherCase, "of another case"),
                (outside, "outside of the project"), (elsewhere, "elsewhere (URLs)"), (data, "data: URLs"),
                (noPath, "no paths"),
            ]
            return "\(table).\(column): \(Format.count(values, "value", "values")), "
                + counts.filter { $0.0 > 0 }.map { "\(Format.count($0.0)) \($0.1)" }.joined(separator: ", ")
        }
    }

    /// A value that leads to no file, or not where it should.
    public struct Miss: Codable, Sendable, Equatable {
        public let table: String
        public let key: String
        public let column: String
        public let value: String
        /// What is the matter, in words.
        public let what: String

        public var words: String { "\(table) \(key) \(column): \(value) — \(what)" }
    }

    /// The folders that were looked into.
    public var folders: [String] = []
    public var columns: [Column] = []
    /// Columns whose names speak of files, and why they were passed over.
    public var passedOver: [String] = []
    /// The first of them; all are in the file, where there are more.
    public var misses: [Miss] = []
    public var missesInAll = 0
    /// Where all of them are listed; nil where `misses` has all.
    public var file: String?

    enum CodingKeys: String, CodingKey {
        case folders, columns, misses, file
        case passedOver = "passed_over"
        case missesInAll = "misses_in_all"
    }

    /// Files that are not there under the name that the data has.
    public var broken: Int { columns.reduce(0) { $0 + $1.missing + $1.otherCase } }
}

/// Follows every path in a snapshot to its file. Called from a thread that may block; rows are read one after the other,
/// and nothing is kept but counts and the first that are missing.
public struct PathCheck {
    private static let sampled = 2000
    private static let shown = 20

    let snapshot: Snapshot
    let folders: UploadFolders
    /// Where all that is missing is listed when it is much.
    let file: String
    let cancellation: Cancellation

    public init(snapshot: Snapshot, folders: UploadFolders, file: String, cancellation: Cancellation) {
        self.snapshot = snapshot
        self.folders = folders
        self.file = file
        self.cancellation = cancellation
    }

    /// A column with paths.
    private struct Candidate {
        let table: Catalog.Table
        let column: String
        let why: String
        let convention: UploadConvention?
    }

    /// The columns that hold paths with why, and those that were passed over; reads a few thousand values of each.
    public func columns() throws -> (taken: [String], passedOver: [String]) {
        try reading { connection in
            let (taken, passedOver) = try candidates(connection)
            return (taken.map { "\($0.table.name).\($0.column): \($0.why)" }, passedOver)
        }
    }

    /// Looks at every value of them.
    public func run() throws -> PathReport {
        unlink(file)
        return try reading { connection in
            var report = PathReport(folders: folders.words)
            let (taken, passedOver) = try candidates(connection)
            report.passedOver = passedOver
            var list = MissList(path: file, shown: Self.shown)
            var resolver = PathResolver(folders)
            for candidate in taken {
                try check(candidate, connection, &resolver, &list, &report)
            }
            (report.misses, report.missesInAll, report.file) = try list.finish()
            return report
        }
    }

    private func reading<T>(_ body: (borrowing SQLite.Connection) throws -> T) throws -> T {
        let connection = try SQLite.Connection(path: snapshot.path, mode: .immutable)
        let interrupter = connection.interrupter
        do {
            return try cancellation.whileRegistered({ interrupter.interrupt() }) { try body(connection) }
        } catch let error as SQLiteError where error.isInterrupted {
            throw MigrationError.cancelled
        }
    }

    // MARK: Columns

    private func candidates(_ connection: borrowing SQLite.Connection) throws -> ([Candidate], [String]) {
        var taken: [Candidate] = []
        var passedOver: [String] = []
        for table in try snapshot.catalog().tables {
            for column in table.columns {
                try cancellation.check()
                if let convention = UploadConvention.all.first(where: { $0.holds(table.name, column.name) }) {
                    guard folders.folders.contains(where: { $0.convention.name == convention.name }) else {
                        passedOver.append(
                            "\(table.name).\(column.name): no folder of \(convention.name) is in the project")
                        continue
                    }
                    taken.append(
                        Candidate(
                            table: table, column: column.name, why: convention.name, convention: convention))
                    continue
                }
                switch PathColumns.answer(column.name, try look(at: column, of: table, connection)) {
                case .holdsPaths(let why):
                    taken.append(Candidate(table: table, column: column.name, why: why, convention: nil))
                case .passedOver(let why): passedOver.append("\(table.name).\(column.name): \(why)")
                case .no: break
                }
            }
        }
        return (taken, passedOver)
    }

    private func look(
        at column: Catalog.Column, of table: Catalog.Table, _ connection: borrowing SQLite.Connection
    ) throws -> PathColumns.Look {
        let name = quoteIdentifier(column.name)
        let statement = try connection.prepare(
            "SELECT \(name) FROM \(quoteIdentifier(table.name)) WHERE typeof(\(name)) = 'text' AND \(name) <> '' LIMIT \(Self.sampled)"
        )
        var look = PathColumns.Look()
        var resolver = PathResolver(folders)
        let isNamed = PathColumns.isNamed(column.name)
        while try statement.step() {
            let value = statement.text(0)
            look.texts += 1
            if value.lowercased().hasPrefix("data:") {
                look.data += 1
            } else if value.contains("://") {
                look.links += 1
            } else if PathColumns.isPath(value) {
                look.paths += 1
                if value.contains("/") || value.contains("\\") { look.withFolders += 1 }
                if PathColumns.hasEnding(value) { look.withEnding += 1 }
                // A few are enough to tell; texts that are no paths are not looked for.
                if look.found == 0, look.paths < 200 || isNamed, resolver.verdict(value) == .found {
                    look.found += 1
                }
            }
        }
        return look
    }

    // MARK: Values

    private func check(
        _ candidate: Candidate, _ connection: borrowing SQLite.Connection, _ resolver: inout PathResolver,
        _ list: inout MissList, _ report: inout PathReport
    ) throws {
        let table = candidate.table
        let column = quoteIdentifier(candidate.column)
        // A rowid that is no column stays bare: quoted, SQLite could take it for a text.
        let key =
            table.primaryKey.isEmpty
            ? [table.rowidName].compactMap(\.self) : table.primaryKey.map(quoteIdentifier)
        let statement = try connection.prepare(
            "SELECT \(([column] + key).joined(separator: ", ")) FROM \(quoteIdentifier(table.name)) "
                + "WHERE typeof(\(column)) = 'text' AND \(column) <> ''")
        var counts = PathReport.Column(table: table.name, column: candidate.column, why: candidate.why)
        while try statement.step() {
            try cancellation.check()
            let value = statement.text(0)
            counts.values += 1
            var what: String?
            switch resolver.verdict(value, candidate.convention) {
            case .found: counts.found += 1
            case .missing:
                counts.missing += 1
                what = "no such file"
            case .otherCase(let name):
                counts.otherCase += 1
                what = "the file is called \(name)"
            case .outside(let isThere):
                if isThere { counts.outside += 1 } else { counts.missing += 1 }
                what = "it leads out of the project, to " + (isThere ? "something that is there" : "nothing")
            case .elsewhere: counts.elsewhere += 1
            case .data: counts.data += 1
            case .noPath: counts.noPath += 1
            }
            guard let what else { continue }
            let names = (1..<Int32(1 + key.count)).map { Self.shown(statement, $0) }
            try list.add(
                PathReport.Miss(
                    table: table.name, key: names.joined(separator: ", "), column: candidate.column,
                    value: String(value.prefix(500)), what: what))
        }
        report.columns.append(counts)
    }

    private static func shown(_ statement: borrowing SQLite.Statement, _ column: Int32) -> String {
        switch statement.storageClass(column) {
        case .blob: "X'" + statement.bytes(column).hexadecimal + "'"
        case .null: "NULL"
        default: String(statement.text(column).prefix(100))
        }
    }
}

/// What is missing: the first to show, and all of them in a file where there are more.
private struct MissList {
    let path: String
    let shown: Int
    private(set) var first: [PathReport.Miss] = []
    private(set) var count = 0
    private var pending: [UInt8] = []
    private var output: FileHandle?

    init(path: String, shown: Int) {
        self.path = path
        self.shown = shown
    }

    mutating func add(_ miss: PathReport.Miss) throws {
        count += 1
        if count <= shown {
            first.append(miss)
            return
        }
        if output == nil {
            let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw FileSystemError("writing", path) }
            output = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            pending = Array("table\tkey\tcolumn\tvalue\twhat\n".utf8)
            for miss in first { append(miss) }
        }
        append(miss)
        if pending.count > 1 << 16 { try flush() }
    }

    /// A line a value; a tab or a line end in a value would end it before its time.
    private mutating func append(_ miss: PathReport.Miss) {
        let fields = [miss.table, miss.key, miss.column, miss.value, miss.what].map { field in
            field.unicodeScalars.map { scalar in
                switch scalar {
                case "\\": "\\\\"
                case "\t": "\\t"
                case "\r": "\\r"
                case "\n": "\\n"
                default: String(scalar)
                }
            }.joined()
        }
        pending += Array((fields.joined(separator: "\t") + "\n").utf8)
    }

    private mutating func flush() throws {
        try output?.write(contentsOf: pending)
        pending = []
    }

    mutating func finish() throws -> (first: [PathReport.Miss], count: Int, file: String?) {
        try flush()
        return (first, count, output == nil ? nil : path)
    }
}
