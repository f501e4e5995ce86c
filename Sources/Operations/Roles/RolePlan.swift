import MigrationEngine
import Postgres

/// Which roles a database would get, as the statements that make them.
///
/// Pure: the same facts give the same statements. Each may run again and changes nothing then.
public struct RolePlan: Sendable {
    public struct Account: Sendable, Equatable {
        public let role: DatabaseRole
        public let name: String
        /// Whether this plan makes it: one that is there keeps its attributes and its password.
        public let isNew: Bool
        /// Whether the application's own role stands in for it.
        public let isGiven: Bool
    }

    public enum Section: String, CaseIterable, Sendable {
        case roles, database, schema, ownership, rights, later

        public var title: String {
            switch self {
            case .roles: "The roles"
            case .database: "The database"
            case .schema: "The schema"
            case .ownership: "Who owns the tables"
            case .rights: "What is there"
            case .later: "What the migrate role makes later"
            }
        }
    }

    public struct Statement: Sendable, Equatable {
        public let section: Section
        public let sql: String
        public let reason: String
        let undo: RoleRecord.Undo?
    }

    /// What howdah leaves to the operator, with the SQL for it.
    public struct Advice: Sendable, Equatable {
        public let words: String
        public let sql: [String]
    }

    public let database: String
    public let schema: String
    public let accounts: [Account]
    public let statements: [Statement]
    public let advice: [Advice]

    public func name(_ role: DatabaseRole) -> String {
        accounts.first { $0.role == role }?.name ?? ""
    }

    public func statements(in section: Section) -> [Statement] { statements.filter { $0.section == section } }

    /// What the undo of all of it would run.
    var record: RoleRecord {
        RoleRecord(
            database: database, made: accounts.filter(\.isNew).map(\.name),
            undo: statements.compactMap(\.undo).reversed())
    }

    /// All of it for psql, in one transaction, with the reasons.
    public var script: String {
        var lines = [
            "-- Roles of least privilege for the database \(Self.line(database)), schema \(Self.line(schema)). Written by howdah.",
            "-- It may run again: what is there stays. None of the new roles has a password yet: \\password ROLE in psql sets one,",
            "-- and howdah roles --apply makes them up, and keeps them in a file that only you read.",
        ]
        lines += accounts.map {
            "--   \(Self.line($0.name))  \($0.role.purpose)" + ($0.isNew ? "" : " (is there)")
        }
        lines += ["", "BEGIN;"]
        for section in Section.allCases {
            let statements = statements(in: section)
            guard !statements.isEmpty else { continue }
            lines += ["", "-- \(section.title)"]
            for statement in statements {
                lines += ["-- " + Self.line(statement.reason), statement.sql + ";"]
            }
        }
        lines += ["", "COMMIT;"]
        for advice in advice {
            lines += ["", "-- By hand: \(Self.line(advice.words))"]
            lines += advice.sql.map { "--   \(Self.line($0));" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A text as part of a comment, which it cannot end.
    private static func line(_ text: String) -> String {
        printable(text).replacing("\n", with: " ")
    }
}

extension RolePlan {
    /// Throws where a name is taken by somebody else's role, or --app names none. `made` are the roles that howdah made here.
    init(_ facts: RoleFacts, schema: String, options: RoleOptions, made: Set<String>) throws {
        let names = try options.names(database: facts.database)
        try Self.refuse(names, facts, options, made)
        let builder = RolePlanBuilder(facts: facts, schema: schema, options: options, names: names)
        database = facts.database
        self.schema = schema
        accounts = DatabaseRole.allCases.map { role in
            let name = names[role] ?? ""
            return Account(
                role: role, name: name, isNew: facts.roles[name] == nil,
                isGiven: role == .app && options.app != nil)
        }
        statements = builder.statements
        advice = builder.advice
    }

    private static func refuse(
        _ names: [DatabaseRole: String], _ facts: RoleFacts, _ options: RoleOptions, _ made: Set<String>
    ) throws {
        if let app = options.app, facts.roles[app] == nil {
            throw MigrationError(
                .targetUnfit, "there is no role \(app)",
                remedy:
                    "Name the role that the application connects as now, or leave --app out to have one made.",
                exit: .usage)
        }
        if Set(names.values).count < names.count {
            throw MigrationError(
                .targetUnfit, "\(options.app ?? "") cannot be two of the roles at once",
                remedy: "Name another role with --app, or another beginning with --prefix.", exit: .usage)
        }
        let taken = DatabaseRole.allCases.compactMap { role -> String? in
            guard let name = names[role], role != .app || options.app == nil else { return nil }
            return facts.roles[name] != nil && !made.contains(name) ? name : nil
        }
        guard let first = taken.first else { return }
        throw MigrationError(
            .targetUnfit,
            "\(taken.joined(separator: ", ")) \(taken.count == 1 ? "is" : "are") there already, and not made by howdah for this database",
            remedy: "Choose another beginning with --prefix NAME"
                + (first == names[.app] ? ", or take the role as the application's with --app." : "."),
            exit: .undecided)
    }
}
