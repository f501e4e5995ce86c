import CZlib
import Foundation

/// Compresses bytes into gzip's format (https://www.rfc-editor.org/rfc/rfc1952). Used by one thread.
struct Deflater: ~Copyable {
    private static let size = 1 << 16
    // zlib notes where its stream lies: it must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private let output: UnsafeMutableRawBufferPointer

    init() throws {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        output = .allocate(byteCount: Self.size, alignment: 16)
        guard howdah_deflate_init(stream, 4) == Z_OK else { throw GzipFailure.noMemory }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
        output.deallocate()
    }

    /// Hands on what comes of `bytes`; with `ends` all that is left.
    mutating func add(
        _ bytes: UnsafeRawBufferPointer, ends: Bool = false, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(bytes.count)
        repeat {
            stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(Self.size)
            guard deflate(stream, ends ? Z_FINISH : Z_NO_FLUSH) != Z_STREAM_ERROR else {
                throw GzipFailure.noMemory
            }
            try body(UnsafeRawBufferPointer(rebasing: output[..<(Self.size - Int(stream.pointee.avail_out))]))
        } while stream.pointee.avail_out == 0
    }
}

/// What a gzip file can be found to be.
enum GzipFailure: Error {
    case noMemory, damaged, cutShort, trailing

    var message: String {
        switch self {
        case .noMemory: "zlib has no memory"
        case .damaged: "its compressed data is damaged"
        case .cutShort: "it is cut short within its compressed data"
        case .trailing: "something follows the end of its compressed data"
        }
    }
}

/// Reads a gzip file of one member, piece by piece. Used by one thread.
struct Inflater: ~Copyable {
    private let stream: UnsafeMutablePointer<z_stream>
    private let input: UnsafeMutableRawBufferPointer
    private var hasEnded = false
    private var isAtEndOfFile = false

    init() throws {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        input = .allocate(byteCount: 1 << 16, alignment: 16)
        guard howdah_inflate_init(stream) == Z_OK else { throw GzipFailure.noMemory }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        input.deallocate()
    }

    /// Fills `memory` from the file that `read` reads; 0 at the end of the whole file.
    mutating func read(
        into memory: UnsafeMutableRawBufferPointer, _ read: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws -> Int {
        stream.pointee.next_out = memory.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(memory.count)
        while !hasEnded, stream.pointee.avail_out == memory.count {
            if stream.pointee.avail_in == 0 {
                let count = try read(input)
                guard count > 0 else { throw GzipFailure.cutShort }
                stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_in = UInt32(count)
            }
            switch inflate(stream, Z_NO_FLUSH) {
            case Z_OK, Z_BUF_ERROR: continue
            case Z_STREAM_END: hasEnded = true
            case Z_MEM_ERROR: throw GzipFailure.noMemory
            default: throw GzipFailure.damaged
            }
        }
        let count = memory.count - Int(stream.pointee.avail_out)
        if hasEnded, count == 0, !isAtEndOfFile {
            guard stream.pointee.avail_in == 0, try read(input) == 0 else { throw GzipFailure.trailing }
            isAtEndOfFile = true
        }
        return count
    }
}
