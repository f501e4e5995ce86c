import Crypto
import Foundation

/// SHA-256 of a file's content as lower-case hexadecimal digits, read in pieces.
public func sha256(ofFile path: String, cancellation: Cancellation) throws -> String {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { throw FileSystemError("reading", path) }
    defer { close(descriptor) }
    var hash = SHA256()
    let size = 1 << 20
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
    defer { buffer.deallocate() }
    while true {
        try cancellation.check()
        let count = read(descriptor, buffer.baseAddress, size)
        if count == 0 { break }
        if count < 0 {
            if errno == EINTR { continue }
            throw FileSystemError("reading", path)
        }
        hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
    return hash.finalize().hexadecimal
}

/// SHA-256 of bytes as lower-case hexadecimal digits.
public func sha256(of bytes: some DataProtocol) -> String {
    SHA256.hash(data: bytes).hexadecimal
}
