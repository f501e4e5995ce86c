import Foundation
import MigrationEngine

/// The post-migration checklist: the plan's eight items and the operator's own. Evidence proposes, the operator decides.
public enum Checklist {
    struct Item {
        let id: String
        let title: String
        /// Steps whose evidence speaks for it.
        let links: [String]
    }

    static let items = [
        Item(id: "tests", title: "All tests passing", links: ["5.1"]),
        Item(id: "messaging", title: "Real-time messaging working", links: ["5.3"]),
        Item(id: "files", title: "File uploads and downloads functional", links: ["5.4", "5.11"]),
        Item(id: "encryption", title: "Encryption services operational", links: ["5.2", "5.9"]),
        Item(id: "performance", title: "Performance benchmarks acceptable", links: ["6.3", "5.10"]),
        Item(id: "backups", title: "Backup system configured", links: ["6.4", "6.5"]),
        Item(id: "monitoring", title: "Monitoring in place", links: ["6.7"]),
        Item(id: "documentation", title: "Documentation updated", links: []),
    ]

    public struct ItemLine: Sendable, Equatable, Identifiable {
        public let id: String
        public let title: String
        public let isTicked: Bool
        public let isOwn: Bool
        /// Whether every linked step is done, so that a tick is proposed.
        public let isProposed: Bool
        /// Linked steps with their states, and their evidence.
        public let evidence: [String]
        public let who: String
        public let when: String
        public let note: String
    }

    /// Writes the checklist as Markdown. An earlier one is replaced; any other file is left alone, and the write refused.
    public static func export(_ state: BookState, to path: String) throws {
        func refused(_ why: String) -> MigrationError {
            MigrationError(
                .state, "\(path) \(why)", remedy: "Name another file, in a folder that can be written.",
                exit: .usage)
        }
        if access(path, F_OK) == 0 {
            let start = FileManager.default.contents(atPath: path)?.prefix(heading.utf8.count)
            guard start == Data(heading.utf8) else { throw refused("is there already, and is no checklist") }
        }
        do {
            try (markdown(state).joined(separator: "\n") + "\n").write(
                toFile: path, atomically: true, encoding: .utf8)
        } catch {
            throw refused("cannot be written: \(error.localizedDescription)")
        }
    }

    private static let heading = "# Checklist: "

    /// The checklist as a document to keep.
    static func markdown(_ state: BookState) -> [String] {
        [
            heading + escaped(state.title), "",
            "\(escaped(state.sourcePath)) → \(escaped(state.target)), \(state.mode == .live ? "live" : "rehearsal")",
            "",
        ]
            + state.checklist.flatMap { item -> [String] in
                let who = item.isTicked ? " (\(escaped(item.who)), \(item.when))" : ""
                return ["- [\(item.isTicked ? "x" : " ")] \(escaped(item.title))\(who)"]
                    + (item.note.isEmpty ? [] : ["  - note: \(escaped(item.note))"])
                    + item.evidence.map { "  - \(escaped($0))" }
            }
    }

    private static func escaped(_ text: String) -> String {
        text.map { "\\`*_[]<>#|".contains($0) ? "\\\($0)" : $0.isNewline ? " " : String($0) }.joined()
    }
}
