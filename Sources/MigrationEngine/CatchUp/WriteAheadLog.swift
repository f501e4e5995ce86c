import Foundation

/// Where a write-ahead log holds the newest committed content of pages (https://sqlite.org/fileformat2.html#walformat).
///
/// Frames count as SQLite's own recovery counts them: up to the last commit whose checksums hold. Read while nobody writes, so
/// that the answer stays true. Any thread may use it.
final class WriteAheadLog: Sendable {
    private let descriptor: Int32
    let pageSize: Int
    /// Pages of the database after the last commit.
    let pageCount: Int
    /// The place of each page's content in the file.
    let offsets: [UInt32: Int64]

    private static let headerBytes = 32
    private static let frameHeaderBytes = 24

    /// nil where there is no log, or none of its transactions is committed.
    init?(_ path: String) throws {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            guard errno == ENOENT else {
                throw MigrationError(
                    .sourceUnreadable, "\(FileSystemError("reading", path))",
                    remedy: "Run howdah as the user that the application runs as.", exit: .usage)
            }
            return nil
        }
        guard let frames = Frames(file) else {
            close(file)
            return nil
        }
        descriptor = file
        pageSize = frames.pageSize
        pageCount = frames.pageCount
        offsets = frames.offsets
    }

    deinit {
        close(descriptor)
    }

    /// Reads a page that the log holds into memory of a page's size; false where it cannot be read.
    func read(_ page: UInt32, into memory: UnsafeMutableRawPointer) -> Bool {
        guard let offset = offsets[page] else { return false }
        return readWhole(descriptor, memory, pageSize, at: offset)
    }

    /// What the frames come to.
    private struct Frames {
        let pageSize: Int
        private(set) var pageCount = 0
        private(set) var offsets: [UInt32: Int64] = [:]

        init?(_ file: Int32) {
            var header = [UInt8](repeating: 0, count: WriteAheadLog.headerBytes)
            guard pread(file, &header, header.count, 0) == header.count else { return nil }
            func number(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
                UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            }
            let (magic, version, size) = header.withUnsafeBytes {
                (number($0, 0), number($0, 4), Int(number($0, 8)))
            }
            guard magic & 0xFFFF_FFFE == 0x377F_0682, version == 3_007_000, (512...65536).contains(size),
                size & (size - 1) == 0
            else { return nil }
            pageSize = size
            var sum = Checksum(isBigEndian: magic & 1 == 1)
            header.withUnsafeBytes { sum.add(UnsafeRawBufferPointer(rebasing: $0[..<24])) }
            guard header.withUnsafeBytes({ sum.matches($0, at: 24) }) else { return nil }

            let frame = UnsafeMutableRawBufferPointer.allocate(
                byteCount: WriteAheadLog.frameHeaderBytes + size, alignment: 16)
            defer { frame.deallocate() }
            guard let start = frame.baseAddress else { return nil }
            let bytes = UnsafeRawBufferPointer(frame)
            var place = Int64(WriteAheadLog.headerBytes)
            var pending: [UInt32: Int64] = [:]
            while readWhole(file, start, bytes.count, at: place) {
                let isOfThisLog = header.withUnsafeBytes { header in
                    number(bytes, 8) == number(header, 16) && number(bytes, 12) == number(header, 20)
                }
                guard isOfThisLog, number(bytes, 0) > 0 else { break }
                sum.add(UnsafeRawBufferPointer(rebasing: bytes[..<8]))
                sum.add(UnsafeRawBufferPointer(rebasing: bytes[WriteAheadLog.frameHeaderBytes...]))
                guard sum.matches(bytes, at: 16) else { break }
                pending[number(bytes, 0)] = place + Int64(WriteAheadLog.frameHeaderBytes)
                if number(bytes, 4) > 0 {
                    pageCount = Int(number(bytes, 4))
                    offsets.merge(pending) { _, newer in newer }
                    pending = [:]
                }
                place += Int64(bytes.count)
            }
            guard pageCount > 0 else { return nil }
            // What a shorter database had behind its end is no part of it.
            let last = pageCount
            offsets = offsets.filter { $0.key <= last }
        }
    }

    /// The running sum over header and frames.
    private struct Checksum {
        private let isBigEndian: Bool
        private var first: UInt32 = 0
        private var second: UInt32 = 0

        init(isBigEndian: Bool) {
            self.isBigEndian = isBigEndian
        }

        mutating func add(_ bytes: UnsafeRawBufferPointer) {
            for offset in stride(from: 0, to: bytes.count - 7, by: 8) {
                let one = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
                let other = bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
                first &+= (isBigEndian ? one.bigEndian : one.littleEndian) &+ second
                second &+= (isBigEndian ? other.bigEndian : other.littleEndian) &+ first
            }
        }

        func matches(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
            UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) == first
                && UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
                    == second
        }
    }
}

/// Reads exactly so many bytes; false where the file has fewer, or cannot be read.
func readWhole(_ descriptor: Int32, _ memory: UnsafeMutableRawPointer, _ count: Int, at offset: Int64) -> Bool
{
    var filled = 0
    while filled < count {
        let read = pread(descriptor, memory + filled, count - filled, off_t(offset) + off_t(filled))
        if read < 0, errno == EINTR { continue }
        guard read > 0 else { return false }
        filled += read
    }
    return true
}
