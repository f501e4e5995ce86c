/// What a migration of a source would be: what is there, what carries over, what waits for a word, how long and how large.
///
/// Pure: made from a preparation, before any server is known.
public struct Assessment: Codable, Sendable, Equatable {
    /// Objects of one kind by what becomes of them.
    public struct Kind: Codable, Sendable, Equatable {
        public let kind: String
        public var total = 0
        public var carried = 0
        public var changed = 0
        /// Those that a decision is wanted for.
        public var open = 0
        public var leftOut = 0

        enum CodingKeys: String, CodingKey {
            case kind, total, carried, changed, open
            case leftOut = "left_out"
        }
    }

    public struct Estimates: Codable, Sendable, Equatable {
        /// Seconds on the machine that the rates were measured on.
        public let copySeconds: Double
        public let keysSeconds: Double
        public let proofSeconds: Double
        /// Bytes of tables and of keys and indexes in PostgreSQL.
        public let tableBytes: Int64
        public let indexBytes: Int64

        enum CodingKeys: String, CodingKey {
            case copySeconds = "copy_seconds"
            case keysSeconds = "keys_seconds"
            case proofSeconds = "proof_seconds"
            case tableBytes = "table_bytes"
            case indexBytes = "index_bytes"
        }
    }

    public let fileBytes: Int64
    public let encoding: String
    public let userVersion: Int
    public let rows: Int
    public let valueBytes: Int
    public let kinds: [Kind]
    public let estimates: Estimates
    /// Findings that stop a run, and those that only tell.
    public let openFindings: Int
    public let notes: Int
    /// What columns look like beyond their declaration: nothing is changed for it.
    public let observations: [Observation]

    public struct Observation: Codable, Sendable, Equatable {
        public let table: String
        public let column: String
        public let words: String
    }

    enum CodingKeys: String, CodingKey {
        case encoding, rows, kinds, estimates, notes, observations
        case fileBytes = "file_bytes"
        case userVersion = "user_version"
        case valueBytes = "value_bytes"
        case openFindings = "open_findings"
    }

    public init(_ preparation: Preparation) {
        fileBytes = preparation.snapshot.bytes
        encoding = preparation.catalog.encoding
        userVersion = preparation.catalog.userVersion
        rows = preparation.profiles.values.map(\.rows).reduce(0, +)
        valueBytes = preparation.profiles.values.map(\.bytes).reduce(0, +)
        kinds = Self.kinds(preparation.objects)
        estimates = Estimates(preparation)
        openFindings = preparation.blocking.count
        notes = preparation.findings.count - preparation.blocking.count
        observations = preparation.catalog.tables.flatMap { table in
            zip(table.columns, preparation.profiles[table.name]?.columns ?? []).flatMap { column, profile in
                profile.observations(column).map {
                    Observation(table: table.name, column: column.name, words: $0)
                }
            }
        }
    }

    private static func kinds(_ objects: [ObjectState]) -> [Kind] {
        var kinds: [Kind] = []
        for object in objects {
            let index: Int
            if let known = kinds.firstIndex(where: { $0.kind == object.kind.rawValue }) {
                index = known
            } else {
                index = kinds.count
                kinds.append(Kind(kind: object.kind.rawValue))
            }
            kinds[index].total += 1
            switch object.state {
            case .carried: kinds[index].carried += 1
            case .changed: kinds[index].changed += 1
            case .leftOut, .failed:
                if object.isUnexplained { kinds[index].open += 1 } else { kinds[index].leftOut += 1 }
            }
        }
        return kinds
    }
}

extension Assessment.Estimates {
    /// Measured by `make bench` with 1,000,000 messages (315 MB) on two cores; see benchmarks/results.md.
    private enum Rate {
        static let copiedBytesPerSecond = 180_000_000.0
        static let copiedRowsPerSecond = 620_000.0
        static let indexedRowsPerSecond = 700_000.0
        static let provenPerCopied = 0.82
    }

    /// Of PostgreSQL's pages: a row's header with its pointer, an index row's, and how full a b-tree's pages are
    /// (https://www.postgresql.org/docs/current/storage-page-layout.html).
    private enum Size {
        static let row = 28
        static let indexRow = 16
        static let fill = 0.9
    }

    init(_ preparation: Preparation) {
        var (copy, keys, tables, indexes) = (0.0, 0.0, 0, 0.0)
        for table in preparation.plan.tables where !table.isSkipped {
            guard let profile = preparation.profiles[table.name] else { continue }
            copy += max(
                Double(profile.bytes) / Rate.copiedBytesPerSecond,
                Double(profile.rows) / Rate.copiedRowsPerSecond)
            tables += profile.bytes + profile.rows * Size.row
            let width =
                profile.rows > 0
                ? Double(profile.bytes) / Double(profile.rows * max(1, table.columns.count)) : 0
            let all =
                [table.primaryKey].compactMap { $0?.columns } + (table.uniques ?? []).map(\.columns)
                + (table.indexes ?? []).map(\.columns)
            for columns in all {
                keys += Double(profile.rows) / Rate.indexedRowsPerSecond
                indexes +=
                    Double(profile.rows) * (Double(Size.indexRow) + width * Double(max(1, columns.count)))
                    / Size.fill
            }
        }
        copySeconds = rounded(copy)
        keysSeconds = rounded(keys)
        proofSeconds = rounded(copy * Rate.provenPerCopied)
        tableBytes = Int64(tables)
        indexBytes = Int64(indexes)
    }
}
