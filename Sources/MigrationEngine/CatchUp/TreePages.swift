import Foundation

/// The b-tree pages of a SQLite file that nobody writes, seen through memory that maps it
/// (https://sqlite.org/fileformat2.html#b_tree_pages). Every offset is checked, so that a damaged file is an error. Used by one thread.
final class TreePages {
    struct Corrupt: Error {
        let page: UInt32
    }

    /// Pages from the root to a leaf; SQLite goes no deeper.
    private static let deepest = 20

    private let memory: UnsafeMutableRawPointer
    private let length: Int
    let pageSize: Int
    let usable: Int

    init(_ path: String) throws {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw FileSystemError("reading", path) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_size >= 512,
            let mapped = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, file, 0), mapped != MAP_FAILED
        else { throw FileSystemError("reading", path) }
        memory = mapped
        length = Int(status.st_size)
        let size =
            Int(mapped.load(fromByteOffset: 16, as: UInt8.self)) << 8
            | Int(mapped.load(fromByteOffset: 17, as: UInt8.self))
        pageSize = size == 1 ? 65536 : size
        usable = pageSize - Int(mapped.load(fromByteOffset: 20, as: UInt8.self))
        guard pageSize >= 512, usable >= 480 else {
            munmap(mapped, Int(status.st_size))
            throw Corrupt(page: 1)
        }
    }

    deinit {
        munmap(memory, length)
    }

    func page(_ number: UInt32) throws(Corrupt) -> UnsafeRawPointer {
        guard number > 0, Int(number) * pageSize <= length else { throw Corrupt(page: number) }
        return UnsafeRawPointer(memory + (Int(number) - 1) * pageSize)
    }

    // MARK: Trees

    /// The leaves of a table's tree, in the order of their rowids.
    func leaves(root: UInt32) throws -> [UInt32] {
        var leaves: [UInt32] = []
        try visit(root, depth: 0, kinds: (0x0D, 0x05)) { number, isLeaf in if isLeaf { leaves.append(number) }
        }
        return leaves
    }

    /// Whether a tree of either kind has a page of a set; pages that hold the rest of long keys and rows too.
    func hasPage(of set: PageSet, root: UInt32) throws -> Bool {
        var isFound = set.contains(root)
        let isTable = try kind(root) == 0x0D || kind(root) == 0x05
        try visit(root, depth: 0, kinds: isTable ? (0x0D, 0x05) : (0x0A, 0x02)) {
            number, isLeaf in
            guard !isFound else { return }
            if set.contains(number) {
                isFound = true
                return
            }
            for cell in 0..<(try cellCount(number)) where !isFound {
                guard !(isTable && !isLeaf), let content = try payload(number, cell) else { continue }
                var next = content.next
                while next != 0, !isFound {
                    if set.contains(next) { isFound = true } else { next = try following(next) }
                }
            }
        }
        return isFound
    }

    private func kind(_ number: UInt32) throws(Corrupt) -> UInt8 {
        try page(number).load(fromByteOffset: number == 1 ? 100 : 0, as: UInt8.self)
    }

    private func visit(
        _ number: UInt32, depth: Int, kinds: (leaf: UInt8, interior: UInt8),
        _ body: (_ page: UInt32, _ isLeaf: Bool) throws -> Void
    ) throws {
        let kind = try kind(number)
        guard depth < Self.deepest, kind == kinds.leaf || kind == kinds.interior else {
            throw Corrupt(page: number)
        }
        try body(number, kind == kinds.leaf)
        guard kind == kinds.interior else { return }
        let start = try page(number)
        let header = number == 1 ? 100 : 0
        for cell in 0..<(try cellCount(number)) {
            let place = try offset(number, cell, headerBytes: 12)
            try visit(
                UInt32(bigEndian: (start + place).loadUnaligned(as: UInt32.self)), depth: depth + 1,
                kinds: kinds,
                body)
        }
        try visit(
            UInt32(bigEndian: (start + header + 8).loadUnaligned(as: UInt32.self)), depth: depth + 1,
            kinds: kinds, body)
    }

    // MARK: Cells

    func cellCount(_ number: UInt32) throws(Corrupt) -> Int {
        let header = number == 1 ? 100 : 0
        let count = Int(UInt16(bigEndian: (try page(number) + header + 3).loadUnaligned(as: UInt16.self)))
        guard header + 12 + 2 * count <= usable + 4 else { throw Corrupt(page: number) }
        return count
    }

    private func offset(_ number: UInt32, _ cell: Int, headerBytes: Int) throws(Corrupt) -> Int {
        let pointer = try page(number) + (number == 1 ? 100 : 0) + headerBytes + 2 * cell
        let place = Int(UInt16(bigEndian: pointer.loadUnaligned(as: UInt16.self)))
        guard place + 4 <= usable else { throw Corrupt(page: number) }
        return place
    }

    /// A cell's content: what its page holds of it, and the page on which the rest begins.
    struct Payload {
        let rowid: Int64
        /// Bytes in all.
        let count: Int
        let local: UnsafeRawBufferPointer
        /// 0 where all of it is local.
        let next: UInt32
    }

    /// The content of a cell; nil in interior pages of tables, which hold none.
    func payload(_ number: UInt32, _ cell: Int) throws(Corrupt) -> Payload? {
        let start = try page(number)
        let kind = try kind(number)
        guard kind != 0x05 else { return nil }
        var place = try offset(number, cell, headerBytes: kind == 0x02 ? 12 : 8)
        if kind == 0x02 { place += 4 }
        guard let (size, afterSize) = Varint.read(start, at: place, end: usable), size >= 0,
            size <= Int64(Int32.max)
        else { throw Corrupt(page: number) }
        var rowid: Int64 = 0
        var first = afterSize
        if kind == 0x0D {
            guard let (key, after) = Varint.read(start, at: afterSize, end: usable) else {
                throw Corrupt(page: number)
            }
            (rowid, first) = (key, after)
        }
        let count = Int(size)
        // https://sqlite.org/fileformat2.html#cell_payload_overflow_pages
        let most = kind == 0x0D ? usable - 35 : (usable - 12) * 64 / 255 - 23
        let least = (usable - 12) * 32 / 255 - 23
        var local = count
        if count > most {
            let rest = least + (count - least) % (usable - 4)
            local = rest <= most ? rest : least
        }
        guard first + local + (local < count ? 4 : 0) <= usable else { throw Corrupt(page: number) }
        return Payload(
            rowid: rowid, count: count, local: UnsafeRawBufferPointer(start: start + first, count: local),
            next: local < count
                ? UInt32(bigEndian: (start + first + local).loadUnaligned(as: UInt32.self)) : 0)
    }

    /// The page after one that holds the rest of a content; 0 after the last.
    func following(_ number: UInt32) throws(Corrupt) -> UInt32 {
        UInt32(bigEndian: try page(number).loadUnaligned(as: UInt32.self))
    }
}
