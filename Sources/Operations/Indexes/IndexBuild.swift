import Foundation
import MigrationEngine
import Postgres

/// Makes and drops indexes on a database that is in use: CONCURRENTLY, written down before, and never leaving a broken one
/// behind (https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY).
///
/// Called from a thread that may block; every wait ends after `lockTimeout`, and can be cancelled.
public struct IndexBuild: Sendable {
    let server: TargetServer
    let ledger: IndexLedger
    /// How long a build waits for other transactions. Nobody waits for it meanwhile but DDL and VACUUM on the same table.
    let lockTimeout: Duration
    let cancellation: Cancellation
    let progress: RunProgress

    public init(
        server: TargetServer, ledger: IndexLedger, lockTimeout: Duration = .seconds(300),
        cancellation: Cancellation, progress: RunProgress = RunProgress()
    ) {
        self.server = server
        self.ledger = ledger
        self.lockTimeout = lockTimeout
        self.cancellation = cancellation
        self.progress = progress
    }

    /// What sessions are called that make and drop indexes, so that a killed howdah's are found again.
    static let purpose = "index"

    /// The statement that makes an index of this definition without keeping writers away.
    static func concurrently(_ definition: String) -> String {
        for beginning in ["CREATE UNIQUE INDEX ", "CREATE INDEX "] where definition.hasPrefix(beginning) {
            return beginning + "CONCURRENTLY " + definition.dropFirst(beginning.count)
        }
        return definition
    }

    // MARK: Doing it

    /// Does what one piece of advice says; returns what was done, in words.
    public func apply(_ advice: IndexAdvice) throws -> String {
        if let obstacle = advice.obstacle {
            throw MigrationError(
                .targetUnfit, "\(advice.id): \(obstacle)", remedy: advice.sql.joined(separator: ";\n"),
                exit: .undecided)
        }
        switch advice.action {
        case .create: return try create(advice)
        case .drop: return try drop(advice)
        case .analyze: return try analyze(advice)
        }
    }

    private func create(_ advice: IndexAdvice) throws -> String {
        guard let sql = advice.sql.first else { return "" }
        var record = IndexRecord(
            id: advice.id, schema: advice.schema, table: advice.table, name: advice.index,
            columns: advice.columns, state: .building)
        if var left = leftover(advice) { try removeInvalid(&left) }
        if let there = try find(advice.schema, advice.index) {
            throw MigrationError(
                .target, "\(advice.index) is there already: \(there.definition ?? "not an index")",
                remedy: "Look at the advice again: what it was about has changed meanwhile.",
                exit: .undecided)
        }
        let start = ContinuousClock.now
        try build(sql, &record)
        let seconds = Format.seconds((ContinuousClock.now - start).seconds)
        let size = try find(advice.schema, advice.index)?.bytes.map { ", \(Format.bytes($0))" } ?? ""
        return
            "made \(advice.index) on \(advice.table) (\(advice.columns.joined(separator: ", "))) in \(seconds)\(size)"
    }

    /// Builds, with the record written before and after; what a failure leaves is dropped at once.
    func build(_ sql: String, _ record: inout IndexRecord, as state: IndexRecord.State = .made) throws {
        record.state = .building
        try ledger.note(record)
        CrashPoint.pass("6.1 noted")
        var blocker: String?
        do {
            try server.withConnection(purpose: Self.purpose) { connection in
                try connection.execute(settings(lockTimeout))
                let watch = BuildWatch(
                    server, process: connection.backendProcess, name: record.name, progress: progress)
                defer {
                    blocker = watch.blocker
                    watch.stop()
                }
                try connection.execute(sql)
            }
            CrashPoint.pass("6.1 built")
        } catch let error as PostgresError where error.sqlState == "42P07" {
            // Somebody was quicker, and that index is theirs.
            record.state = .over
            try ledger.note(record)
            throw MigrationError(
                .target, "\(record.name) was made by somebody else in this moment",
                remedy: "Look at the advice again.", exit: .undecided)
        } catch {
            try clean(&record, after: error, blocker)
        }
        guard let made = try find(record.schema, record.name), made.isValid else {
            throw MigrationError(
                .target, "\(record.name) is not there, or not valid, after it was built",
                remedy: "Somebody else changes the same table; look at the advice again.")
        }
        record.definition = made.definition
        record.state = state
        try ledger.note(record)
    }

    /// Takes away what a failed build has left, and throws why it failed.
    private func clean(_ record: inout IndexRecord, after error: any Error, _ blocker: String?) throws
        -> Never
    {
        var left = ""
        do {
            // The wish to stop must not stop this.
            try Self(
                server: TargetServer(server.conninfo, cancellation: Cancellation()), ledger: ledger,
                lockTimeout: .seconds(10), cancellation: Cancellation()
            ).removeInvalid(&record)
        } catch let failure {
            left =
                " An invalid index \(record.name) is left, which could not be dropped yet (\(Self.words(failure))): "
                + "howdah advise finds it, and drops it."
        }
        try cancellation.check(left)
        switch error {
        case let error as PostgresError where error.sqlState == "55P03":
            throw MigrationError(
                .target,
                "\(record.name) was not built: it waited \(Format.seconds(lockTimeout.seconds)) for \(blocker ?? "other transactions").\(left)",
                remedy: "End that session or wait for its end, and run this again.", mayPass: true)
        case let error as PostgresError where error.code == .server:
            throw MigrationError(
                .target,
                "\(record.name) could not be built: \(error.message)\(error.detail == nil ? "" : " (the server's log has the row)").\(left)",
                remedy: "Nothing else was changed. Leave it out, or mend what the message names.")
        default: throw error
        }
    }

    private static func words(_ error: any Error) -> String {
        (error as? PostgresError)?.message ?? (error as? MigrationError)?.message ?? "\(error)"
    }

    /// The record of a build of the same name that nobody saw the end of.
    private func leftover(_ advice: IndexAdvice) -> IndexRecord? {
        ledger.records.first { record in
            record.isLeftover && record.schema == advice.schema && record.name == advice.index
        }
    }

    private func drop(_ advice: IndexAdvice) throws -> String {
        if advice.rules.contains(.leftover), var left = leftover(advice) {
            try removeInvalid(&left)
            return left.state == .made
                ? "\(advice.index) was finished by the server meanwhile, and stays"
                : "dropped \(advice.index), which was never finished"
        }
        guard let there = try find(advice.schema, advice.index), let definition = there.definition else {
            return "\(advice.index) is gone already"
        }
        var record = IndexRecord(
            id: advice.id, schema: advice.schema, table: advice.table, name: advice.index,
            columns: advice.columns, definition: definition, state: .dropping)
        try ledger.note(record)
        do {
            try dropConcurrently(advice.schema, advice.index)
        } catch {
            // An interrupted drop leaves an index that is there, or is invalid: the next look tells which.
            throw try explained(error, "\(advice.index) was not dropped")
        }
        record.state = .dropped
        try ledger.note(record)
        return "dropped \(advice.index) on \(advice.table)"
    }

    private func analyze(_ advice: IndexAdvice) throws -> String {
        progress.say("reading \(advice.table) for its statistics")
        defer { progress.say(nil) }
        do {
            try server.withConnection(purpose: Self.purpose) { connection in
                try connection.execute(settings(.seconds(30)))
                for statement in advice.sql { try connection.execute(statement) }
            }
        } catch {
            throw try explained(error, "\(advice.table) was not analysed")
        }
        return "statistics of \(advice.table) are made"
    }

    func explained(_ error: any Error, _ words: String) throws -> any Error {
        try cancellation.check()
        guard let error = error as? PostgresError, error.code == .server else { return error }
        return MigrationError(
            .target, "\(words): \(error.message)", remedy: "Look at the message, and run this again.",
            mayPass: error.sqlState == "55P03")
    }

}

extension Cancellation {
    /// Throws when the wish was made, with what should be known then.
    fileprivate func check(_ more: String) throws {
        guard isCancelled else { return }
        guard !more.isEmpty else { throw MigrationError.cancelled }
        throw MigrationError(
            .cancelled, "cancelled.\(more)", remedy: MigrationError.cancelled.remedy, exit: .cancelled)
    }
}
