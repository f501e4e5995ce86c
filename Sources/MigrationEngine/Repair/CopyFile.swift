import Foundation
import Postgres

/// Rows in a file, as COPY writes and reads them in its binary format. For the owner alone; memory does not grow with the rows.
enum CopyFile {
    private static let pieceBytes = 1 << 16

    /// Writes what a query gives into a new file, which is on the disk when this returns; returns the number of rows.
    static func write(
        _ query: String, to path: String, _ connection: borrowing Postgres.Connection
    ) throws -> Int {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else { throw FileSystemError("writing", path) }
        defer { close(descriptor) }
        var buffer = RawBuffer()
        var messages = 0
        try connection.copyOut("COPY (\(query)) TO STDOUT (FORMAT binary)") { message in
            messages += 1
            buffer.ensure(message.count)
            if let start = message.baseAddress { buffer.append(from: start, count: message.count) }
            if buffer.count >= pieceBytes { try flush(&buffer, to: descriptor, path) }
        }
        try flush(&buffer, to: descriptor, path)
        guard fsync(descriptor) == 0 else { throw FileSystemError("writing", path) }
        // The last one is the trailer.
        return messages - 1
    }

    private static func flush(_ buffer: inout RawBuffer, to descriptor: Int32, _ path: String) throws {
        var rest = buffer.bytes[...]
        while !rest.isEmpty {
            let count = Foundation.write(
                descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count < 0, errno != EINTR { throw FileSystemError("writing", path) }
            rest = rest.dropFirst(max(count, 0))
        }
        buffer.removeAll()
    }

    /// Sends a file's rows to a table; `columns` are quoted.
    static func read(
        _ path: String, into table: String, columns: [String], _ connection: borrowing Postgres.Connection
    ) throws -> Int {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { throw FileSystemError("reading", path) }
        defer { close(descriptor) }
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 16)
        defer { piece.deallocate() }
        return try connection.copyIn(
            "COPY \(table) (\(columns.joined(separator: ", "))) FROM STDIN (FORMAT binary)"
        ) {
            while true {
                let count = Foundation.read(descriptor, piece.baseAddress, piece.count)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw FileSystemError("reading", path) }
                if count == 0 { return }
                try connection.send(UnsafeRawBufferPointer(rebasing: piece[..<count]))
            }
        }
    }
}
