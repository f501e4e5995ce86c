import Foundation
import MigrationEngine

/// The passwords that howdah made up, in a file of the state folder that libpq reads
/// (https://www.postgresql.org/docs/current/libpq-pgpass.html).
struct PasswordFile {
    private static let name = "pgpass"
    private let state: StateFolder

    init(_ state: StateFolder) {
        self.state = state
    }

    var path: String { "\(state.path)/\(Self.name)" }

    private var text: String {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Puts lines before those that are there: the first one that fits is taken.
    func add(_ lines: [String]) throws {
        try state.write(lines.map { $0 + "\n" }.joined() + text, to: Self.name)
    }

    /// Takes out the lines that begin as one of these, up to the password.
    func remove(_ beginnings: [String]) throws {
        guard access(path, F_OK) == 0 else { return }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let kept = lines.filter { line in !beginnings.contains { line.utf8.starts(with: $0.utf8) } }
        if kept.count < lines.count { try state.write(kept.joined(separator: "\n"), to: Self.name) }
    }
}
