import CSQLite

/// An online backup of one open database into another (https://sqlite.org/backup.html).
///
/// Both connections belong to the calling thread and must outlive the backup.
public struct Backup: ~Copyable {
    private let handle: OpaquePointer
    private let destination: OpaquePointer

    public init(from source: borrowing Connection, into destination: borrowing Connection) throws(SQLiteError)
    {
        guard let handle = sqlite3_backup_init(destination.handle, "main", source.handle, "main") else {
            throw SQLiteError.last(of: destination.handle, context: "starting the backup")
        }
        self.handle = handle
        self.destination = destination.handle
    }

    deinit {
        sqlite3_backup_finish(handle)
    }

    /// Pages of the source, and those still to be copied; both 0 before the first step.
    public var pages: (total: Int, remaining: Int) {
        (Int(sqlite3_backup_pagecount(handle)), Int(sqlite3_backup_remaining(handle)))
    }

    /// What one step came to.
    public enum Progress: Equatable, Sendable {
        case done
        case more
        /// Another process holds a lock on the source: try again.
        case busy
    }

    /// Copies up to `pages` pages. An error leaves the destination unusable.
    public borrowing func step(pages: Int32) throws(SQLiteError) -> Progress {
        let result = sqlite3_backup_step(handle, pages)
        switch result & 0xFF {
        case SQLITE_DONE: return .done
        case SQLITE_OK: return .more
        case SQLITE_BUSY, SQLITE_LOCKED: return .busy
        default:
            throw SQLiteError(
                extendedCode: result, message: String(cString: sqlite3_errstr(result)),
                context: "copying pages of the database")
        }
    }
}
