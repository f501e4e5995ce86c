import Foundation

/// Makes one howdah at a time write to a state folder; let go when the value goes away, also by a crash.
public struct WriterLock: ~Copyable, Sendable {
    private let descriptor: Int32

    /// Takes the lock at once, or throws `.locked` with who holds it and since when.
    public init(_ folder: StateFolder) throws {
        let path = "\(folder.path)/lock"
        let descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw MigrationError(
                .state, "\(FileSystemError("opening", path))", remedy: "Name another folder with --state DIR."
            )
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            close(descriptor)
            throw MigrationError(
                .locked,
                "another howdah has this source open: "
                    + (holder.isEmpty
                        ? "it does not say who" : holder.trimmingCharacters(in: .whitespacesAndNewlines)),
                remedy: "Wait until it has ended, or stop it, and run this again.")
        }
        self.descriptor = descriptor
        let text = Writer.current.description + "\n"
        ftruncate(descriptor, 0)
        _ = text.withCString { pwrite(descriptor, $0, strlen($0), 0) }
    }

    /// Whether somebody holds the lock of a folder at this moment.
    public static func isHeld(_ folder: StateFolder) -> Bool {
        let descriptor = Foundation.open("\(folder.path)/lock", O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        // Let go with the descriptor.
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0
    }

    deinit {
        ftruncate(descriptor, 0)
        close(descriptor)
    }
}

/// Who writes, and since when, for the locks in the folder and in the target.
struct Writer: CustomStringConvertible {
    let user: String
    let process: Int32
    let since: Date

    static var current: Writer {
        Writer(user: NSUserName(), process: getpid(), since: Date())
    }

    var description: String {
        "\(user), process \(process), since \(since.formatted(.iso8601))"
    }
}
