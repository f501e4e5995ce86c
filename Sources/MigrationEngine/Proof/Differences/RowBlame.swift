import SQLite

/// Whose a row is that differs now, by what the first proof says of it.
enum RowBlame: Equatable {
    /// It was wrong then, and nobody has written to it since.
    case neverRight
    /// It was wrong then, some of that is left, and other cells of it have been written since.
    case mixed
    /// It was right then, or all that was wrong has been written again.
    case written

    /// Of a row as `DifferenceLog.told` gives it.
    init(_ row: borrowing SQLite.Statement) {
        switch (
            row.optionalText(3).flatMap(RowDifference.Kind.init), RowDifference.Kind(rawValue: row.text(0))
        ) {
        case (.missing?, .missing?): self = .neverRight
        case (.extra?, .extra?):
            self =
                row.optionalInt64(9) != nil && row.optionalInt64(9) == row.optionalInt64(10)
                ? .neverRight : .written
        case (.changed?, .changed?):
            let then = Self.cells(row, 4)
            let now = Self.cells(row, 1)
            let left = now.count { then[$0.key] == $0.value }
            self = left == 0 ? .written : left == now.count ? .neverRight : .mixed
        // A row that was wrong and is gone was deleted; one that was missing and is there was written.
        default: self = .written
        }
    }

    /// The hashes of the cells that differ, by column.
    private static func cells(
        _ row: borrowing SQLite.Statement, _ first: Int32
    ) -> [String: ArraySlice<UInt8>] {
        let hashes = row.bytes(first + 1)
        let pairs = DifferenceLog.list(row.text(first)).enumerated().map {
            ($1, hashes.dropFirst($0 * 8).prefix(8))
        }
        return Dictionary(pairs) { first, _ in first }
    }
}
