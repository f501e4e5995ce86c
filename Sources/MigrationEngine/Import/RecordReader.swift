import Crypto
import Foundation

/// What is wrong in a file of an export, and where.
struct ExportFault: Error {
    let file: String
    var lines: ClosedRange<Int>?
    let what: String

    var error: MigrationError {
        let place =
            switch lines {
            case nil: file
            case let lines? where lines.count == 1: "\(file), line \(lines.lowerBound)"
            case let lines?: "\(file), lines \(lines.lowerBound) to \(lines.upperBound)"
            }
        return MigrationError(
            .export, "\(place): \(what)",
            remedy: "Nothing was loaded. Copy the export again from where it came from, or make a new one.",
            exit: .usage)
    }
}

/// Reads the records of an export's file one after the other, and hashes them as it goes. Used by one thread.
///
/// A record is a line; in CSV line ends between quotes belong to it. Its memory is valid until the next one, and may be written to.
final class RecordReader {
    let name: String
    /// The lines of the record that was read last.
    private(set) var lines = 1...1
    private let descriptor: Int32
    private let keepsQuotes: Bool
    private var inflater: InflaterBox?
    private var memory: UnsafeMutableRawPointer
    private var capacity = 1 << 17
    private var start = 0
    private var end = 0
    private var isAtEnd = false
    /// The line that the next record begins on.
    private(set) var nextLine = 1
    private var whole = SHA256()
    private var block = SHA256()
    private let compressed = CompressedHash()

    private final class InflaterBox {
        var inflater: Inflater
        init() throws { inflater = try Inflater() }
    }

    private final class CompressedHash {
        var hash = SHA256()
    }

    init(folder: String, name: String, form: ExportForm, isCompressed: Bool) throws {
        self.name = name
        keepsQuotes = form == .csv
        memory = .allocate(byteCount: capacity, alignment: 16)
        if isCompressed { inflater = try InflaterBox() }
        descriptor = open("\(folder)/\(name)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            throw ExportFault(
                file: name,
                what: errno == ENOENT
                    ? "it is missing" : "it cannot be read: \(String(cString: strerror(errno)))"
            )
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        memory.deallocate()
    }

    /// The next record without its line end; nil at the end of the file. `longest` is the most bytes that one may have, with it.
    func next(longest: Int) throws -> UnsafeMutableBufferPointer<UInt8>? {
        var scanned = start
        var isQuoted = false
        var innerLines = 0
        while true {
            if let found = lineEnd(&scanned, &isQuoted, &innerLines) {
                let count = found - start
                guard count < longest else { throw tooLong(longest) }
                let bytes = UnsafeRawBufferPointer(start: memory + start, count: count + 1)
                whole.update(bufferPointer: bytes)
                block.update(bufferPointer: bytes)
                lines = nextLine...nextLine + innerLines
                nextLine += innerLines + 1
                let record = UnsafeMutableBufferPointer(
                    start: (memory + start).assumingMemoryBound(to: UInt8.self), count: count)
                start = found + 1
                return record
            }
            guard end - start < longest else { throw tooLong(longest) }
            let offset = scanned - start
            guard try fill() else {
                guard start == end else {
                    throw ExportFault(
                        file: name, lines: nextLine...nextLine,
                        what: "the file ends within this line: it is cut short")
                }
                return nil
            }
            scanned = start + offset
        }
    }

    /// The digest of the records since the last call.
    func endBlock() -> String {
        defer { block = SHA256() }
        return block.finalize().hexadecimal
    }

    var sha256: String { whole.finalize().hexadecimal }
    var compressedSHA256: String { compressed.hash.finalize().hexadecimal }

    private func tooLong(_ longest: Int) -> ExportFault {
        ExportFault(
            file: name, lines: nextLine...nextLine,
            what:
                "the line is longer than the longest that the manifest knows, \(Format.count(longest)) bytes")
    }

    private func lineEnd(_ place: inout Int, _ isQuoted: inout Bool, _ innerLines: inout Int) -> Int? {
        guard keepsQuotes else {
            guard let found = memchr(memory + place, 0x0A, end - place) else {
                place = end
                return nil
            }
            return UnsafeMutableRawPointer(found) - memory
        }
        while place < end {
            let byte = (memory + place).load(as: UInt8.self)
            if byte == 0x22 {
                isQuoted.toggle()
            } else if byte == 0x0A {
                if !isQuoted { return place }
                innerLines += 1
            }
            place += 1
        }
        return nil
    }

    /// Reads more behind what is there; false at the end of the file.
    private func fill() throws -> Bool {
        if isAtEnd { return false }
        if start > 0 {
            memmove(memory, memory + start, end - start)
            (start, end) = (0, end - start)
        }
        if end == capacity {
            let fresh = UnsafeMutableRawPointer.allocate(byteCount: capacity * 2, alignment: 16)
            fresh.copyMemory(from: memory, byteCount: end)
            memory.deallocate()
            memory = fresh
            capacity *= 2
        }
        let space = UnsafeMutableRawBufferPointer(start: memory + end, count: min(capacity - end, 1 << 20))
        let count: Int
        do {
            if let inflater {
                count = try inflater.inflater.read(into: space) { buffer in
                    let count = try read(buffer)
                    compressed.hash.update(
                        bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                    return count
                }
            } else {
                count = try read(space)
            }
        } catch let failure as GzipFailure {
            throw ExportFault(file: name, lines: nextLine...nextLine, what: failure.message)
        }
        isAtEnd = count == 0
        end += count
        return count > 0
    }

    private func read(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            let count = Foundation.read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            if errno != EINTR { throw FileSystemError("reading", name) }
        }
    }
}
