import SQLite

/// A part of a source table: all of it, a range of rowids, or a range of the key of a table without rowids.
///
/// The pieces of a table meet without gap or overlap, whatever their bounds are.
enum TablePiece: Sendable, Equatable {
    case all
    case rowids(ClosedRange<Int64>)
    case keys(KeyRange)

    /// Keys after one and up to another, both in the order of the primary key; nil is open.
    struct KeyRange: Sendable, Equatable, Codable {
        var after: [RowRecord.Value]?
        var through: [RowRecord.Value]?
    }
}

extension TableProfile {
    var hasLargeRows: Bool { maxRowBytes >= MemoryBudget.largeRow }

    /// The table's pieces, in order; what lies before the first row and after the last belongs to them.
    var pieces: [TablePiece] {
        if !keyEnds.isEmpty {
            let bounds = [nil] + keyEnds.map(Optional.some) + [nil]
            return zip(bounds, bounds.dropFirst()).map { .keys(.init(after: $0, through: $1)) }
        }
        guard !chunkEnds.isEmpty else { return [.all] }
        var first = Int64.min
        var pieces = chunkEnds.dropLast().map { end in
            defer { first = end + 1 }
            return TablePiece.rowids(first...end)
        }
        pieces.append(.rowids(first...Int64.max))
        return pieces
    }
}
