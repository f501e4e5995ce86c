import Crypto
import Foundation

/// SHA-256 of a file's content as lower-case hexadecimal digits, read in pieces.
func sha256(ofFile path: String, cancellation: Cancellation) throws -> String {
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

/// What the operating system said about a file, with the file's name.
struct FileSystemError: Error, CustomStringConvertible {
    let description: String
    let code: Int32

    init(_ doing: String, _ path: String, code: Int32 = errno) {
        self.code = code
        description = "\(doing) \(path): \(String(cString: strerror(code)))"
    }
}

/// Makes a folder for the owner alone, with those above it; an existing one stays as it is.
func makePrivateFolder(_ path: String) throws {
    do {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
        throw FileSystemError("making the folder", path, code: access(path, F_OK) == 0 ? ENOTDIR : EACCES)
    }
}

/// Writes a file for the owner alone in one step: readers see the old content or the new, never a part.
func writePrivateFile(_ path: String, _ content: String) throws {
    let temporary = "\(path).\(getpid()).tmp"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    guard descriptor >= 0 else { throw FileSystemError("writing", temporary) }
    var text = content
    let isWritten = text.withUTF8 { bytes in
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = write(descriptor, UnsafeBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                return false
            }
            rest = rest.dropFirst(count)
        }
        return fsync(descriptor) == 0
    }
    let failure = errno
    close(descriptor)
    guard isWritten, rename(temporary, path) == 0 else {
        let code = isWritten ? errno : failure
        unlink(temporary)
        throw FileSystemError("writing", path, code: code)
    }
}
