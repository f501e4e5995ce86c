import Foundation

/// The forms of a row's cells behind each other, each with its length before it, so that neighbours cannot run into each other.
///
/// The bytes are valid during the call that hands them out. See `Relation` for the forms.
struct RowForm {
    let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    @inline(__always)
    static func appendCounted(_ out: inout RawBuffer, _ append: (inout RawBuffer) -> Void) {
        out.ensure(4)
        let start = out.count
        out.append(Int32(0))
        append(&out)
        out.replace(at: start, with: Int32(truncatingIfNeeded: out.count - start - 4))
    }

    /// Calls `body` with the bytes of each cell.
    func forEachCell(_ body: (UnsafeRawBufferPointer) -> Void) {
        var offset = 0
        while offset + 4 <= bytes.count {
            let length = Int(Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
            body(UnsafeRawBufferPointer(rebasing: bytes[offset + 4..<offset + 4 + length]))
            offset += 4 + length
        }
    }
}

/// The cells of a row as a file keeps them until rows are paired: of a long one its beginning, its length and a hash.
///
/// Equal cells are equal forms, whether they are whole or not.
struct KeptCells {
    /// Bytes of a cell that are kept whole.
    static let mostBytes = 8192

    struct Cell: Equatable {
        var form: ArraySlice<UInt8>
        /// Whether `form` ends early, and the length and the hash follow it.
        var isCut: Bool

        /// The hash of the whole, where it is cut.
        var hash: Int64? { isCut ? form.suffix(8).reduce(Int64(0)) { $0 << 8 | Int64($1) } : nil }
    }

    let cells: [Cell]

    /// Writes the cells of a row.
    static func write(_ row: RowForm, _ hash: RowHash, to out: inout RawBuffer) {
        row.forEachCell { cell in
            let isCut = cell.count > mostBytes
            let kept = isCut ? mostBytes : cell.count
            out.ensure(kept + 40)
            out.append(Int32(truncatingIfNeeded: kept))
            out.append(UInt8(isCut ? 1 : 0))
            if kept > 0, let start = cell.baseAddress { out.append(from: start, count: kept) }
            guard isCut else { return }
            let digest = hash(cell)
            out.append(Int64(cell.count))
            out.append(digest.high)
            out.append(digest.low)
        }
    }

    init(_ bytes: [UInt8]) {
        var cells: [Cell] = []
        var offset = 0
        while offset + 5 <= bytes.count {
            let kept = Int(bytes[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
            let isCut = bytes[offset + 4] == 1
            let end = offset + 5 + kept + (isCut ? 24 : 0)
            cells.append(Cell(form: bytes[offset + 5..<end], isCut: isCut))
            offset = end
        }
        self.cells = cells
    }
}
