import ArgumentParser
import Foundation
import MigrationEngine
import Operations
import Playbook

struct RolesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "roles",
        abstract: "Four roles of least privilege: for migrations, the application, backups and monitoring.",
        discussion: """
            Without --apply or --undo the SQL is printed, for psql or for an administrator, and nothing is changed. --apply
            runs it in one transaction, and makes up the passwords; --undo drops the roles that it made, where nobody uses
            them. Exit codes: 0 done; 1 an error; 2 nobody has confirmed it; 3 a name is taken, or a role is in use.
            """)

    @Argument(help: "A project's folder, or a SQLite file.")
    var project: String = "."

    @Argument(help: "The live target, or rehearsal.")
    var target: String?

    @Option(
        help: ArgumentHelp(
            "What the roles' names begin with; the database's name unless said.", valueName: "name"))
    var prefix: String?

    @Option(
        help: ArgumentHelp(
            "The role that the application connects as already, in place of a new one.", valueName: "role"))
    var app: String?

    @Flag(help: "Also hand the tables that others own to the migrate role.")
    var own = false

    @Flag(help: "Make the roles, and grant what they need.")
    var apply = false

    @Flag(help: "Drop the roles that --apply has made.")
    var undo = false

    @Flag(help: "Show the SQL, and run nothing.")
    var preview = false

    @Flag(help: "Change a live target without being asked for the database's name.")
    var yes = false

    @Option(help: ArgumentHelp("A connection of somebody who may make roles; never kept.", valueName: "url"))
    var admin: String?

    @Option(name: .customLong("as"), help: ArgumentHelp("Who does it, for the journal.", valueName: "name"))
    var who: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if apply, undo { throw ValidationError("--apply and --undo exclude each other") }
        if let prefix, prefix.isEmpty { throw ValidationError("--prefix takes a name") }
        if let app, app.isEmpty { throw ValidationError("--app takes the name of a role") }
    }

    func run() throws {
        CommandRunner.run(common) { cancellation in
            let server = try Target.server(target)
            let confirmation = LiveConfirmation(isConfirmed: yes, isJSON: common.json)
            if let server, apply || undo, !preview { try confirmation.refuseUnasked(server) }
            let book = try Playbook(
                Workspace(project, state: common.state), target: server, admin: Target.server(admin), who: who
            )
            defer { book.close() }
            try book.setMode(server == nil ? .rehearsal : .live, isKept: false)
            guard let activity = book.begin(nil, cancellation: cancellation) else {
                throw MigrationError(.locked, "other work is under way", remedy: "Wait for its end.")
            }
            defer { book.end(activity) }
            for isAdmin in [false, true] {
                guard Console.isTerminal,
                    let url = try book.asksForPassword(isAdmin: isAdmin, activity), book.mode == .live,
                    let password = Console.readPassword("Password for \(url): ")
                else { continue }
                try book.setPassword(password, isAdmin: isAdmin)
            }
            let work = RolesWork(
                command: self, book: book, activity: activity,
                confirm: { what, database in
                    guard book.mode == .live else { return }
                    try confirmation.ask(what, database: database, cancellation)
                })
            return undo ? try work.takeBack() : try work.make()
        }
    }
}

/// The two ways of the command, with their words.
private struct RolesWork {
    let command: RolesCommand
    let book: Playbook
    let activity: Activity
    let confirm: (_ what: String, _ database: String) throws -> Void

    func make() throws -> ExitCode {
        let options = RoleOptions(
            prefix: command.prefix, app: command.app, takesOwnership: command.own)
        let plan = try book.rolePlan(options, activity)
        var evidence: [String] = []
        let isRun = command.apply && !command.preview
        if isRun {
            if !command.yes, book.mode == .live {
                for line in plan.script.split(separator: "\n") { Console.note(String(line)) }
            }
            try confirm("This is run on \(book.targetWords(.live)).", plan.database)
            evidence = try book.applyRoles(plan, options, activity)
        }
        let urls = try DatabaseRole.allCases.map { ($0, try book.roleURL(plan, $0, activity)) }
        if command.common.json {
            Console.json(
                RolesDocument(
                    outcome: isRun ? "done" : "answered", target: book.targetWords(book.mode), plan: plan,
                    urls: urls, evidence: evidence))
        } else if isRun {
            evidence.forEach(Console.result)
            words(plan, urls).forEach(Console.result)
        } else {
            Console.document(plan.script)
        }
        return .success
    }

    /// What is connected as what, and what is left to do by hand.
    private func words(_ plan: RolePlan, _ urls: [(DatabaseRole, String)]) -> [String] {
        let rows = plan.accounts.map { ["  \($0.name)", $0.role.purpose] }
        let settings = urls.compactMap { role, url -> String? in
            switch role {
            case .app: "DATABASE_URL=\"\(url)\""
            case .migrate: "DIRECT_URL=\"\(url)\""
            default: nil
            }
        }
        return Format.table(rows, right: [])
            + [
                "",
                "The application connects as \(plan.name(.app)), migrations as \(plan.name(.migrate)); with Prisma:",
            ] + settings.sorted().map { "  " + $0 }
            + [
                "  with directUrl = env(\"DIRECT_URL\") in the datasource; each password goes after the name, with a colon: NAME:PASSWORD@"
            ]
            + plan.advice.flatMap { advice in
                ["", "! \(advice.words)"] + advice.sql.map { "    \($0);" }
            }
    }

    func takeBack() throws -> ExitCode {
        var statements = try book.roleUndoStatements(activity)
        let isRun = !command.preview
        if isRun {
            if !command.yes, book.mode == .live { for sql in statements { Console.note("\(sql);") } }
            let database = book.mode == .live ? try book.rolesDatabase(activity) : ""
            try confirm("This is run on \(book.targetWords(.live)).", database)
            statements = try book.undoRoles(activity)
        }
        if command.common.json {
            Console.json(
                RolesUndoDocument(
                    outcome: isRun ? "undone" : "answered", target: book.targetWords(book.mode),
                    statements: statements))
        } else if statements.isEmpty {
            Console.result("nothing was made here, so there is nothing to undo")
        } else {
            if isRun { Console.result("undone, in one transaction:") }
            for sql in statements { Console.result("\(sql);") }
        }
        return .success
    }
}

/// What `roles --json` prints.
struct RolesDocument: Encodable {
    struct Role: Encodable {
        let role: DatabaseRole
        let name: String
        let purpose: String
        let url: String
        let is_new: Bool
    }

    struct Statement: Encodable {
        let section: String
        let sql: String
        let reason: String
    }

    struct Advice: Encodable {
        let words: String
        let sql: [String]
    }

    let command = "roles"
    let outcome: String
    let exit = 0
    let target: String
    let database: String
    let schema: String
    let roles: [Role]
    let statements: [Statement]
    let by_hand: [Advice]
    let evidence: [String]

    init(
        outcome: String, target: String, plan: RolePlan, urls: [(DatabaseRole, String)], evidence: [String]
    ) {
        self.outcome = outcome
        self.target = target
        database = plan.database
        schema = plan.schema
        roles = plan.accounts.map { account in
            Role(
                role: account.role, name: account.name, purpose: account.role.purpose,
                url: urls.first { $0.0 == account.role }?.1 ?? "", is_new: account.isNew)
        }
        statements = plan.statements.map {
            .init(section: $0.section.rawValue, sql: $0.sql, reason: $0.reason)
        }
        by_hand = plan.advice.map { .init(words: $0.words, sql: $0.sql) }
        self.evidence = evidence
    }
}

/// What `roles --undo --json` prints.
struct RolesUndoDocument: Encodable {
    let command = "roles"
    let outcome: String
    let exit = 0
    let target: String
    let statements: [String]
}
