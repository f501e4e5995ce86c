/// What is to be repaired: named tables, named rows of one, or everything that differs.
public struct RepairRequest: Sendable, Equatable {
    /// As the source spells them; every table where none is named.
    public var tables: [String]
    /// Rows of the one named table, by their keys as the proof shows them, or as a JSON array of the key's texts; all that differ
    /// where none is named.
    public var keys: [String]
    /// Whether rows that only the target has are removed too: the application may have written them since.
    public var removesExtra: Bool
    /// Only rows that were wrong already in the first proof of the target, and still hold what was wrong; without keys.
    public var onlyNeverRight: Bool

    public init(
        tables: [String] = [], keys: [String] = [], removesExtra: Bool = false, onlyNeverRight: Bool = false
    ) {
        self.tables = tables
        self.keys = keys
        self.removesExtra = removesExtra
        self.onlyNeverRight = onlyNeverRight
    }
}

/// What a repair would do, as a proof of this moment has found it.
public struct RepairPreview: Sendable {
    public struct Table: Codable, Sendable, Equatable {
        public enum Way: String, Codable, Sendable {
            /// Row by row, by the key.
            case rows
            /// All of its rows again: none can be told from the others.
            case whole
        }

        public let name: String
        public internal(set) var way: Way
        /// Rows that differ, of those that were asked for: in the source only, on both sides, in the target only.
        public internal(set) var missing = 0
        public internal(set) var changed = 0
        public internal(set) var extra = 0
        /// Rows that differ too and that the proof does not name one by one: they wait for another repair.
        public internal(set) var unnamed = 0
        /// Rows that differ and are left as they are: those that are as SQLite is today, where the source has changed since the snapshot, and
        /// those that were not never right, where only such are asked for; `mixed` were never right, and were written since in other cells.
        public internal(set) var asToday = 0
        public internal(set) var written = 0
        public internal(set) var mixed = 0
        /// Why it is loaded again as a whole.
        public internal(set) var reason: String?
        /// Why nothing of it is repaired.
        public internal(set) var obstacle: String?
        /// Rows of each side, as the proof has counted them.
        public internal(set) var sourceRows = 0
        public internal(set) var targetRows = 0

        /// Whether rows of the target would go that are not in the source, of a table that is loaded again as a whole.
        public internal(set) var isGoing = false

        /// What loading it again as a whole comes to.
        public var wholeWords: String {
            "loaded again as a whole (\(reason ?? "")): \(Format.count(targetRows, "row goes", "rows go")), \(Format.count(sourceRows, "comes", "come"))"
        }

        /// Rows of the source that the target has, right or wrong.
        var present = 0

        var differences: Int { missing + changed + extra }
        public var left: Int { asToday + written + mixed }
    }

    public let request: RepairRequest
    /// Tables that differ.
    public let tables: [Table]
    /// What is to be known before rows are replaced that were named.
    public let warning: String?
    /// With the names that the target has.
    let preparation: Preparation
    /// Which rows of the target the proof can have seen.
    let moment: ProofMoment
    let proofs: [String: ProofTable]

    /// What is repaired of a table: rows that come back, and rows that are removed.
    public func repaired(_ table: Table) -> (copied: Int, removed: Int) {
        guard table.obstacle == nil, table.differences + table.unnamed > 0 else { return (0, 0) }
        if table.way == .whole { return (table.sourceRows, table.targetRows) }
        return (table.missing + table.changed, request.removesExtra ? table.extra : 0)
    }

    /// Tables of which anything is repaired.
    public var repairable: [Table] {
        tables.filter { table in
            let rows = repaired(table)
            return rows.copied + rows.removed > 0
        }
    }

    public var isEmpty: Bool { repairable.isEmpty }

    /// Rows that only the target has and that stay.
    public var extraLeft: Int {
        request.removesExtra
            ? 0 : tables.filter { $0.way == .rows && $0.obstacle == nil }.reduce(0) { $0 + $1.extra }
    }

    /// What is left as it is though it differs, and why; a line for each reason.
    public var leftWords: [String] {
        let asToday = tables.reduce(0) { $0 + $1.asToday }
        let written = tables.reduce(0) { $0 + $1.written }
        let mixed = tables.reduce(0) { $0 + $1.mixed }
        var lines: [String] = []
        if asToday > 0 {
            lines.append(
                "\(Format.count(asToday, "row is", "rows are")) left alone: as SQLite is today, which has changed since the snapshot"
            )
        }
        if written > 0 {
            lines.append(
                "\(Format.count(written, "row is", "rows are")) left alone: right in the first proof, or written again since"
            )
        }
        if mixed > 0 {
            lines.append(
                "\(Format.count(mixed, "row was", "rows were")) never right and \(mixed == 1 ? "was" : "were") written by the application since: name \(mixed == 1 ? "it" : "them") by --key"
            )
        }
        return lines
    }
}
