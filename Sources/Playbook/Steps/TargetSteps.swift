import Foundation
import MigrationEngine
import Postgres

/// 1.3: looks at the server.
struct TargetStep: StepOperation {
    func preview(_ context: StepContext) throws -> Preview {
        switch context.mode {
        case .rehearsal:
            Preview([
                .init(
                    "Starts a private PostgreSQL",
                    [
                        (isMade(context)
                            ? "made already, with what it holds, and left as it is; " : "made by initdb, ")
                            + "reached through a socket that only its owner can open",
                        "It serves the rehearsal, listens on no port, and goes when you say so.",
                    ]),
                .init(
                    "Then looks at", ["version, encoding, collation, time zone, rights, space, encryption"]),
            ])
        case .live:
            Preview([
                .init("Connects to", [context.book.targetWords(.live)]),
                .init(
                    "Looks at, and changes nothing",
                    ["version, encoding, collation, time zone, rights, space, encryption"]),
            ])
        }
    }

    private func isMade(_ context: StepContext) -> Bool {
        guard RehearsalCluster.exists(context.workspace.state) else { return false }
        return (try? RehearsalCluster(context.workspace.state, cancellation: context.cancellation))?.isMade
            ?? false
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let server = try context.server()
        let bytes =
            (try? FileManager.default.attributesOfItem(atPath: context.workspace.source.path)[.size] as? Int64)
            .flatMap { $0 } ?? 0
        if context.mode == .rehearsal {
            try RehearsalCluster(context.workspace.state, cancellation: context.cancellation)
                .checkSpace(forSource: bytes)
        }
        let facts: ServerFacts
        do {
            facts = try server.facts(schema: context.book.schema, sourceBytes: bytes)
        } catch let error as MigrationError where error.code == .connection && context.mode == .live {
            throw MigrationError(
                .connection, error.message,
                remedy: error.remedy
                    + "\nA role or database that is not there yet: step 1.4 makes it, after :admin URL "
                    + "(or --admin URL) has named an administrator's connection.", exit: error.exit)
        }
        let doubts = facts.doubtful.map(\.name)
        return StepOutcome(
            evidence: [
                "PostgreSQL \(facts.version)"
                    + (doubts.isEmpty ? ", fit" : ", look at: \(doubts.joined(separator: ", "))")
            ]
                + facts.facts.map { fact in
                    "\(fact.name): \(fact.value)" + (fact.advice.map { " — \($0)" } ?? "")
                })
    }
}

/// 1.4: makes the database and its owner.
struct DatabaseStep: StepOperation {
    func preview(_ context: StepContext) throws -> Preview {
        switch context.mode {
        case .rehearsal:
            return Preview([
                .init(
                    "Makes the rehearsal's database anew: it holds nothing but an earlier rehearsal",
                    [
                        "DROP DATABASE IF EXISTS rehearsal",
                        "CREATE DATABASE rehearsal TEMPLATE template0 ENCODING 'UTF8'",
                        "ALTER DATABASE rehearsal SET timezone = 'UTC'",
                    ], .sql)
            ])
        case .live:
            guard let maker = try maker(context) else {
                return Preview([
                    .init(
                        "Looks whether the database is there", [context.book.targetWords(.live)]),
                    .init(
                        "Where it is not",
                        ["name an administrator's connection with :admin URL, or --admin URL"]),
                ])
            }
            let missing = try maker.missing(password: "")
            let lines = missing.isEmpty ? ["nothing: role and database are there"] : missing.map(\.shown)
            return Preview(
                [.init("Runs on \(maker.admin.url)", lines, .sql)],
                warning: missing.contains { $0.object == .role }
                    ? "The role's password is made up, and goes into \(PasswordFile(context.workspace.state).path) (mode 0600)."
                    : nil)
        }
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        if context.mode == .rehearsal {
            _ = try context.server()
            try RehearsalCluster(context.workspace.state, cancellation: context.cancellation).resetDatabase()
            return Self.emptied
        }
        guard let maker = try maker(context) else {
            return Self.found(try context.server().check(schema: context.book.schema))
        }
        let password = DatabaseMaker.password()
        let missing = try maker.missing(password: password)
        guard !missing.isEmpty else { return StepOutcome(evidence: ["role and database were there already"]) }
        var undo: [String] = []
        var evidence: [String] = []
        if missing.contains(where: { $0.object == .role }) {
            // Before the role is made: a password that nobody has would be lost.
            let file = PasswordFile(context.workspace.state)
            try file.add([DatabaseMaker.passwordLine(maker.target, password: password)])
            context.book.forgetPassword()
            evidence.append("the password is in \(file.path)")
        }
        try maker.run(missing) { statement in
            evidence.append(statement.shown)
            if let sql = statement.undo { undo.insert(sql, at: 0) }
            try context.book.journal.add(
                .started, "1.4", context.mode, statement.shown, evidence: evidence, data: Journal.encode(undo)
            )
        }
        return StepOutcome(evidence: evidence, data: Journal.encode(undo))
    }

    /// Of the rehearsal.
    static let emptied = StepOutcome(evidence: ["the private database was made anew"])

    static func found(_ database: String) -> StepOutcome {
        StepOutcome(evidence: ["the database \(database) is there"])
    }

    func undoPreview(_ context: StepContext) throws -> Preview? {
        if context.mode == .rehearsal {
            return Preview([.init("Empties the private database", ["DROP DATABASE rehearsal"], .sql)])
        }
        let statements = made(context)
        guard !statements.isEmpty else { return nil }
        return Preview(
            [.init("Runs", statements, .sql)],
            warning: "What others made there stays: a database that is not empty is not dropped.",
            confirmation: context.book.liveTarget?["dbname"])
    }

    func undo(_ context: StepContext) throws -> [String] {
        if context.mode == .rehearsal {
            _ = try context.server()
            try RehearsalCluster(context.workspace.state, cancellation: context.cancellation).resetDatabase()
            return ["the private database is empty"]
        }
        let statements = made(context)
        guard let maker = try maker(context) else {
            throw MigrationError(
                .connection, "dropping them needs an administrator's connection",
                remedy: "Name one with :admin URL, or --admin URL.", exit: .usage)
        }
        try maker.undo(statements)
        return statements
    }

    /// The statements that take back what this step made, as it noted them.
    private func made(_ context: StepContext) -> [String] {
        let entry = context.book.journal.last("1.4", context.mode) { $0.data != nil }
        return entry?.data.flatMap { Journal.decode([String].self, $0) } ?? []
    }

    private func maker(_ context: StepContext) throws -> DatabaseMaker? {
        guard let admin = context.book.admin, let target = context.book.liveTarget else { return nil }
        return DatabaseMaker(target: target, admin: admin, cancellation: context.cancellation)
    }
}
