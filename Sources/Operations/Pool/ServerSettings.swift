import Foundation
import MigrationEngine
import Postgres

/// A setting that is worth changing, with its SQL.
public struct SettingAdvice: Codable, Sendable, Equatable, Identifiable {
    /// `setting:` and its name.
    public let id: String
    public let name: String
    /// As new sessions get it, in words.
    public let present: String
    public let advised: String
    public let reason: String
    public let source: String
    public let sql: String
    /// What the change asks for: a restart, a reload, new sessions.
    public let takesEffect: String
    /// Whether howdah changes it on the operator's word: settings of the database alone.
    public let isOwn: Bool
}

/// Settings of a server held against the table of rules.
struct ServerSettings {
    let rules: [SettingRule]

    init(rules: [SettingRule] = SettingRule.all) {
        self.rules = rules
    }

    /// Those that are worth changing. What the session itself has set does not count: new sessions get other values.
    func advice(
        _ facts: PoolFacts, _ connection: borrowing Postgres.Connection
    ) throws -> [SettingAdvice] {
        let row = try connection.query(
            """
            SELECT coalesce(json_agg(json_build_object('name', name, 'text', reset_val, 'unit', unit, 'context', context,
                'choices', coalesce(enumvals, '{}'))), '[]') FROM pg_settings WHERE name = ANY ($1::text[])
            """, ["{" + rules.map(\.name).joined(separator: ",") + "}"])
        let settings = try JSONDecoder().decode([Setting].self, from: Data((row.text(0, 0) ?? "[]").utf8))
        var values: [String: SettingRule.Situation.Value] = [:]
        for setting in settings {
            values[setting.name] = SettingRule.Situation.Value(
                text: setting.text ?? "", number: setting.number, choices: setting.choices)
        }
        let situation = SettingRule.Situation(
            facts: facts,
            values: values,
            requestedCheckpoints: try checkpoints(facts, connection))
        let (database, user) = (connection.database, connection.user)
        return rules.compactMap { rule in
            guard let setting = settings.first(where: { $0.name == rule.name }),
                let advised = rule.advised(situation)
            else { return nil }
            return advice(rule, setting, advised, database: database, user: user)
        }
    }

    private func advice(
        _ rule: SettingRule, _ setting: Setting, _ advised: String, database: String, user: String
    ) -> SettingAdvice {
        let value = "\(rule.name) = \(quoteLiteral(advised))"
        let sql =
            switch rule.level {
            case .server: "ALTER SYSTEM SET \(value)"
            case .database: "ALTER DATABASE \(quoteIdentifier(database)) SET \(value)"
            case .role:
                "ALTER ROLE \(quoteIdentifier(user)) IN DATABASE \(quoteIdentifier(database)) SET \(value)"
            }
        let effect =
            switch (rule.level, setting.context) {
            case (.server, "postmaster"): "after a restart of the server"
            case (.server, _): "after SELECT pg_reload_conf()"
            default: "in new sessions"
            }
        return SettingAdvice(
            id: "setting:\(rule.name)", name: rule.name, present: setting.words, advised: advised,
            reason: rule.reason, source: "https://www.postgresql.org/docs/current/\(rule.section)", sql: sql,
            takesEffect: effect, isOwn: rule.level == .database)
    }

    /// Checkpoints that were asked for by what was written, as a part of all: since PostgreSQL 17 elsewhere.
    private func checkpoints(
        _ facts: PoolFacts, _ connection: borrowing Postgres.Connection
    ) throws -> Double? {
        let row = try connection.query(
            facts.version >= 170_000
                ? "SELECT num_timed, num_requested FROM pg_stat_checkpointer"
                : "SELECT checkpoints_timed, checkpoints_req FROM pg_stat_bgwriter")
        guard let timed = row.int(0, 0), let asked = row.int(0, 1), timed + asked >= 20 else { return nil }
        return Double(asked) / Double(timed + asked)
    }

    private struct Setting: Decodable {
        let name: String
        let text: String?
        let unit: String?
        let context: String
        let choices: [String]

        private static let units: [String: Double] = [
            "B": 1, "kB": 1024, "8kB": 8192, "16MB": 16_777_216, "MB": 1_048_576, "ms": 1, "s": 1000,
            "min": 60_000,
        ]

        /// In bytes, or milliseconds; -1 stays what it is.
        var number: Double? {
            guard let value = text.flatMap({ Double($0) }) else { return nil }
            return value < 0 ? value : value * (unit.flatMap { Self.units[$0] } ?? 1)
        }

        /// As people read it.
        var words: String {
            guard let number, number > 0, let unit, Self.units[unit] != nil else { return text ?? "" }
            if ["ms", "s", "min"].contains(unit) { return Format.seconds(number / 1000) }
            return Format.bytes(Int64(number))
        }
    }
}

/// A setting of a database that howdah has changed, as the journal keeps it.
public struct SettingRecord: Codable, Sendable, Equatable {
    public let name: String
    public let database: String
    /// The database's own value before; nil where it had none.
    public let before: String?
    public let after: String
    public var isUndone: Bool

    public init(name: String, database: String, before: String?, after: String, isUndone: Bool) {
        self.name = name
        self.database = database
        self.before = before
        self.after = after
        self.isUndone = isUndone
    }
}
