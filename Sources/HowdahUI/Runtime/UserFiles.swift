import Foundation
import TerminalUI
import Yams

/// What an operator keeps for all projects: keys, themes and the theme chosen in `$XDG_CONFIG_HOME/howdah/`, and the
/// projects opened last in `$XDG_STATE_HOME/howdah/`.
public struct UserFiles: Sendable {
    private let configuration: String
    private let state: String
    /// What could not be read, in words.
    public private(set) var problems: [String] = []

    public init(environment: [String: String]) {
        let home = environment["HOME"] ?? NSHomeDirectory()
        func folder(_ name: String, _ otherwise: String) -> String {
            let given = environment[name].flatMap { $0.hasPrefix("/") ? $0 : nil }
            return (given ?? "\(home)/\(otherwise)") + "/howdah"
        }
        configuration = folder("XDG_CONFIG_HOME", ".config")
        state = folder("XDG_STATE_HOME", ".local/state")
    }

    private func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }

    // MARK: Keys

    /// The table of keys with the operator's own: `keys.yaml` maps names of actions to a key, or to a list of keys.
    public mutating func keys() -> KeyTable<KeyContext, Action> {
        var table = Bindings.standard
        guard let text = text("\(configuration)/keys.yaml") else { return table }
        do {
            guard let wanted = try Yams.load(yaml: text) as? [String: Any] else {
                problems.append("keys.yaml maps names of actions to keys")
                return table
            }
            let pairs = wanted.sorted { $0.key < $1.key }.map {
                name, value -> (action: String, keys: [String]) in
                let keys = (value as? [Any])?.map { "\($0)" } ?? ["\(value)"]
                return (name, keys)
            }
            problems += table.apply(pairs).map { "keys.yaml: \($0)" }
        } catch {
            problems.append("keys.yaml cannot be read: \(error)")
        }
        return table
    }

    // MARK: Themes

    /// The shipped themes with those of the operator's `themes` folder, which go first.
    public mutating func themes() -> Themes {
        var themes = Themes.shipped
        let folder = "\(configuration)/themes"
        for name in ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        where name.hasSuffix(".yaml") {
            do throws(ThemeFile.Unreadable) {
                try themes.add(text("\(folder)/\(name)") ?? "", name: String(name.dropLast(5)))
            } catch {
                problems.append(error.description)
            }
        }
        return themes
    }

    public var theme: String? {
        text("\(configuration)/theme")?.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Remembers the theme for the next time; a folder that cannot be written leaves it.
    func keep(theme: String) {
        try? FileManager.default.createDirectory(atPath: configuration, withIntermediateDirectories: true)
        try? (theme + "\n").write(toFile: "\(configuration)/theme", atomically: true, encoding: .utf8)
    }

    // MARK: Projects

    /// Projects opened before, the last one first.
    var recent: [String] {
        (text("\(state)/recent") ?? "").split(separator: "\n").map(String.init)
            .filter { access($0, R_OK) == 0 }
    }

    func remember(_ path: String) {
        let paths = ([path] + recent.filter { $0 != path }).prefix(20)
        try? FileManager.default.createDirectory(
            atPath: state, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try? (paths.joined(separator: "\n") + "\n").write(
            toFile: "\(state)/recent", atomically: true, encoding: .utf8)
    }
}
