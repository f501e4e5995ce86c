import CSQLite
import Crypto

/// SHA-256 of a table's lines, and of each of its binary columns' lines; memory does not grow with the rows.
struct DigestHash {
    private var table = SHA256()
    private var columns: [(position: Int, hash: SHA256)]
    private(set) var rows = 0

    private static let bar = UInt8(ascii: "|")
    private static let newline = UInt8(ascii: "\n")
    private static let null = [UInt8(ascii: "-")]

    /// `binary` are positions of columns.
    init(binary: [Int]) {
        columns = binary.map { ($0, SHA256()) }
    }

    struct Digests {
        let table: String
        let columns: [String]
        let rows: Int
    }

    func finish() -> Digests {
        Digests(
            table: table.finalize().hexadecimal, columns: columns.map { $0.hash.finalize().hexadecimal },
            rows: rows)
    }

    /// Adds the row on which a statement stands, as the `sqlite3` program prints it.
    mutating func add(_ statement: OpaquePointer, columnCount: Int) {
        var next = columns.startIndex
        for column in 0..<columnCount {
            let index = Int32(truncatingIfNeeded: column)
            if column > 0 { Self.add(Self.bar, to: &table) }
            let isBinary = next < columns.endIndex && columns[next].position == column
            if let start = sqlite3_column_text(statement, index) {
                let bytes = UnsafeRawBufferPointer(
                    start: start, count: Int(sqlite3_column_bytes(statement, index)))
                table.update(bufferPointer: bytes)
                if isBinary { columns[next].hash.update(bufferPointer: bytes) }
            } else {
                table.update(data: Self.null)
                if isBinary { columns[next].hash.update(data: Self.null) }
            }
            if isBinary {
                Self.add(Self.newline, to: &columns[next].hash)
                next += 1
            }
        }
        Self.add(Self.newline, to: &table)
        rows += 1
    }

    /// Adds one line of `COPY … TO STDOUT`, with its end.
    mutating func add(line: UnsafeRawBufferPointer) {
        table.update(bufferPointer: line)
        rows += 1
        guard !columns.isEmpty else { return }
        var start = line.startIndex
        var position = 0
        var next = columns.startIndex
        while next < columns.endIndex, start < line.endIndex {
            let end = line[start...].firstIndex { $0 == Self.bar || $0 == Self.newline } ?? line.endIndex
            if columns[next].position == position {
                columns[next].hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: line[start..<end]))
                Self.add(Self.newline, to: &columns[next].hash)
                next += 1
            }
            position += 1
            start = end + 1
        }
    }

    private static func add(_ byte: UInt8, to hash: inout SHA256) {
        withUnsafeBytes(of: byte) { hash.update(bufferPointer: $0) }
    }
}
