import Foundation
import MigrationEngine
import Yams

/// The limits with the operator's own over them.
public struct MonitorLimits: Sendable, Equatable {
    public private(set) var all = MonitorLimit.standard

    public init() {}

    public subscript(id: MonitorLimit.ID) -> MonitorLimit {
        all.first { $0.id == id } ?? MonitorLimit.standard[0]
    }

    // MARK: The operator's own

    /// Takes `ID=WARN[,CRITICAL]` or `ID=off`; throws `.plan` with exit code 2 where that is none.
    public mutating func set(_ text: String) throws {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw Self.unreadable("--limit \(text) has no =") }
        try set(
            String(parts[0]).trimmingCharacters(in: .whitespaces), String(parts[1]), place: "--limit \(text)")
    }

    private mutating func set(_ name: String, _ value: String, place: String) throws {
        if value.trimmingCharacters(in: .whitespaces) == "off" { return try set(name, [], place: place) }
        let numbers = value.split(separator: ",", omittingEmptySubsequences: false)
            .map { Double($0.trimmingCharacters(in: .whitespaces)) }
        guard numbers.allSatisfy({ $0 != nil }) else {
            throw Self.unreadable("\(place): \(value) is no number")
        }
        try set(name, numbers, place: place)
    }

    /// Warn alone leaves nothing critical; no number takes the limit away.
    private mutating func set(_ name: String, _ numbers: [Double?], place: String) throws {
        guard let id = MonitorLimit.ID(rawValue: name), let index = all.firstIndex(where: { $0.id == id })
        else {
            throw Self.unreadable("\(place): there is no limit “\(name)”")
        }
        guard numbers.count <= 2, numbers.allSatisfy({ $0.map { $0.isFinite && $0 >= 0 } ?? true }) else {
            throw Self.unreadable("\(place): a limit is one number, or two")
        }
        let warn = numbers.first ?? nil
        let critical = numbers.count > 1 ? numbers[1] : nil
        if let warn, let critical, all[index].direction == .above ? warn > critical : warn < critical {
            throw Self.unreadable("\(place): critical must come after warn")
        }
        all[index].warn = warn
        all[index].critical = critical
    }

    /// Takes the `monitor:` section of a YAML file: names of limits with a number, with two, or with `off`.
    ///
    /// Throws `.plan` with exit code 2 where it cannot be read, or has a name that there is none of.
    public mutating func read(_ path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw MigrationError(
                .state, "the limits \(path) cannot be read: \(String(cString: strerror(errno)))",
                remedy: "Name a YAML file with a section monitor.", exit: .usage)
        }
        try read(yaml: String(decoding: data, as: UTF8.self), name: path)
    }

    mutating func read(yaml: String, name: String) throws {
        let root: Node?
        do {
            root = try Yams.compose(yaml: yaml)
        } catch {
            throw Self.unreadable("\(name) is no YAML: \(error)")
        }
        guard let section = root?.mapping?["monitor"] else {
            throw Self.unreadable("\(name) has no section monitor")
        }
        // A section without a line changes nothing.
        if section.null != nil { return }
        guard let lines = section.mapping else {
            throw Self.unreadable("\(name): monitor is to name limits with their numbers")
        }
        for (key, value) in lines {
            let id = key.string ?? ""
            let place = "\(name), \(id)"
            if let word = value.scalar?.string {
                try set(id, word == "false" || word == "no" ? "off" : word, place: place)
            } else if let pair = value.sequence {
                try set(id, pair.map { $0.scalar?.string ?? "?" }.joined(separator: ","), place: place)
            } else if let pair = value.mapping {
                try set(id, try Self.numbers(pair, place), place: place)
            }
        }
    }

    private static func numbers(_ pair: Node.Mapping, _ place: String) throws -> [Double?] {
        var numbers: [Double?] = [nil, nil]
        for (key, value) in pair {
            guard let index = ["warn", "critical"].firstIndex(of: key.string ?? ""),
                let number = value.scalar.flatMap({ Double($0.string) })
            else { throw unreadable("\(place): a limit has warn and critical, with a number each") }
            numbers[index] = number
        }
        return numbers
    }

    private static func unreadable(_ message: String) -> MigrationError {
        MigrationError(
            .plan, message,
            remedy: "Write ID=WARN, ID=WARN,CRITICAL or ID=off; the limits are: "
                + MonitorLimit.ID.allCases.map(\.rawValue).joined(separator: ", ") + ".", exit: .usage)
    }

    /// The file that `read` takes, with every limit, its unit and its reason.
    public var yaml: String {
        var lines = [
            "# Limits of howdah monitor: warn, critical. “off” takes one away; a line that is missing means howdah's own.",
            "monitor:",
        ]
        for limit in all {
            let side = limit.direction == .below ? "or less" : "or more"
            let unit = limit.unit.rawValue.isEmpty ? "" : " \(limit.unit.rawValue)"
            lines.append("  # \(limit.words),\(unit) \(side): \(limit.reason)")
            let pairs = [("warn", limit.warn), ("critical", limit.critical)].compactMap { name, number in
                number.map { "\(name): \(MonitorWords.number($0))" }
            }
            lines.append(
                "  \(limit.id.rawValue): " + (pairs.isEmpty ? "off" : "{\(pairs.joined(separator: ", "))}"))
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
