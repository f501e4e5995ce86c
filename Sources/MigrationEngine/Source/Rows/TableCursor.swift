import Foundation

/// Walks the rows of a table's b-tree in the order of their rowids, and finds the values of each where they lie.
///
/// https://sqlite.org/fileformat2.html#b_tree_pages. SQLite copies every value of a row into its own memory, and runs a
/// program for each row; here a value is read from its page. Every offset is checked against its page, so that a damaged file
/// is an error. The proof reads through SQLite: a mistake made here would be a difference there. Used by one thread.
struct TableCursor: ~Copyable {
    /// Pages from the root to a leaf; SQLite goes no deeper.
    private static let deepest = 20

    /// Where one column's values are.
    struct Field: Sendable {
        /// The place in a record; nil is the rowid itself.
        let place: Int?
        /// Whether integers stand for reals, as SQLite stores them in columns of this affinity.
        let isReal: Bool
    }

    /// An interior page on the way to the leaf.
    private struct Level {
        let memory: UnsafeMutableRawPointer
        var number: UInt32 = 0
        var cells = 0
        /// The child that is walked: as many as cells is the rightmost.
        var child = 0
    }

    private var file: PageFile
    private let root: UInt32
    private let rowids: ClosedRange<Int64>
    private let fields: UnsafeMutablePointer<Field>
    private let fieldCount: Int
    /// Fields of a record that are looked at, with the type and the offset of each.
    private let places: Int
    private let types: UnsafeMutablePointer<Int>
    private let offsets: UnsafeMutablePointer<Int>

    private var levels: [Level] = []
    private var depth = 0
    private var leaf: UnsafeRawPointer?
    private var leafNumber: UInt32 = 0
    private var cell = 0
    private var cellCount = 0
    private var spill = SpillMemory()
    private var payload: UnsafeRawPointer?

    private var hasRow = false
    private(set) var rowid: Int64 = 0
    /// Whether the record has every field that is asked for, in a form known here; otherwise SQLite must read the row.
    private(set) var isWhole = false

    init(_ file: consuming PageFile, root: UInt32, rowids: ClosedRange<Int64>, fields all: [Field]) {
        self.file = file
        self.root = root
        self.rowids = rowids
        fieldCount = all.count
        fields = .allocate(capacity: max(1, all.count))
        fields.initialize(from: all, count: all.count)
        places = (all.compactMap(\.place).max() ?? -1) + 1
        types = .allocate(capacity: max(1, places))
        types.initialize(repeating: 0, count: places)
        offsets = .allocate(capacity: max(1, places))
        offsets.initialize(repeating: 0, count: places)
    }

    deinit {
        for level in levels { level.memory.deallocate() }
        fields.deallocate()
        types.deallocate()
        offsets.deallocate()
    }

    /// Goes to the next row; false after the last one.
    mutating func next() throws(PageFile.Failure) -> Bool {
        if leaf == nil {
            try descend(root, to: rowids.lowerBound)
        } else {
            cell += 1
        }
        while cell >= cellCount {
            guard try nextLeaf() else { return false }
        }
        try readCell()
        return rowid <= rowids.upperBound
    }

    /// The value of a field of the row.
    @inline(__always)
    borrowing func value(_ index: Int) -> SourceValue {
        guard let place = fields[index].place else { return SourceValue(integer: rowid) }
        guard let payload else { return .null }
        let start = payload + offsets[place]
        let type = types[place]
        switch type {
        case 0: return .null
        case 1: return number(Int64(start.loadUnaligned(as: Int8.self)), index)
        case 2: return number(Int64(Int16(bigEndian: start.loadUnaligned(as: Int16.self))), index)
        case 3:
            let high = Int64(start.loadUnaligned(as: Int8.self)) << 16
            return number(high | Int64(UInt16(bigEndian: (start + 1).loadUnaligned(as: UInt16.self))), index)
        case 4: return number(Int64(Int32(bigEndian: start.loadUnaligned(as: Int32.self))), index)
        case 5:
            let high = Int64(Int16(bigEndian: start.loadUnaligned(as: Int16.self))) << 32
            return number(high | Int64(UInt32(bigEndian: (start + 2).loadUnaligned(as: UInt32.self))), index)
        case 6: return number(Int64(bigEndian: start.loadUnaligned(as: Int64.self)), index)
        case 7:
            return SourceValue(
                real: Double(bitPattern: UInt64(bigEndian: start.loadUnaligned(as: UInt64.self))))
        case 8: return number(0, index)
        case 9: return number(1, index)
        default:
            let count = (type - 12) >> 1
            return type & 1 == 1
                ? SourceValue(text: start, count: count) : SourceValue(blob: start, count: count)
        }
    }

    @inline(__always)
    private borrowing func number(_ value: Int64, _ index: Int) -> SourceValue {
        fields[index].isReal ? SourceValue(real: Double(value)) : SourceValue(integer: value)
    }

    // MARK: From page to page

    /// Goes down to the first row of a subtree whose rowid is at least `first`.
    private mutating func descend(_ page: UInt32, to first: Int64) throws(PageFile.Failure) {
        var number = page
        while true {
            let start = try file.walked(number)
            let header = number == 1 ? 100 : 0
            let count = Int(UInt16(bigEndian: (start + header + 3).loadUnaligned(as: UInt16.self)))
            switch (start + header).load(as: UInt8.self) {
            case 0x0D:
                guard header + 8 + 2 * count <= file.usable else { throw .corrupt(page: number) }
                (leaf, leafNumber, cell, cellCount) = (start, number, 0, count)
                while cell < count, try rowid(ofCell: cell) < first { cell += 1 }
                return
            case 0x05:
                guard header + 12 + 2 * count <= file.usable, depth < Self.deepest else {
                    throw .corrupt(page: number)
                }
                push(start, number, count)
                number = try child(atLeast: first)
            default: throw .corrupt(page: number)
            }
        }
    }

    private mutating func push(_ page: UnsafeRawPointer, _ number: UInt32, _ cells: Int) {
        if depth == levels.count {
            levels.append(Level(memory: .allocate(byteCount: file.pageSize, alignment: 16)))
        }
        levels[depth].memory.copyMemory(from: page, byteCount: file.pageSize)
        levels[depth].number = number
        levels[depth].cells = cells
        depth += 1
    }

    /// The first child of the deepest interior page that may hold such a rowid.
    private mutating func child(atLeast first: Int64) throws(PageFile.Failure) -> UInt32 {
        let level = levels[depth - 1]
        var (low, high) = (0, level.cells)
        while low < high {
            let middle = (low + high) / 2
            if try key(level, middle) < first { low = middle + 1 } else { high = middle }
        }
        levels[depth - 1].child = low
        return try childPage(levels[depth - 1])
    }

    private mutating func nextLeaf() throws(PageFile.Failure) -> Bool {
        while depth > 0 {
            levels[depth - 1].child += 1
            let level = levels[depth - 1]
            if level.child <= level.cells {
                try descend(try childPage(level), to: .min)
                if cellCount > 0 { return true }
                continue
            }
            depth -= 1
        }
        (cell, cellCount) = (0, 0)
        return false
    }

    private func childPage(_ level: Level) throws(PageFile.Failure) -> UInt32 {
        let header = level.number == 1 ? 100 : 0
        let place = level.child == level.cells ? header + 8 : try offset(ofCell: level.child, level)
        return UInt32(bigEndian: (level.memory + place).loadUnaligned(as: UInt32.self))
    }

    private func key(_ level: Level, _ cell: Int) throws(PageFile.Failure) -> Int64 {
        let place = try offset(ofCell: cell, level)
        guard let (value, _) = Varint.read(UnsafeRawPointer(level.memory), at: place + 4, end: file.usable)
        else {
            throw .corrupt(page: level.number)
        }
        return value
    }

    private func offset(ofCell cell: Int, _ level: Level) throws(PageFile.Failure) -> Int {
        let header = level.number == 1 ? 100 : 0
        let pointer = level.memory + header + 12 + 2 * cell
        let place = Int(UInt16(bigEndian: pointer.loadUnaligned(as: UInt16.self)))
        guard place + 4 < file.usable else { throw .corrupt(page: level.number) }
        return place
    }

    // MARK: A row

    private func offset(ofCell cell: Int) throws(PageFile.Failure) -> (UnsafeRawPointer, Int) {
        guard let leaf else { throw .corrupt(page: leafNumber) }
        let pointer = leaf + (leafNumber == 1 ? 100 : 0) + 8 + 2 * cell
        return (leaf, Int(UInt16(bigEndian: pointer.loadUnaligned(as: UInt16.self))))
    }

    private func rowid(ofCell cell: Int) throws(PageFile.Failure) -> Int64 {
        let (leaf, place) = try offset(ofCell: cell)
        guard let (_, after) = Varint.read(leaf, at: place, end: file.usable),
            let (rowid, _) = Varint.read(leaf, at: after, end: file.usable)
        else { throw .corrupt(page: leafNumber) }
        return rowid
    }

    private mutating func readCell() throws(PageFile.Failure) {
        let (leaf, place) = try offset(ofCell: cell)
        let usable = file.usable
        guard let (size, afterSize) = Varint.read(leaf, at: place, end: usable),
            let (key, start) = Varint.read(leaf, at: afterSize, end: usable), size >= 0
        else { throw .corrupt(page: leafNumber) }
        // Pages that refer to each other in a circle would be walked for ever.
        guard !hasRow || key > rowid, size <= file.bytes else { throw .corrupt(page: leafNumber) }
        (rowid, hasRow) = (key, true)
        let count = Int(size)
        if count <= usable - 35 {
            guard start + count <= usable else { throw .corrupt(page: leafNumber) }
            payload = leaf + start
        } else {
            payload = try gather(leaf, start, count)
        }
        try readRecord(count)
    }

    /// A payload that goes on in pages of its own, put together (https://sqlite.org/fileformat2.html#ovflpgs).
    private mutating func gather(
        _ leaf: UnsafeRawPointer, _ start: Int, _ count: Int
    ) throws(PageFile.Failure) -> UnsafeRawPointer {
        let usable = file.usable
        let least = (usable - 12) * 32 / 255 - 23
        let most = least + (count - least) % (usable - 4)
        let local = most <= usable - 35 ? most : least
        guard start + local + 4 <= usable else { throw .corrupt(page: leafNumber) }
        var next = UInt32(bigEndian: (leaf + start + local).loadUnaligned(as: UInt32.self))
        // What is not there is not asked for: a damaged length would ask for any amount of memory.
        var memory = spill.begin(leaf + start, count: local)
        var filled = local
        while filled < count {
            guard next != 0 else { throw .corrupt(page: leafNumber) }
            let page = try file.aside(next)
            let part = min(count - filled, usable - 4)
            memory = spill.append(page + 4, count: part, of: count)
            filled += part
            next = UInt32(bigEndian: page.loadUnaligned(as: UInt32.self))
        }
        return memory
    }

    /// Finds the fields of the record (https://sqlite.org/fileformat2.html#record_format).
    private mutating func readRecord(_ count: Int) throws(PageFile.Failure) {
        guard let payload, let (size, first) = Varint.read(payload, at: 0, end: count), size <= Int64(count),
            size >= Int64(first)
        else { throw .corrupt(page: leafNumber) }
        let end = Int(size)
        var place = first
        var offset = end
        isWhole = true
        for index in 0..<places {
            guard place < end else {
                // Columns that were added later are not in the record.
                isWhole = false
                return
            }
            var type = Int((payload + place).load(as: UInt8.self))
            if type < 0x80 {
                place += 1
            } else {
                guard let (long, after) = Varint.read(payload, at: place, end: end), long >= 0 else {
                    throw .corrupt(page: leafNumber)
                }
                (type, place) = (Int(long), after)
            }
            types[index] = type
            offsets[index] = offset
            switch type {
            case 0...4: offset += type
            case 5: offset += 6
            case 6, 7: offset += 8
            case 8, 9: break
            case 10, 11: throw .corrupt(page: leafNumber)
            default: offset += (type - 12) >> 1
            }
            guard offset <= count else { throw .corrupt(page: leafNumber) }
        }
    }
}

/// Integers of one to nine bytes (https://sqlite.org/fileformat2.html#varint).
enum Varint {
    /// The value and the place after it; nil where it does not end before `end`.
    @inline(__always)
    static func read(_ start: UnsafeRawPointer, at place: Int, end: Int) -> (value: Int64, after: Int)? {
        guard place < end else { return nil }
        let first = (start + place).load(as: UInt8.self)
        if first < 0x80 { return (Int64(first), place + 1) }
        return readLong(start, at: place, end: end)
    }

    private static func readLong(_ start: UnsafeRawPointer, at place: Int, end: Int) -> (Int64, Int)? {
        var value: UInt64 = 0
        for index in 0..<9 {
            guard place + index < end else { return nil }
            let byte = (start + place + index).load(as: UInt8.self)
            if index == 8 { return (Int64(bitPattern: value << 8 | UInt64(byte)), place + 9) }
            value = value << 7 | UInt64(byte & 0x7F)
            if byte < 0x80 { return (Int64(bitPattern: value), place + index + 1) }
        }
        return nil
    }
}

/// Memory for one payload at a time, which grows with what is really there.
struct SpillMemory: ~Copyable {
    private static let kept = 1 << 20

    private var memory: UnsafeMutableRawPointer
    private var capacity = 1 << 16
    private var count = 0

    init() {
        memory = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        memory.deallocate()
    }

    /// Forgets the last payload, with the memory that a large one asked for.
    mutating func begin(_ start: UnsafeRawPointer, count first: Int) -> UnsafeRawPointer {
        if capacity > Self.kept {
            memory.deallocate()
            capacity = 1 << 16
            memory = .allocate(byteCount: capacity, alignment: 16)
        }
        count = 0
        return append(start, count: first, of: first)
    }

    /// `total` is the most that is to come: memory is never more than that, nor twice what is there.
    mutating func append(_ start: UnsafeRawPointer, count more: Int, of total: Int) -> UnsafeRawPointer {
        if count + more > capacity {
            let larger = max(count + more, min(capacity * 2, total))
            let fresh = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
            fresh.copyMemory(from: memory, byteCount: count)
            memory.deallocate()
            memory = fresh
            capacity = larger
        }
        (memory + count).copyMemory(from: start, byteCount: more)
        count += more
        return UnsafeRawPointer(memory)
    }
}
