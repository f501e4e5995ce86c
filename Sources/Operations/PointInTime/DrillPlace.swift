import Foundation
import MigrationEngine
import Postgres

/// Where a drill's servers lie: a folder of their own, written down before it is made, so that whatever becomes of howdah
/// the next drill removes what is left.
///
/// Used by one thread.
final class DrillPlace {
    private struct Ledger: Codable {
        var folder: String
        var sockets: [String]
    }

    private static let ledgerName = "point-in-time-drill.json"

    let programs: ServerPrograms
    let folder: String
    private let state: StateFolder
    private let cancellation: Cancellation
    private var ledger: Ledger

    /// Removes what an earlier drill has left, and makes the folder.
    init(_ state: StateFolder, cancellation: Cancellation) throws {
        self.state = state
        self.cancellation = cancellation
        programs = try ServerPrograms()
        let own = "\(state.path)/rehearsal"
        folder = programs.place(for: own, kind: "drills") ?? "\(state.path)/point-in-time-drill"
        ledger = Ledger(folder: folder, sockets: [])
        try Self.removeLeft(state)
        try save()
        try programs.makeFolder(folder)
    }

    private func save() throws {
        try state.write(
            String(decoding: try JSONEncoder().encode(ledger), as: UTF8.self), to: Self.ledgerName)
    }

    /// Throws `.noSpace` where a drill with so many bytes has no room: copy, base backup and restored server lie there at once,
    /// with the log of all.
    func checkSpace(_ bytes: Int64) throws {
        var space = statvfs()
        guard statvfs(folder, &space) == 0 else { return }
        let free = Int64(space.f_bavail) * Int64(space.f_frsize)
        let needed = bytes * 3 + (512 << 20)
        guard free < needed else { return }
        throw MigrationError(
            .noSpace,
            "the drill needs about \(Format.bytes(needed)), and \(folder) has \(Format.bytes(free)) free",
            remedy: "Free some space, or put the state on another disk with --state DIR.")
    }

    /// Makes an empty folder in the place; returns its path.
    func makeFolder(_ name: String) throws -> String {
        let path = "\(folder)/\(name)"
        try programs.makeFolder(path)
        return path
    }

    /// Writes a file that the servers' user may read and run.
    func write(_ text: String, to name: String) throws -> String {
        let path = "\(folder)/\(name)"
        try writeFile(path, Array(text.utf8), mode: 0o700)
        try programs.give(path)
        return path
    }

    func cluster(_ name: String) -> PrivateCluster {
        PrivateCluster(data: "\(folder)/\(name)", programs: programs, cancellation: cancellation)
    }

    /// Starts a server, and returns where it listens.
    func start(_ cluster: PrivateCluster, seconds: Int) throws -> String {
        let socket = try programs.makeSocketFolder()
        ledger.sockets.append(socket)
        try save()
        try cluster.start(
            socket: socket, seconds: seconds,
            remedy: "Look for free space and memory, and run the drill again.")
        return socket
    }

    /// Runs a program as the servers' user; throws with its last words where it fails.
    func run(_ path: String, _ arguments: [String], _ what: String) throws -> String {
        var command = programs.command(path: path, arguments)
        command.timeout = .seconds(6 * 3600)
        let outcome = try command.run(cancellation: cancellation)
        guard outcome.status == 0 else {
            throw MigrationError(
                .rehearsal, "\(what) failed: \(outcome.output.suffix(500))",
                remedy: "Look for free space below \(folder), and run the drill again.")
        }
        return outcome.output
    }

    /// Stops a server and removes its data.
    func remove(_ name: String) throws {
        try cluster(name).stop("immediate")
        try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
    }

    /// Stops all servers, and removes everything, also after a wish to cancel.
    func remove() throws { try Self.removeLeft(state) }

    /// The same for a drill that was killed; whether there was one.
    @discardableResult
    static func removeLeft(_ state: StateFolder) throws -> Bool {
        let path = "\(state.path)/\(ledgerName)"
        guard let data = FileManager.default.contents(atPath: path),
            let ledger = try? JSONDecoder().decode(Ledger.self, from: data)
        else { return false }
        let programs = try ServerPrograms()
        for name in (try? FileManager.default.contentsOfDirectory(atPath: ledger.folder)) ?? []
        where access("\(ledger.folder)/\(name)/postmaster.pid", F_OK) == 0 {
            try PrivateCluster(
                data: "\(ledger.folder)/\(name)", programs: programs, cancellation: Cancellation()
            ).stop("immediate")
        }
        for folder in ledger.sockets + [ledger.folder] where access(folder, F_OK) == 0 {
            try FileManager.default.removeItem(atPath: folder)
        }
        try FileManager.default.removeItem(atPath: path)
        return true
    }
}
