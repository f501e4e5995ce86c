import Crypto
import Foundation

/// The file that a table's rows go to, compressed where that is asked for. Used by one thread.
///
/// It is made under `NAME.part` for the owner alone, and gets its name once the disk has all of it.
final class ExportFile {
    private let path: String
    private let descriptor: Int32
    private var deflater: DeflaterBox?
    private var hash = SHA256()

    private final class DeflaterBox {
        var deflater: Deflater
        init() throws { deflater = try Deflater() }
    }

    init(_ path: String, isCompressed: Bool) throws {
        self.path = path
        if isCompressed { deflater = try DeflaterBox() }
        descriptor = open("\(path).part", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileSystemError("writing", path) }
    }

    deinit { close(descriptor) }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        guard let deflater else { return try put(bytes) }
        try deflater.deflater.add(bytes) { try pack($0) }
    }

    /// Gives the file its name; returns the digest of its compressed bytes, nil where they are not compressed.
    func finish() throws -> String? {
        if let deflater {
            try deflater.deflater.add(UnsafeRawBufferPointer(start: nil, count: 0), ends: true) {
                try pack($0)
            }
        }
        guard fsync(descriptor) == 0, rename("\(path).part", path) == 0 else {
            throw FileSystemError("writing", path)
        }
        return deflater == nil ? nil : hash.finalize().hexadecimal
    }

    private func pack(_ bytes: UnsafeRawBufferPointer) throws {
        hash.update(bufferPointer: bytes)
        try put(bytes)
    }

    private func put(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw FileSystemError("writing", path)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        }
    }
}

/// The bytes of a table's rows on their way out: counted and hashed, by blocks and as a whole, and written to a file where there is one.
///
/// An import makes the same bytes again from the database that it has rebuilt, and keeps only their digests. Used by one thread.
struct RowStream: ~Copyable {
    private static let most = 1 << 16

    var buffer = RawBuffer()
    private let file: ExportFile?
    private var whole = SHA256()
    private var block = SHA256()
    private var line = 1
    private var blockLine = 1
    private var blockRows = 0
    private var blockBytes = 0
    /// Bytes of the row that were handed on before its end, and where the rest of it begins in the buffer.
    private var rowBytes = 0
    private var rowStart = 0
    /// Line ends inside of the row.
    var innerLines = 0
    private var table: ExportManifest.Table

    init(_ table: ExportManifest.Table, to file: ExportFile?) {
        self.table = table
        self.file = file
    }

    /// Hands on what is in the buffer, once that is much.
    @inline(__always)
    mutating func drainIfFull() throws {
        if buffer.count >= Self.most { try drain() }
    }

    private mutating func drain() throws {
        let bytes = buffer.bytes
        whole.update(bufferPointer: bytes)
        block.update(bufferPointer: bytes)
        table.bytes += bytes.count
        blockBytes += bytes.count
        rowBytes += bytes.count - rowStart
        rowStart = 0
        try file?.write(bytes)
        buffer.removeAll()
    }

    /// Ends a line that is no row.
    mutating func endHeader() throws {
        try drain()
        line += 1 + innerLines
        innerLines = 0
        rowBytes = 0
        block = SHA256()
        blockBytes = 0
        blockLine = line
    }

    mutating func endRow() throws {
        table.longestRow = max(table.longestRow, rowBytes + buffer.count - rowStart)
        table.rows += 1
        blockRows += 1
        line += 1 + innerLines
        innerLines = 0
        if blockRows == ExportManifest.blockRows { try endBlock() }
        try drainIfFull()
        rowStart = buffer.count
        rowBytes = 0
    }

    private mutating func endBlock() throws {
        try drain()
        table.blocks.append(
            .init(line: blockLine, rows: blockRows, bytes: blockBytes, sha256: block.finalize().hexadecimal))
        block = SHA256()
        (blockLine, blockRows, blockBytes) = (line, 0, 0)
    }

    /// The table with what was counted, once its last row was written.
    mutating func finish() throws -> ExportManifest.Table {
        if blockRows > 0 { try endBlock() }
        try drain()
        table.sha256 = whole.finalize().hexadecimal
        table.compressedSHA256 = try file?.finish()
        return table
    }
}
