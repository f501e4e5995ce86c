import CSQLite
import SQLite
import Synchronization

/// Reads every value of every table once, and tells what the columns really hold.
///
/// Tables are read in parallel, each by one thread with a connection of its own; memory does not grow with rows.
/// Tables are read in the order of their rowids or keys, which also gives the pieces that the copy works on.
public struct Profiler: Sendable {
    /// About how many bytes of values one piece of a table holds.
    static let chunkBytes = 4 << 20

    let snapshot: Snapshot
    let cancellation: Cancellation

    public init(_ snapshot: Snapshot, cancellation: Cancellation) {
        self.snapshot = snapshot
        self.cancellation = cancellation
    }

    /// Profiles of `tables`, by name. `rowsRead` gets the growing number of rows, from any thread.
    public func profile(
        _ tables: [Catalog.Table], workers: Int, rowsRead: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws -> [String: TableProfile] {
        let profiles = Profiles()
        let queue = WorkQueue(tables)
        try WorkerThreads.run(count: max(1, min(workers, tables.count)), onFirstError: { queue.stop() }) {
            _ in
            let connection = try snapshot.open(readsOnce: true)
            let interrupter = connection.interrupter
            try cancellation.whileRegistered({ interrupter.interrupt() }) {
                while let table = queue.next() {
                    do {
                        profiles.store(try Self.profile(table, connection, rowsRead: rowsRead), table.name)
                    } catch let error as SQLiteError where error.isInterrupted {
                        throw MigrationError.cancelled
                    }
                }
            }
        }
        return profiles.all
    }

    private final class Profiles: Sendable {
        private let byName = Mutex<[String: TableProfile]>([:])

        var all: [String: TableProfile] { byName.withLock { $0 } }

        func store(_ profile: TableProfile, _ name: String) {
            byName.withLock { $0[name] = profile }
        }
    }

    /// What to look for in a column beyond storage classes, from its declared type.
    private struct Interest {
        let dates: Bool
        let decimals: Bool
        let json: Bool
        let shapes: Bool

        init(_ column: Catalog.Column, of table: Catalog.Table) {
            let type = column.declaredType.uppercased()
            dates = type.contains("DATE") || type.contains("TIME")
            decimals = type.contains("DEC") || type.contains("NUMERIC") || type.contains("MONEY")
            json = type.contains("JSON") || table.isCheckedAsJSON(column.name)
            shapes = ColumnProfile.Shapes.declarations.contains(type)
        }
    }

    static func profile(
        _ table: Catalog.Table, _ connection: borrowing SQLite.Connection, rowsRead: (Int) -> Void
    ) throws -> TableProfile {
        var profile = TableProfile()
        let interests = table.columns.map { Interest($0, of: table) }
        profile.columns = interests.map { interest in
            var column = ColumnProfile()
            if interest.dates { column.dates = .init() }
            if interest.decimals { column.decimals = .init() }
            if interest.json { column.json = .init() }
            if interest.shapes { column.shapes = .init() }
            return column
        }
        let count = table.columns.count
        let query = SourceQuery(table)
        let isReadByKey = try query.isReadByKey(connection)
        let key = isReadByKey ? table.primaryKey.compactMap(table.position(of:)) : []
        var rows =
            isReadByKey
            ? SourceRows(try connection.prepare(query.byKey(after: false, through: false)))
            : try SourceRows.read(.all, of: table, columns: table.columns.map(\.name), connection)
        let hasRowid = table.rowidName != nil
        var bytesInChunk = 0
        var rowid: Int64 = 0
        var lastKey: [RowRecord.Value] = []
        while try rows.next() {
            // Of keys, the last piece has no end.
            if isReadByKey, bytesInChunk >= chunkBytes {
                profile.keyEnds.append(lastKey)
                bytesInChunk = 0
            }
            profile.rows += 1
            let before = profile.bytes
            for index in 0..<count {
                profile.bytes += note(rows.value(index), &profile.columns[index], interests[index])
            }
            let rowBytes = profile.bytes - before
            profile.maxRowBytes = max(profile.maxRowBytes, rowBytes)
            bytesInChunk += rowBytes + 24
            if isReadByKey, bytesInChunk >= chunkBytes { lastKey = key.map { rows.record($0) } }
            if hasRowid {
                rowid = rows.rowid(after: count)
                if bytesInChunk >= chunkBytes {
                    profile.chunkEnds.append(rowid)
                    bytesInChunk = 0
                }
            }
            if profile.rows & 0x3FFF == 0 { rowsRead(0x4000) }
        }
        rowsRead(profile.rows & 0x3FFF)
        if hasRowid, profile.rows > 0, profile.chunkEnds.last != rowid { profile.chunkEnds.append(rowid) }
        return profile
    }

    /// Adds one value to its column's profile; returns its size in bytes.
    @inline(__always)
    private static func note(
        _ cell: SourceValue, _ column: inout ColumnProfile, _ interest: Interest
    ) -> Int {
        switch cell.storage {
        case SQLITE_INTEGER:
            let value = cell.integer
            column.integers += 1
            if value < column.minInteger { column.minInteger = value }
            if value > column.maxInteger { column.maxInteger = value }
            if value == 0 || value == 1 { column.booleans += 1 }
            column.few.note(value)
            if interest.decimals { noteDecimal(DecimalDigits(value), &column) }
            return 8
        case SQLITE_FLOAT:
            let value = cell.real
            column.reals += 1
            if value.isInfinite {
                column.infinities += 1
            } else if value == 0, value.sign == .minus {
                column.negativeZeros += 1
            }
            if interest.decimals { noteDecimal(DecimalDigits(value), &column) }
            if interest.json, value.isInfinite { column.json?.invalid += 1 }
            return 8
        case SQLITE_TEXT:
            guard let text = cell.text else { return 0 }
            noteText(text, &column, interest)
            return text.count
        case SQLITE_BLOB:
            let count = cell.bytes.count
            column.blobs += 1
            if count > column.maxBytes { column.maxBytes = count }
            return count
        default:
            column.nulls += 1
            return 0
        }
    }

    @inline(__always)
    private static func noteText(
        _ text: UnsafeBufferPointer<UInt8>, _ column: inout ColumnProfile, _ interest: Interest
    ) {
        guard let start = text.baseAddress else { return }
        column.texts += 1
        if text.count > column.maxBytes { column.maxBytes = text.count }
        let scan = TextScan(start, count: text.count)
        if scan.characters > column.maxTextCharacters { column.maxTextCharacters = scan.characters }
        if scan.hasNUL || !scan.isValid { column.invalidTexts += 1 }
        if text.count <= 5, BooleanText.parse(text) != nil { column.booleans += 1 }
        column.few.note(text)
        column.forms.note(text)
        if interest.dates { noteDate(text, &column) }
        if interest.json { noteJSON(text, &column) }
        if interest.shapes { column.shapes?.note(text) }
    }

    private static func noteDecimal(_ digits: DecimalDigits, _ column: inout ColumnProfile) {
        guard var decimals = column.decimals else { return }
        decimals.maxScale = max(decimals.maxScale, digits.scale)
        decimals.maxIntegralDigits = max(decimals.maxIntegralDigits, digits.integralDigits)
        column.decimals = decimals
    }

    private static func noteDate(_ text: UnsafeBufferPointer<UInt8>, _ column: inout ColumnProfile) {
        guard var dates = column.dates else { return }
        column.dates = nil
        if let date = DateText.parse(text) {
            dates.forms[date.form.rawValue] += 1
            dates.noteLayout(text)
            dates.maxFractionDigits = max(dates.maxFractionDigits, date.fractionDigits)
            dates.minMicroseconds = min(dates.minMicroseconds, date.microseconds)
            dates.maxMicroseconds = max(dates.maxMicroseconds, date.microseconds)
        } else if let time = DateText.parseTime(text) {
            dates.timesOfDay += 1
            dates.maxFractionDigits = max(dates.maxFractionDigits, time.fractionDigits)
        } else {
            dates.others += 1
        }
        column.dates = dates
    }

    private static func noteJSON(_ text: UnsafeBufferPointer<UInt8>, _ column: inout ColumnProfile) {
        switch JSONText.check(text) {
        case .valid: break
        case .textOnly: column.json?.invalidForBinary += 1
        case .invalid: column.json?.invalid += 1
        }
    }
}

/// The texts that stand for a boolean: t, f, true and false in any case.
enum BooleanText {
    static func parse(_ text: UnsafeBufferPointer<UInt8>) -> Bool? {
        func equals(_ word: StaticString) -> Bool {
            guard word.utf8CodeUnitCount == text.count else { return false }
            for index in 0..<text.count where text[index] | 0x20 != word.utf8Start[index] { return false }
            return true
        }
        if equals("t") || equals("true") { return true }
        if equals("f") || equals("false") { return false }
        return nil
    }
}
