import AppProject

/// Which item of phase 5 a command's name speaks of: a proposal, which the operator accepts or not.
enum LinkRule {
    /// Items that commands can be linked to.
    static let items = ["5.2", "5.3", "5.4", "5.5", "5.6", "5.7", "5.8", "5.9"]

    /// Beginnings of words in a command's name.
    private static let words: [(item: String, beginnings: [String])] = [
        ("5.2", ["encrypt", "crypt", "pfs", "pqc", "ratchet", "e2ee"]),
        ("5.3", ["socket", "websocket", "realtime", "messaging"]),
        ("5.4", ["upload", "download", "file", "attachment"]),
        ("5.5", ["conversation"]),
        ("5.6", ["auth", "login", "registration", "signup"]),
        ("5.7", ["service", "database", "db", "repositor"]),
        ("5.8", ["history", "pagination", "paging"]),
        ("5.9", ["rotation", "rotate"]),
    ]

    /// Of a service nothing is proposed: it runs, and proves nothing.
    static func items(for command: AppCommand) -> [String] {
        guard command.kind == .test else { return [] }
        // The folder says where it is, not what it tests.
        var name = command.name
        if let prefix = [command.folder, String(command.folder.drop { $0 == "." || $0 == "/" })]
            .first(where: { !$0.isEmpty && name.hasPrefix($0 + ":") })
        {
            name = String(name.dropFirst(prefix.count + 1))
        }
        let parts = name.lowercased().split { !$0.isLetter && !$0.isNumber }
        return words.filter { _, beginnings in
            parts.contains { part in beginnings.contains { part.hasPrefix($0) } }
        }.map(\.item)
    }
}
