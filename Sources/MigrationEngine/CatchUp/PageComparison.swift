import Foundation

/// Which pages of a database differ from those of an earlier copy, found by reading both from end to end.
///
/// Pages keep their numbers in a copy that SQLite's backup makes, so that equal bytes are equal content. In the first page some
/// bytes tell of the file and not of what is in it: versions of reading and writing, counters of changes, SQLite's own version
/// (https://sqlite.org/fileformat2.html#the_database_header).
struct PageComparison {
    enum Obstacle: Error {
        /// The file has pages of another size: it was rebuilt.
        case pageSize
        case unreadable
    }

    private static let chunkBytes = 1 << 20
    private static let own = [18..<20, 24..<28, 92..<100]

    let pageSize: Int
    /// Pages that differ, or that only the newer one has.
    private(set) var changed: PageSet
    /// Pages of the newer one.
    let pageCount: Int

    /// Compares two files that nobody writes.
    static func between(_ older: String, _ newer: String, _ cancellation: Cancellation) throws
        -> PageComparison
    {
        let one = open(older, O_RDONLY | O_CLOEXEC)
        guard one >= 0 else { throw FileSystemError("reading", older) }
        defer { close(one) }
        let other = open(newer, O_RDONLY | O_CLOEXEC)
        guard other >= 0 else { throw FileSystemError("reading", newer) }
        defer { close(other) }
        return try PageComparison(older: one, newer: other, log: nil, cancellation) { _, _ in }
    }

    /// Compares a file that nobody writes with a held database.
    static func between(
        _ older: String, _ hold: SourceHold, _ cancellation: Cancellation
    ) throws -> PageComparison {
        let file = open(older, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw FileSystemError("reading", older) }
        defer { close(file) }
        return try PageComparison(older: file, newer: hold.descriptor, log: hold.log, cancellation) { _, _ in
        }
    }

    /// Makes a copy of an earlier state of a held database what the database is now; only pages that differ are written.
    static func bring(
        _ copy: String, to hold: SourceHold, _ cancellation: Cancellation
    ) throws -> PageComparison {
        let file = open(copy, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { throw FileSystemError("writing", copy) }
        defer { close(file) }
        let comparison = try PageComparison(older: file, newer: hold.descriptor, log: hold.log, cancellation)
        {
            page, bytes in
            var written = 0
            while written < bytes.count {
                let count = pwrite(
                    file, bytes.baseAddress.map { $0 + written }, bytes.count - written,
                    off_t(page - 1) * off_t(bytes.count) + off_t(written))
                guard count > 0 || errno == EINTR else { throw FileSystemError("writing", copy) }
                written += max(0, count)
            }
        }
        guard ftruncate(file, off_t(comparison.pageCount) * off_t(comparison.pageSize)) == 0, fsync(file) == 0
        else {
            throw FileSystemError("writing", copy)
        }
        return comparison
    }

    private init(
        older: Int32, newer: Int32, log: WriteAheadLog?, _ cancellation: Cancellation,
        differing: (_ page: UInt32, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let (one, other) = (try Header(older), try Header(newer, log: log))
        guard one.pageSize == other.pageSize, log.map({ $0.pageSize == one.pageSize }) ?? true else {
            throw Obstacle.pageSize
        }
        pageSize = one.pageSize
        pageCount = other.pageCount
        changed = PageSet(count: max(one.pageCount, other.pageCount))
        let pages = max(1, Self.chunkBytes / pageSize)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * pages * pageSize, alignment: 16)
        defer { memory.deallocate() }
        guard let ours = memory.baseAddress else { return }
        let theirs = ours + pages * pageSize
        var first = 0
        while first < other.pageCount {
            try cancellation.check()
            let count = min(pages, other.pageCount - first)
            try Self.read(newer, log, first: first, count: count, pageSize, into: theirs)
            let known = max(0, min(count, one.pageCount - first))
            guard readWhole(older, ours, known * pageSize, at: Int64(first) * Int64(pageSize)) else {
                throw Obstacle.unreadable
            }
            if first == 0, known > 0 { Self.setOwnBytes(ours, theirs) }
            if known == count, memcmp(ours, theirs, count * pageSize) == 0 {
                first += count
                continue
            }
            for index in 0..<count {
                let page = theirs + index * pageSize
                if index < known, memcmp(ours + index * pageSize, page, pageSize) == 0 { continue }
                let number = UInt32(first + index + 1)
                changed.insert(number)
                try differing(number, UnsafeRawBufferPointer(start: page, count: pageSize))
            }
            first += count
        }
        // Pages that are gone differ too.
        if one.pageCount > other.pageCount {
            changed.insert(UInt32(other.pageCount + 1)...UInt32(one.pageCount))
        }
    }

    /// The newer first page with the bytes of the older one that tell of the file.
    private static func setOwnBytes(_ ours: UnsafeMutableRawPointer, _ theirs: UnsafeMutableRawPointer) {
        for range in own { memcpy(theirs + range.lowerBound, ours + range.lowerBound, range.count) }
    }

    /// Reads pages from the file, and over them those that the log holds.
    private static func read(
        _ file: Int32, _ log: WriteAheadLog?, first: Int, count: Int, _ pageSize: Int,
        into memory: UnsafeMutableRawPointer
    ) throws {
        let numbers = (0..<count).map { UInt32(first + $0 + 1) }
        let logged = log.map { log in numbers.filter { log.offsets[$0] != nil } } ?? []
        if logged.count < count,
            !readWhole(file, memory, count * pageSize, at: Int64(first) * Int64(pageSize))
        {
            // The file ends before pages that are in the log only.
            for (index, number) in numbers.enumerated() where log?.offsets[number] == nil {
                guard
                    readWhole(
                        file, memory + index * pageSize, pageSize, at: Int64(first + index) * Int64(pageSize))
                else { throw Obstacle.unreadable }
            }
        }
        for number in logged {
            guard log?.read(number, into: memory + (Int(number) - first - 1) * pageSize) ?? false else {
                throw Obstacle.unreadable
            }
        }
    }

    /// What the first page says of the file.
    private struct Header {
        let pageSize: Int
        let pageCount: Int

        init(_ file: Int32, log: WriteAheadLog? = nil) throws {
            var header = [UInt8](repeating: 0, count: 100)
            var status = stat()
            guard pread(file, &header, 100, 0) == 100, fstat(file, &status) == 0 else {
                throw Obstacle.unreadable
            }
            let size = Int(header[16]) << 8 | Int(header[17])
            pageSize = size == 1 ? 65536 : size
            guard (512...65536).contains(pageSize), pageSize & (pageSize - 1) == 0 else {
                throw Obstacle.unreadable
            }
            func number(_ offset: Int) -> Int { header[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) } }
            // A count of an older SQLite's is not kept up to date: then the file's size tells.
            let isCountValid = number(24) == number(92) && number(28) > 0
            pageCount = log?.pageCount ?? (isCountValid ? number(28) : Int(status.st_size) / pageSize)
        }
    }
}
