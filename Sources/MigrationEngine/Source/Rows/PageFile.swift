import CSQLite
import Foundation

/// The pages of an immutable SQLite file, read without SQLite (https://sqlite.org/fileformat2.html).
///
/// Pages that follow each other are read together. Used by one thread; what a call returns is valid until the next one.
struct PageFile: ~Copyable {
    enum Failure: Error, Equatable {
        /// Not a file that this can read: SQLite reads it.
        case unsupported
        case corrupt(page: UInt32)
        case unreadable(code: Int32)
    }

    /// Bytes that are read at once where pages follow each other.
    private static let windowBytes = 1 << 16

    private let descriptor: Int32
    let pageSize: Int
    /// Bytes of a page without those that extensions keep at its end.
    let usable: Int
    /// Bytes of the file.
    let bytes: Int64
    private let window: UnsafeMutableRawPointer
    private let windowPages: Int
    /// The pages that the window holds.
    private var held: Range<UInt32> = 0..<0
    /// The page after the last one that was asked for.
    private var expected: UInt32 = 0
    private let single: UnsafeMutableRawPointer

    /// Opens a database whose texts are UTF-8; throws `.unsupported` for any other file.
    init(path: String) throws(Failure) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .unreadable(code: errno) }
        guard let facts = Facts(file) else {
            close(file)
            throw .unsupported
        }
        descriptor = file
        pageSize = facts.pageSize
        usable = facts.usable
        bytes = facts.bytes
        windowPages = max(1, Self.windowBytes / pageSize)
        window = .allocate(byteCount: windowPages * pageSize, alignment: 16)
        single = .allocate(byteCount: pageSize, alignment: 16)
    }

    /// What the file's header says (https://sqlite.org/fileformat2.html#the_database_header).
    private struct Facts {
        let pageSize: Int
        let usable: Int
        let bytes: Int64

        /// nil for what is no database, is written with a log, or holds texts in another encoding than UTF-8.
        init?(_ file: Int32) {
            var header = [UInt8](repeating: 0, count: 100)
            var status = stat()
            guard pread(file, &header, 100, 0) == 100, header.starts(with: "SQLite format 3\0".utf8),
                header[18] == 1, header[19] == 1, header[59] == 1, fstat(file, &status) == 0
            else { return nil }
            let size = Int(header[16]) << 8 | Int(header[17])
            pageSize = size == 1 ? 65536 : size
            usable = pageSize - Int(header[20])
            bytes = Int64(status.st_size)
            guard (512...65536).contains(pageSize), pageSize & (pageSize - 1) == 0, usable >= 480 else {
                return nil
            }
        }
    }

    deinit {
        window.deallocate()
        single.deallocate()
        close(descriptor)
    }

    /// A page that the caller walks from one to the next.
    mutating func walked(_ number: UInt32) throws(Failure) -> UnsafeRawPointer {
        if !held.contains(number) {
            // Only where the last page was the one before: the pages of other tables may lie between.
            let wanted = number == expected ? windowPages : 1
            let count = try read(number, pages: wanted, into: window)
            held = number..<number + UInt32(count)
        }
        expected = number + 1
        return UnsafeRawPointer(window + Int(number - held.lowerBound) * pageSize)
    }

    /// A page on the side, which leaves the walked one where it is.
    func aside(_ number: UInt32) throws(Failure) -> UnsafeRawPointer {
        if held.contains(number) {
            return UnsafeRawPointer(window + Int(number - held.lowerBound) * pageSize)
        }
        _ = try read(number, pages: 1, into: single)
        return UnsafeRawPointer(single)
    }

    /// Reads pages from the first on; returns how many whole ones there are.
    private func read(
        _ first: UInt32, pages: Int, into memory: UnsafeMutableRawPointer
    ) throws(Failure) -> Int {
        guard first > 0 else { throw .corrupt(page: first) }
        let offset = (Int(first) - 1) * pageSize
        var filled = 0
        while filled < pages * pageSize {
            let count = pread(descriptor, memory + filled, pages * pageSize - filled, off_t(offset + filled))
            if count < 0 {
                if errno == EINTR { continue }
                throw .unreadable(code: errno)
            }
            if count == 0 { break }
            filled += count
        }
        guard filled >= pageSize else { throw .corrupt(page: first) }
        return filled / pageSize
    }
}
