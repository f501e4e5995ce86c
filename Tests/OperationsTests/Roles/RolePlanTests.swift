import MigrationEngine
import Testing

@testable import Operations

/// Which statements make the roles, from facts about a server.
@Suite struct RolePlanTests {
    private static let superuser = RoleFacts(
        version: 160_002, database: "chat", databaseOwner: "ann", user: "postgres", isSuperuser: true,
        mayBypass: true, roles: ["postgres": true, "ann": false], hasSchema: true, hasLedger: false,
        publicMayCreate: false, publicMayConnect: true, connecting: [], creating: [], secured: [],
        objects: [],
        memberships: ["postgres"], largeObjects: 0)

    private func plan(
        _ facts: RoleFacts, schema: String = "public", _ options: RoleOptions = RoleOptions(),
        made: Set<String> = []
    ) throws -> RolePlan {
        try RolePlan(facts, schema: schema, options: options, made: made)
    }

    private func sql(_ plan: RolePlan) -> [String] { plan.statements.map(\.sql) }

    @Test func everyRightHasAReasonAndAPageOfTheManual() {
        for right in RoleRight.table {
            #expect(!right.reason.isEmpty && right.source.contains(".html"), "\(right)")
        }
        for role in DatabaseRole.allCases {
            #expect(RoleRight.table.contains { $0.role == role && $0.place == .attributes })
        }
    }

    @Test(arguments: [
        (120_000, false), (130_010, false), (140_000, true), (150_018, true), (180_000, true),
    ])
    func backupsReadByMembershipWhereTheServerKnowsIt(version: Int, isMember: Bool) throws {
        var facts = Self.superuser
        facts.version = version
        let sql = sql(try plan(facts))
        #expect(sql.contains(#"GRANT pg_read_all_data TO "chat_backup""#) == isMember)
        #expect(sql.contains(#"GRANT SELECT ON ALL TABLES IN SCHEMA "public" TO "chat_backup""#) != isMember)
        #expect(
            sql.contains(
                #"ALTER DEFAULT PRIVILEGES FOR ROLE "chat_migrate" IN SCHEMA "public" GRANT SELECT ON TABLES TO "chat_backup""#
            ) != isMember)
    }

    @Test func whatTheMigrateRoleMakesLaterIsTheApplicationsToo() throws {
        let later = try plan(Self.superuser).statements(in: .later).map(\.sql)
        let start = #"ALTER DEFAULT PRIVILEGES FOR ROLE "chat_migrate" IN SCHEMA "public" GRANT "#
        #expect(
            later == [
                start + #"SELECT, INSERT, UPDATE, DELETE ON TABLES TO "chat_app""#,
                start + #"USAGE, SELECT ON SEQUENCES TO "chat_app""#,
                start + #"EXECUTE ON FUNCTIONS TO "chat_app""#,
            ])
    }

    @Test func theApplicationAndMonitoringNeverGetMoreThanTheyNeed() throws {
        for statement in sql(try plan(Self.superuser)) where statement.contains("_app\"") {
            for word in ["TRUNCATE", "REFERENCES", "TRIGGER", "ALL PRIVILEGES", "WITH GRANT", "CREATE ON"] {
                #expect(!statement.contains(word), "\(statement)")
            }
        }
        let watch = sql(try plan(Self.superuser)).filter { $0.contains("_watch\"") && $0.hasPrefix("GRANT") }
        #expect(
            watch == [
                #"GRANT pg_monitor TO "chat_watch""#, #"GRANT CONNECT ON DATABASE "chat" TO "chat_watch""#,
            ])
    }

    @Test func whatOthersWouldLoseIsLeftToTheOperator() throws {
        var facts = Self.superuser
        facts.publicMayCreate = true
        #expect(sql(try plan(facts)).contains(#"REVOKE CREATE ON SCHEMA "public" FROM PUBLIC"#))
        facts.connecting = ["billing"]
        facts.creating = ["billing"]
        let plan = try plan(facts)
        #expect(!sql(plan).contains { $0.hasSuffix("FROM PUBLIC") })
        #expect(
            plan.advice.map(\.sql) == [
                [#"REVOKE CONNECT ON DATABASE "chat" FROM PUBLIC"#],
                [#"REVOKE CREATE ON SCHEMA "public" FROM PUBLIC"#],
            ])
        #expect(plan.advice.allSatisfy { $0.words.contains("billing") })
    }

    @Test func tablesOfOthersAreHandedOverOnlyWhenThatIsAsked() throws {
        var facts = Self.superuser
        facts.objects = [
            .init(kind: "TABLE", name: #"public."User""#, owner: "ann"),
            .init(kind: "TABLE", name: "public.own", owner: "chat_migrate"),
        ]
        let statement = #"ALTER TABLE public."User" OWNER TO "chat_migrate""#
        let shown = try plan(facts)
        #expect(shown.statements(in: .ownership).isEmpty)
        #expect(shown.advice.first?.sql == [statement])
        let handed = try plan(facts, RoleOptions(takesOwnership: true))
        #expect(
            handed.statements(in: .ownership).map(\.sql) == [#"GRANT "chat_migrate" TO "ann""#, statement],
            "whatever connects as ann goes on working")
        #expect(handed.record.undo.contains { $0.sql == #"REVOKE "chat_migrate" FROM "ann""# })
        #expect(handed.record.undo.contains { $0.sql == #"ALTER TABLE public."User" OWNER TO "ann""# })
        let order = handed.statements.map(\.section)
        let owner = try #require(order.firstIndex(of: .ownership))
        #expect(owner < (try #require(order.firstIndex(of: .rights))), "an owner's rights go with the table")
    }

    /// What a role that is there has is not taken from it.
    @Test func theApplicationsOwnRoleKeepsWhatItHas() throws {
        var facts = Self.superuser
        facts.hasLedger = true
        facts.roles["chat"] = false
        facts.objects = [.init(kind: "SCHEMA", name: "howdah", owner: "chat")]
        let given = try plan(facts, RoleOptions(app: "chat"))
        #expect(!sql(given).contains { $0.hasPrefix("REVOKE") && $0.hasSuffix("\"chat\"") })
        #expect(given.advice.contains { $0.words.hasPrefix("chat owns howdah's own schema") })
        let own = try plan(facts, RoleOptions(app: "chat", takesOwnership: true))
        #expect(
            !sql(own).contains(#"GRANT "chat_migrate" TO "chat""#), "it keeps what an application needs")
    }

    @Test func rowLevelSecurityIsSaidAndPassedByBackupsAlone() throws {
        var facts = Self.superuser
        facts.secured = ["\"User\""]
        #expect(sql(try plan(facts)).contains(#"ALTER ROLE "chat_backup" BYPASSRLS"#))
        facts.mayBypass = false
        let plan = try plan(facts)
        #expect(!sql(plan).contains { $0.hasSuffix(" BYPASSRLS") && $0.hasPrefix("ALTER") })
        #expect(plan.advice.map(\.sql) == [[#"ALTER ROLE "chat_backup" BYPASSRLS"#]])
    }

    @Test func onlyASuperuserNeedsNoMembership() throws {
        var facts = Self.superuser
        #expect(!sql(try plan(facts)).contains { $0.contains("CURRENT_USER") })
        facts.isSuperuser = false
        let statements = sql(try plan(facts))
        #expect(statements.contains(#"GRANT "chat_migrate" TO CURRENT_USER"#))
        #expect(statements.last == #"REVOKE "chat_migrate" FROM CURRENT_USER"#)
        facts.memberships = ["chat_migrate"]
        #expect(!sql(try plan(facts)).contains { $0.contains("CURRENT_USER") })
    }

    @Test func theLedgerIsOutOfTheApplicationsReach() throws {
        var facts = Self.superuser
        facts.hasLedger = true
        #expect(sql(try plan(facts)).contains(#"REVOKE ALL ON SCHEMA howdah FROM PUBLIC, "chat_app""#))
        facts.version = 130_000
        #expect(
            sql(try plan(facts)).contains(#"GRANT SELECT ON ALL TABLES IN SCHEMA howdah TO "chat_backup""#))
    }

    @Test func anApplicationsOwnRoleIsNeitherMadeNorTakenAnythingFrom() throws {
        let plan = try plan(Self.superuser, RoleOptions(app: "ann"))
        #expect(!sql(plan).contains { $0.contains("CREATE ROLE \"ann\"") })
        #expect(sql(plan).contains(#"GRANT USAGE ON SCHEMA "public" TO "ann""#))
        let undo = plan.record.undo.filter { $0.sql.contains("\"ann\"") }
        #expect(undo.allSatisfy { $0.sql.hasPrefix("ALTER DEFAULT PRIVILEGES") }, "\(undo)")
        #expect(!plan.record.made.contains("ann"))
        #expect(plan.advice.contains { $0.words.hasPrefix("ann owns the database") })
    }

    @Test(arguments: [
        (RoleOptions(), "chat_app", ExitCode.undecided),
        (RoleOptions(app: "nobody"), "other", .usage),
        (RoleOptions(app: "chat_watch"), "chat_watch", .usage),
        (RoleOptions(prefix: "pg"), "other", .usage),
        (RoleOptions(prefix: String(repeating: "x", count: 60)), "other", .usage),
    ])
    func namesThatCannotBeTakenAreRefused(
        options: RoleOptions, there: String, exit: ExitCode
    ) throws {
        var facts = Self.superuser
        facts.roles[there] = false
        let error = #expect(throws: MigrationError.self) {
            _ = try RolePlan(facts, schema: "public", options: options, made: [])
        }
        #expect(error?.exit == exit)
        #expect(error?.remedy.contains("--prefix") ?? false || error?.remedy.contains("--app") ?? false)
    }

    @Test func rolesThatHowdahHasMadeAreTakenAgain() throws {
        var facts = Self.superuser
        for role in DatabaseRole.allCases { facts.roles["chat_\(role.rawValue)"] = false }
        let names = DatabaseRole.allCases.map { "chat_\($0.rawValue)" }
        let again = try plan(facts, made: Set(names))
        #expect(again.accounts.allSatisfy { !$0.isNew })
        let first = try plan(Self.superuser).record
        let both = again.record.following(first)
        #expect(both.made == first.made && Set(both.undo.map(\.sql)) == Set(first.undo.map(\.sql)))
    }

    @Test func hostileNamesStayNames() throws {
        var facts = Self.superuser
        facts.database = "a\nb"
        let plan = try plan(facts, schema: #"s"; DROP"#, RoleOptions(prefix: "x'\"$howdah$"))
        let creation = try #require(sql(plan).first)
        #expect(creation.hasPrefix("DO $howdah_$ ") && creation.hasSuffix(" $howdah_$"))
        #expect(creation.contains(#"rolname = 'x''"$howdah$_migrate'"#))
        #expect(sql(plan).contains(#"GRANT USAGE ON SCHEMA "s""; DROP" TO "x'""$howdah$_app""#))
        let comments = plan.script.split(separator: "\n").first
        #expect(
            comments
                == "-- Roles of least privilege for the database a b, schema s\"; DROP. Written by howdah.")
    }
}
