/// Collects what one piece of a table's comparison finds, and hands it to the log in batches. Used by one thread.
struct DifferenceRecorder: ~Copyable {
    /// A row that differs, with hashes of what the target holds: of the row, nil where it has none, and of each cell that differs.
    struct Entry {
        let difference: RowDifference
        let targetHash: Int64?
        var cellHashes: [Int64] = []
    }

    private static let batch = 512

    private let table: String
    private let columns: [String]
    private let operations: [ColumnCode.Operation]
    /// Orders the pieces of a table.
    private let part: Int64
    private let log: DifferenceLog?
    private let hash: RowHash?
    private var entries: [Entry] = []
    /// Of the row that is being compared.
    private var cellHashes: [Int64] = []
    private var changes: [[ChangeNature: ColumnChanges.Group]]

    init(_ table: ProofTable, part: Int64, log: DifferenceLog?) {
        self.table = table.source.name
        self.part = part
        self.log = log
        columns = table.columns
        operations = table.codes.map(\.operation)
        hash = log?.hash
        changes = Array(repeating: [:], count: log == nil ? 0 : table.columns.count)
    }

    /// Whether anybody asks for natures and hashes.
    var isKept: Bool { log != nil }

    /// The hash by which a later proof knows a row of the target again.
    func hash(ofTarget form: UnsafeRawBufferPointer) -> Int64? {
        hash.map { Int64(bitPattern: $0(form).low) }
    }

    /// Notes a cell that differs, before its row is added; `cut` is the hash of the target's, where the forms are not whole.
    mutating func note(
        _ source: ArraySlice<UInt8>, _ target: ArraySlice<UInt8>, column: Int, cut: Int64? = nil,
        isCut: Bool = false
    ) {
        guard let hash else { return }
        cellHashes.append(cut ?? target.withUnsafeBytes { Int64(bitPattern: hash($0).low) })
        let change = CellChange(source: source, target: target, operations[column], isCut: isCut)
        let group = ColumnChanges.Group(
            nature: change.nature, rows: 1, low: change.amount, high: change.amount)
        changes[column][change.nature, default: .init(nature: change.nature, rows: 0)].add(group)
    }

    mutating func add(_ difference: RowDifference, targetHash: Int64?) throws {
        guard isKept else { return }
        entries.append(Entry(difference: difference, targetHash: targetHash, cellHashes: cellHashes))
        cellHashes.removeAll(keepingCapacity: true)
        if entries.count >= Self.batch { try flush() }
    }

    private mutating func flush() throws {
        try log?.add(entries, of: table, part: part)
        entries.removeAll(keepingCapacity: true)
    }

    mutating func finish() throws {
        if !entries.isEmpty { try flush() }
        let found = zip(columns, changes).filter { !$1.isEmpty }.map { column, groups in
            ColumnChanges(column: column, groups: Array(groups.values))
        }
        if !found.isEmpty { try log?.add(found, of: table) }
        changes = []
    }
}
