import Foundation

/// Which rows of a table with rowids differ between two states of a file, found by those pages that differ.
///
/// A leaf that both trees share under one number, with the same bytes, holds the same rows; the others are walked side by side in the
/// order of their rowids. The rest of a long row lies in pages of its own, which may change under a leaf that does not.
struct RowChanges {
    enum Kind: Int64 {
        case deleted = 0
        case updated = 1
        case inserted = 2
    }

    let older: TreePages
    let newer: TreePages
    /// nil where the two cannot be told apart by their pages: then all are walked.
    let changed: PageSet?
    let cancellation: Cancellation

    /// Calls `body` with every row that is not the same; of no order.
    func find(
        olderRoot: UInt32, newerRoot: UInt32, _ body: (_ rowid: Int64, Kind) throws -> Void
    ) throws {
        let ours = try older.leaves(root: olderRoot)
        let theirs = try newer.leaves(root: newerRoot)
        let shared = shared(ours, theirs)
        for leaf in ours where shared.contains(leaf) { try findInRests(leaf, body) }
        var one = try Walk(older, ours.filter { !shared.contains($0) })
        var other = try Walk(newer, theirs.filter { !shared.contains($0) })
        while one.row != nil || other.row != nil {
            switch (one.row, other.row) {
            case (let old?, let new?) where old.rowid == new.rowid:
                if try !isSame(old, new) { try body(old.rowid, .updated) }
                try one.advance()
                try other.advance()
            case (let old?, let new?) where old.rowid < new.rowid:
                try body(old.rowid, .deleted)
                try one.advance()
            case (let old?, nil):
                try body(old.rowid, .deleted)
                try one.advance()
            case (_, let new?):
                try body(new.rowid, .inserted)
                try other.advance()
            default: return
            }
        }
    }

    private func shared(_ ours: [UInt32], _ theirs: [UInt32]) -> PageSet {
        let last = Int(max(ours.max() ?? 0, theirs.max() ?? 0))
        var shared = PageSet(count: last)
        guard let changed else { return shared }
        var known = PageSet(count: last)
        for leaf in ours where !changed.contains(leaf) { known.insert(leaf) }
        for leaf in theirs where known.contains(leaf) { shared.insert(leaf) }
        return shared
    }

    /// Rows of a shared leaf of which a page of the rest has changed.
    private func findInRests(_ leaf: UInt32, _ body: (Int64, Kind) throws -> Void) throws {
        guard let changed else { return }
        try cancellation.check()
        for cell in 0..<(try older.cellCount(leaf)) {
            guard let row = try older.payload(leaf, cell), row.next != 0 else { continue }
            var next = row.next
            var left = row.count - row.local.count
            while left > 0 {
                if changed.contains(next) {
                    guard let new = try newer.payload(leaf, cell) else { break }
                    if try !isSame(row, new) { try body(row.rowid, .updated) }
                    break
                }
                next = try older.following(next)
                left -= older.usable - 4
            }
        }
    }

    private func isSame(_ old: TreePages.Payload, _ new: TreePages.Payload) throws -> Bool {
        guard old.count == new.count else { return false }
        guard old.local.count == new.local.count else {
            // Pages of another size hold other parts of the same.
            return try older.bytes(of: old) == newer.bytes(of: new)
        }
        guard let ours = old.local.baseAddress, let theirs = new.local.baseAddress,
            memcmp(ours, theirs, old.local.count) == 0
        else { return false }
        guard older.usable == newer.usable else { return try older.bytes(of: old) == newer.bytes(of: new) }
        var (one, other, left) = (old.next, new.next, old.count - old.local.count)
        while left > 0 {
            let part = min(left, older.usable - 4)
            guard memcmp(try older.page(one) + 4, try newer.page(other) + 4, part) == 0 else { return false }
            (one, other, left) = (try older.following(one), try newer.following(other), left - part)
        }
        return true
    }

    /// Rows of several leaves, one after the other.
    private struct Walk {
        private let pages: TreePages
        private let leaves: [UInt32]
        private var leaf = 0
        private var cell = 0
        private var cells = 0
        private(set) var row: TreePages.Payload?

        init(_ pages: TreePages, _ leaves: [UInt32]) throws {
            self.pages = pages
            self.leaves = leaves
            if let first = leaves.first { cells = try pages.cellCount(first) }
            try read()
        }

        mutating func advance() throws {
            cell += 1
            let before = row?.rowid
            try read()
            // Pages that refer to each other in a circle would be walked for ever.
            if let before, let row, row.rowid <= before { throw TreePages.Corrupt(page: leaves[leaf]) }
        }

        private mutating func read() throws {
            while leaf < leaves.count {
                if cell < cells {
                    row = try pages.payload(leaves[leaf], cell)
                    return
                }
                leaf += 1
                cell = 0
                if leaf < leaves.count { cells = try pages.cellCount(leaves[leaf]) }
            }
            row = nil
        }
    }
}

extension TreePages {
    /// A content in one piece.
    func bytes(of content: Payload) throws(Corrupt) -> [UInt8] {
        var bytes = Array(content.local)
        var next = content.next
        while bytes.count < content.count {
            let part = min(content.count - bytes.count, usable - 4)
            bytes += UnsafeRawBufferPointer(start: try page(next) + 4, count: part)
            next = try following(next)
        }
        return bytes
    }
}
