import MigrationEngine
import Postgres

/// Turns the table of rights into statements for one server.
struct RolePlanBuilder {
    let facts: RoleFacts
    let schema: String
    let options: RoleOptions
    let names: [DatabaseRole: String]

    private func quoted(_ role: DatabaseRole) -> String { quoteIdentifier(names[role] ?? "") }
    private var place: String { quoteIdentifier(schema) }
    private var database: String { quoteIdentifier(facts.database) }

    /// Whether a role was there before: what it had then is not known to be less than what it gets.
    private func isGiven(_ role: DatabaseRole) -> Bool { role == .app && options.app != nil }

    /// The rights that this server's version has.
    private var rights: [RoleRight] { RoleRight.table.filter { $0.versions.contains(facts.version) } }

    /// In the order in which they run: owners are settled before anything is granted by them.
    var statements: [RolePlan.Statement] {
        roles + ofDatabase + ofSchema + ownership + ofObjects + later + membershipEnd
    }

    private func statement(
        _ section: RolePlan.Section, _ sql: String, _ reason: String, undo: String? = nil,
        of roles: [DatabaseRole] = []
    ) -> RolePlan.Statement {
        RolePlan.Statement(
            section: section, sql: sql, reason: reason,
            undo: undo.map { .init(sql: $0, roles: roles.compactMap { names[$0] }) })
    }

    // MARK: Roles

    private var roles: [RolePlan.Statement] {
        var made: [RolePlan.Statement] = []
        for right in rights {
            let role = quoted(right.role)
            let reason = "\(names[right.role] ?? ""): \(right.reason)"
            switch right.place {
            case .attributes where isGiven(right.role): continue
            case .attributes:
                made.append(statement(.roles, creation(names[right.role] ?? "", right.words), reason))
            case .membership:
                made.append(
                    statement(
                        .roles, "GRANT \(right.words) TO \(role)", reason,
                        undo: "REVOKE \(right.words) FROM \(role)", of: [right.role]))
            case .setting:
                made.append(
                    statement(
                        .roles, "ALTER ROLE \(role) IN DATABASE \(database) SET \(right.words)", reason,
                        undo:
                            "ALTER ROLE \(role) IN DATABASE \(database) RESET \(right.words.prefix { $0 != " " })",
                        of: [right.role]))
            case .rowSecurity where !facts.secured.isEmpty && facts.mayBypass:
                made.append(statement(.roles, "ALTER ROLE \(role) \(right.words)", reason))
            default: continue
            }
        }
        return made + searchPaths + membership
    }

    /// CREATE ROLE knows no IF NOT EXISTS.
    private func creation(_ name: String, _ attributes: String) -> String {
        let body =
            "BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = \(quoteLiteral(name))) THEN "
            + "CREATE ROLE \(quoteIdentifier(name)) \(attributes); END IF; END"
        var tag = "$howdah$"
        while body.contains(tag) { tag = "$\(tag.dropFirst().dropLast())_$" }
        return "DO \(tag) \(body) \(tag)"
    }

    /// Where the tables are in a schema of their own, names without one must still be found.
    private var searchPaths: [RolePlan.Statement] {
        guard schema != "public" else { return [] }
        // A role that is there has settings of its own.
        let roles = [DatabaseRole.migrate, .app].filter { !isGiven($0) }
        return roles.map { role in
            statement(
                .roles,
                "ALTER ROLE \(quoted(role)) IN DATABASE \(database) SET search_path = \(place), public",
                "\(names[role] ?? ""): names without a schema mean the tables in \(schema)",
                undo: "ALTER ROLE \(quoted(role)) IN DATABASE \(database) RESET search_path", of: [role])
        }
    }

    /// Only a member, or a superuser, says what another role's tables are to be like.
    private var needsMembership: Bool {
        !facts.isSuperuser && !facts.memberships.contains(names[.migrate] ?? "")
    }

    private var membership: [RolePlan.Statement] {
        guard needsMembership else { return [] }
        return [
            statement(
                .roles, "GRANT \(quoted(.migrate)) TO CURRENT_USER",
                "for as long as this runs: only a member says what another role's tables are to be like")
        ]
    }

    private var membershipEnd: [RolePlan.Statement] {
        guard needsMembership, !formerOwners.contains(facts.user) else { return [] }
        return [
            statement(
                .later, "REVOKE \(quoted(.migrate)) FROM CURRENT_USER", "the membership was for this alone")
        ]
    }

    // MARK: Database and schema

    private var ofDatabase: [RolePlan.Statement] {
        var made = rights.filter { $0.place == .database }.map { right in
            statement(
                .database, "GRANT \(right.words) ON DATABASE \(database) TO \(quoted(right.role))",
                "\(names[right.role] ?? ""): \(right.reason)",
                undo: isGiven(right.role)
                    ? nil : "REVOKE \(right.words) ON DATABASE \(database) FROM \(quoted(right.role))",
                of: [right.role])
        }
        if facts.publicMayConnect, facts.connecting.isEmpty {
            made.append(
                statement(
                    .database, publicConnect,
                    "every role of the server may connect otherwise; nobody but these needs it",
                    undo: "GRANT CONNECT ON DATABASE \(database) TO PUBLIC"))
        }
        return made
    }

    private var publicConnect: String { "REVOKE CONNECT ON DATABASE \(database) FROM PUBLIC" }
    private var publicCreate: String { "REVOKE CREATE ON SCHEMA \(place) FROM PUBLIC" }

    private var ofSchema: [RolePlan.Statement] {
        var made: [RolePlan.Statement] = []
        if !facts.hasSchema {
            made.append(
                statement(
                    .schema, "CREATE SCHEMA IF NOT EXISTS \(place) AUTHORIZATION \(quoted(.migrate))",
                    "it is not there yet", undo: "DROP SCHEMA IF EXISTS \(place)"))
        }
        made += granted(.schema, .schema) { words, role in
            (
                "GRANT \(words) ON SCHEMA \(place) TO \(role)",
                "REVOKE \(words) ON SCHEMA \(place) FROM \(role)"
            )
        }
        if facts.publicMayCreate, facts.creating.isEmpty {
            made.append(
                statement(
                    .schema, publicCreate,
                    "anybody could make a table or a function there otherwise, and have it found before yours (CVE-2018-1058)",
                    undo: "GRANT CREATE ON SCHEMA \(place) TO PUBLIC"))
        }
        if facts.hasLedger {
            // What another role has is not taken from it here, least of all its own schema.
            let app = isGiven(.app) ? "" : ", \(quoted(.app))"
            made.append(
                statement(
                    .schema, "REVOKE ALL ON SCHEMA howdah FROM PUBLIC\(app)",
                    "howdah's ledger may hold rows in quarantine: it is none of the application's"))
            // A role that reads all data reads this too.
            let reads = rights.filter {
                $0.role == .backup && [.schema, .tables, .sequences].contains($0.place)
            }
            made += reads.map { right in
                let what = Self.all(right.place, in: "howdah")
                return statement(
                    .schema, "GRANT \(right.words) ON \(what) TO \(quoted(.backup))",
                    "\(names[.backup] ?? ""): \(right.reason)",
                    undo: "REVOKE \(right.words) ON \(what) FROM \(quoted(.backup))", of: [.backup])
            }
        }
        return made
    }

    // MARK: Objects

    private static func all(_ place: RoleRight.Place, in schema: String) -> String {
        switch place {
        case .tables: "ALL TABLES IN SCHEMA \(schema)"
        case .sequences: "ALL SEQUENCES IN SCHEMA \(schema)"
        case .functions: "ALL FUNCTIONS IN SCHEMA \(schema)"
        default: "SCHEMA \(schema)"
        }
    }

    private func granted(
        _ place: RoleRight.Place, _ section: RolePlan.Section,
        _ sql: (_ words: String, _ role: String) -> (grant: String, revoke: String)
    ) -> [RolePlan.Statement] {
        rights.filter { $0.place == place }.map { right in
            let text = sql(right.words, quoted(right.role))
            return statement(
                section, text.grant, "\(names[right.role] ?? ""): \(right.reason)",
                undo: isGiven(right.role) && section != .later ? nil : text.revoke,
                of: section == .later ? [right.role, .migrate] : [right.role])
        }
    }

    private static let kinds: [(RoleRight.Place, String)] = [
        (.tables, "TABLES"), (.sequences, "SEQUENCES"), (.functions, "FUNCTIONS"),
    ]

    private var ofObjects: [RolePlan.Statement] {
        Self.kinds.flatMap { kind, _ in
            let what = Self.all(kind, in: place)
            return granted(kind, .rights) { words, role in
                ("GRANT \(words) ON \(what) TO \(role)", "REVOKE \(words) ON \(what) FROM \(role)")
            }
        }
    }

    /// (https://www.postgresql.org/docs/current/sql-alterdefaultprivileges.html)
    private var later: [RolePlan.Statement] {
        let start = "ALTER DEFAULT PRIVILEGES FOR ROLE \(quoted(.migrate)) IN SCHEMA \(place)"
        return Self.kinds.flatMap { kind, plural in
            granted(kind, .later) { words, role in
                (
                    "\(start) GRANT \(words) ON \(plural) TO \(role)",
                    "\(start) REVOKE \(words) ON \(plural) FROM \(role)"
                )
            }
        }
    }

    // MARK: Ownership

    private var foreign: [RoleFacts.Object] { facts.objects.filter { $0.owner != names[.migrate] } }

    private func handing(_ object: RoleFacts.Object, to owner: String) -> String {
        "ALTER \(object.kind) \(object.name) OWNER TO \(owner)"
    }

    /// Who loses what an owner may, and is no superuser: whatever connects as one of them is to go on working.
    private var formerOwners: [String] {
        guard options.takesOwnership else { return [] }
        let app = isGiven(.app) ? names[.app] : nil
        return Set(foreign.map(\.owner)).filter { $0 != app && facts.roles[$0] == false }.sorted()
    }

    private var ownership: [RolePlan.Statement] {
        guard options.takesOwnership else { return [] }
        let goingOn = formerOwners.map { owner in
            statement(
                .ownership, "GRANT \(quoted(.migrate)) TO \(quoteIdentifier(owner))",
                "\(owner) owned what follows, and goes on as a member; REVOKE this once nothing connects as \(owner) any more",
                undo: "REVOKE \(quoted(.migrate)) FROM \(quoteIdentifier(owner))", of: [.migrate])
        }
        return goingOn
            + foreign.map { object in
                statement(
                    .ownership, handing(object, to: quoted(.migrate)),
                    "\(object.owner) owns it, and could do all with it",
                    undo: handing(object, to: quoteIdentifier(object.owner)), of: [.migrate])
            }
    }

    // MARK: What is left to the operator

    var advice: [RolePlan.Advice] {
        var advice: [RolePlan.Advice] = []
        func add(_ words: String, _ sql: [String] = []) { advice.append(.init(words: words, sql: sql)) }
        if !options.takesOwnership, !foreign.isEmpty {
            let owners = Set(foreign.map(\.owner)).sorted().joined(separator: ", ")
            add(
                "\(owners) \(Set(foreign.map(\.owner)).count == 1 ? "owns" : "own") "
                    + "\(Format.count(foreign.count, "object", "objects")), which \(names[.migrate] ?? "") cannot change, and no REVOKE "
                    + "takes anything from an owner; --own hands them over",
                foreign.map { handing($0, to: quoted(.migrate)) })
        }
        if facts.publicMayConnect, !facts.connecting.isEmpty {
            add(
                "every role of the server may connect; these would lose that, so it was left: "
                    + facts.connecting.joined(separator: ", "), [publicConnect])
        }
        if facts.publicMayCreate, !facts.creating.isEmpty {
            add(
                "everybody may make tables in \(schema); these have done so, so it was left: "
                    + facts.creating.joined(separator: ", "), [publicCreate])
        }
        if !facts.secured.isEmpty, !facts.mayBypass {
            add(
                "\(facts.secured.joined(separator: ", ")) have row level security: without BYPASSRLS, which only a superuser gives, "
                    + "pg_dump as \(names[.backup] ?? "") ends with an error",
                ["ALTER ROLE \(quoted(.backup)) BYPASSRLS"])
        }
        if facts.largeObjects > 0 {
            add(
                "\(Format.count(facts.largeObjects, "large object is", "large objects are")) read by their owner or a superuser alone: "
                    + "dump them as one of those")
        }
        if let app = options.app {
            if facts.hasLedger, !options.takesOwnership,
                facts.objects.contains(where: {
                    $0.kind == "SCHEMA" && $0.name == "howdah" && $0.owner == app
                })
            {
                add(
                    "\(app) owns howdah's own schema, with the rows in quarantine; howdah finish takes it out once nothing needs it"
                )
            }
            if facts.roles[app] == true {
                add(
                    "\(app) is a superuser: nothing is kept from it; let the application connect as another role"
                )
            }
            if app == facts.databaseOwner {
                add(
                    "\(app) owns the database, and may make schemas and grant rights in it",
                    ["ALTER DATABASE \(database) OWNER TO \(quoted(.migrate))"])
            }
        }
        return advice
    }
}
