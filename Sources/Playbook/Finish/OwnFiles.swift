import Foundation
import MigrationEngine

/// Which files of a state folder's folders howdah has written: plain ones, by the names that it gives them. Links are not followed.
struct OwnFiles {
    /// Its own, and what else is there, as `PATH: why it stays`.
    let paths: [String]
    let foreign: [String]
    private let folder: String

    /// What lies in a folder; nil where nothing does. `isOwn` says of a name whether it is howdah's.
    init?(in folder: String, isOwn: (String) -> Bool) {
        self.folder = folder
        switch Self.kind(folder) {
        case nil: return nil
        case S_IFDIR?: break
        default:
            (paths, foreign) = ([], ["\(folder): it is no folder, and a link is not followed"])
            return
        }
        let names = Self.names(folder)
        let own = names.filter { isOwn($0) && Self.kind("\(folder)/\($0)") == S_IFREG }
        paths = own.map { "\(folder)/\($0)" }
        foreign = names.filter { !own.contains($0) }.map { "\(folder)/\($0): howdah has not made it" }
    }

    /// Deletes its own, and the folder where nothing else is in it.
    func remove() throws {
        for path in paths {
            guard unlink(path) == 0 || errno == ENOENT else { throw FileSystemError("deleting", path) }
        }
        rmdir(folder)
    }

    /// What a path is, without following a link: S_IFREG, S_IFDIR, S_IFLNK; nil where nothing is.
    static func kind(_ path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    static func names(_ folder: String) -> [String] {
        guard kind(folder) == S_IFDIR else { return [] }
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    // MARK: Names that howdah gives

    private static func isWritten(_ name: String) -> Substring {
        name.wholeMatch(of: /(.+)\.[0-9]+\.tmp/)?.1 ?? name[...]
    }

    static func isChanges(_ name: String) -> Bool {
        isWritten(name).wholeMatch(of: /changes\.db(-wal|-shm|-journal)?/) != nil
    }

    static func isDifferences(_ name: String) -> Bool {
        isWritten(name).wholeMatch(
            of:
                /(rehearsal|target-[0-9a-f]{12}|repair|repair-today)(-first|-watch)?\.db(-wal|-shm|-journal)?/
        ) != nil
    }

    static func isDigests(_ name: String) -> Bool {
        isWritten(name).wholeMatch(of: /digests-(rehearsal|target-[0-9a-f]{12})\.json/) != nil
    }

    static func isRepair(_ name: String) -> Bool { name.wholeMatch(of: /[0-9]{8}T[0-9]{6}Z/) != nil }

    static func isOfRepair(_ name: String) -> Bool {
        isWritten(name).wholeMatch(of: /repair\.json|[0-9]+-(before|after)\.copy/) != nil
    }

    /// A plan as it was is named by its own digest.
    static func isPlan(_ path: String) -> Bool {
        guard
            let name = isWritten((path as NSString).lastPathComponent).wholeMatch(of: /([0-9a-f]{32})\.yaml/),
            kind(path) == S_IFREG, let data = FileManager.default.contents(atPath: path)
        else { return false }
        return PlanFile.digest(String(decoding: data, as: UTF8.self)) == name.1
    }

    /// Of step 3.1.
    static func isExport(_ name: String) -> Bool {
        name.wholeMatch(of: /(rehearsal|live)-[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}-[0-9]{2}Z/) != nil
    }
}
