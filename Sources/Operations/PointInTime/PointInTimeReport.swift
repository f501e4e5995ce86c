import Foundation
import MigrationEngine
import Postgres

/// What a server has and lacks for a way back to a moment, and the lines to set.
public struct PointInTimeReport: Codable, Sendable, Equatable {
    public let version: String
    public let database: String
    public let isStandby: Bool
    /// The provider's own way, where the server is one of a provider's.
    public let provider: String?
    public let providerPlace: String?
    public let providerSource: String?
    public let results: [PointInTimeResult]

    /// What is to be set, or to be done.
    public var missing: [PointInTimeResult] { provider == nil ? results.filter { $0.state == .missing } : [] }
    public var unseen: [PointInTimeResult] { provider == nil ? results.filter { $0.state == .unseen } : [] }
    public var isReady: Bool { provider == nil && missing.isEmpty && unseen.isEmpty }

    /// What the step counts as open: on a provider's server one thing, to look there.
    public var open: Int { provider == nil ? missing.count + unseen.count : 1 }

    init(_ facts: PointInTimeFacts, archiveCommand: String) {
        version = facts.versionText
        database = facts.database
        isStandby = facts.isStandby
        provider = facts.provider?.name
        providerPlace = facts.provider?.place
        providerSource = facts.provider?.source
        results = PointInTimeCheck.table.filter { $0.versions.contains(facts.version) }
            .map { $0.result(facts, archiveCommand: archiveCommand) }
    }

    /// The lines of postgresql.conf, without a restart first.
    public var configuration: [String] {
        missing.sorted { !$0.needsRestart && $1.needsRestart }.flatMap { result in
            result.settings.map { $0 + (result.needsRestart ? "   # needs a restart" : "") }
        }
    }

    /// The same as SQL for a superuser.
    public var statements: [String] {
        let lines = missing.flatMap(\.settings).map { "ALTER SYSTEM SET \($0)" }
        return lines.isEmpty ? [] : lines + ["SELECT pg_reload_conf()"]
    }

    public var needsRestart: Bool { missing.contains(where: \.needsRestart) }

    /// The most telling first.
    public var lines: [String] {
        if let provider {
            return [
                "\(provider): the provider keeps the log, and restores to a moment",
                "there: \(providerPlace ?? "")", "described at \(providerSource ?? "")",
            ]
        }
        var lines = [
            isReady
                ? "the server can be set back to a moment: all of \(Format.count(results.count, "check", "checks")) pass"
                : "\(Format.count(missing.count, "line", "lines")) to set or to do"
                    + (unseen.isEmpty ? "" : ", and \(unseen.count) that this role cannot see")
        ]
        lines += missing.map { result in
            "\(result.title): \(result.value); needed: \(result.needed), since \(result.reason)"
        }
        lines += configuration.map { "set: \($0)" }
        lines += unseen.map { "\($0.title): \($0.value)" }
        lines += results.filter { $0.state == .remark }.map { "\($0.title): \($0.value)" }
        return lines + results.filter { $0.state == .good }.map { "\($0.title): \($0.value)" }
    }
}

/// What one check came to.
public struct PointInTimeResult: Codable, Sendable, Equatable {
    public enum State: String, Codable, Sendable {
        case good
        /// Something is to be set or done.
        case missing
        /// Worth knowing, and no obstacle.
        case remark
        /// This role cannot see it.
        case unseen
    }

    public let id: String
    public let title: String
    public let state: State
    /// What the server has.
    public let value: String
    public let needed: String
    public let reason: String
    public let source: String
    /// Settings to change, as `name = value`.
    public let settings: [String]
    public let needsRestart: Bool
}
