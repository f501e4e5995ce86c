import Foundation

/// What the operating system said about a file, with the file's name.
public struct FileSystemError: Error, CustomStringConvertible {
    public let description: String
    public let code: Int32

    public init(_ doing: String, _ path: String, code: Int32 = errno) {
        self.code = code
        description = "\(doing) \(path): \(String(cString: strerror(code)))"
    }
}

/// Makes a folder for the owner alone, with those above it; an existing one stays as it is.
public func makePrivateFolder(_ path: String) throws {
    do {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
        throw FileSystemError("making the folder", path, code: access(path, F_OK) == 0 ? ENOTDIR : EACCES)
    }
}

/// Writes a file for the owner alone in one step: readers see the old content or the new, never a part.
func writePrivateFile(_ path: String, _ content: String) throws {
    try writeFile(path, Array(content.utf8), mode: 0o600)
}

/// Writes a file in one step, and waits for the disk: readers, and a machine that crashes, see the old content or the
/// new, never a part.
///
/// The bytes go to `temporary` in the same folder first. `mode` is the new file's, whatever the process's mask says; `owner`, where given, gets it as far as that is allowed.
public func writeFile(
    _ path: String, _ content: [UInt8], mode: mode_t, owner: (user: uid_t, group: gid_t)? = nil,
    temporary: String? = nil
) throws {
    let temporary = temporary ?? "\(path).\(getpid()).tmp"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    guard descriptor >= 0 else { throw FileSystemError("writing", temporary) }
    do {
        defer { close(descriptor) }
        var rest = content[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno != EINTR { throw FileSystemError("writing", temporary) }
            rest = rest.dropFirst(max(count, 0))
        }
        // Only root may give a file away; what it cannot keep of the owner's, a file that is written anew loses.
        if let owner { _ = fchown(descriptor, owner.user, owner.group) }
        guard fchmod(descriptor, mode) == 0, fsync(descriptor) == 0, rename(temporary, path) == 0 else {
            throw FileSystemError("writing", path)
        }
    } catch {
        unlink(temporary)
        throw error
    }
    syncFolder((path as NSString).deletingLastPathComponent)
}

/// Has the disk keep a folder's names as they are now.
public func syncFolder(_ path: String) {
    let descriptor = open(path.isEmpty ? "." : path, O_RDONLY)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
}
