import MigrationEngine
import Postgres
import TestSupport
import Testing

@testable import Operations

/// What is said about the indexes of a real server's tables.
@Suite struct IndexAdvisorTests {
    private func find(_ report: IndexReport, _ id: String) -> IndexAdvice? {
        report.advice.first { $0.id == id }
    }

    @Test func aChatApplicationGetsThePlansTwoAndAnIndexForEveryKey() throws {
        try IndexFixture.with { fixture in
            let report = try fixture.report()
            #expect(
                report.advice.map(\.id).sorted() == [
                    "index:ConversationParticipant.conversationId+userId",
                    "index:ConversationParticipant.userId",
                    "index:Message.conversationId+timestamp", "index:Message.senderId",
                ])
            let message = try #require(find(report, "index:Message.conversationId+timestamp"))
            #expect(message.rules == [.known, .foreignKey, .page] && message.isRecommended)
            #expect(
                message.sql == [
                    #"CREATE INDEX CONCURRENTLY "Message_conversationId_timestamp_idx" ON "public"."Message" ("conversationId", "timestamp")"#
                ])
            #expect(
                message.undo == [#"DROP INDEX CONCURRENTLY "public"."Message_conversationId_timestamp_idx""#])
            #expect(message.evidence.contains("100 rows for one conversationId on average, by timestamp"))
            #expect(report.notices.first == "0 of 4 foreign keys have an index")
        }
    }

    /// What stands on a child's `a`, and whether the key over `a` still wants an index.
    @Test(arguments: [
        ("", true), ("CREATE INDEX x ON child (a)", false), ("CREATE INDEX x ON child (a, b)", false),
        ("CREATE UNIQUE INDEX x ON child (a, id)", false), ("CREATE INDEX x ON child (b, a)", true),
        ("CREATE INDEX x ON child (a) WHERE b > 3", true), ("CREATE INDEX x ON child ((a + 0))", true),
        ("CREATE INDEX x ON child (b) INCLUDE (a)", true), ("CREATE INDEX x ON child USING hash (a)", false),
        ("CREATE INDEX x ON child USING brin (a)", true),
        ("ALTER TABLE child DROP CONSTRAINT child_pkey; ALTER TABLE child ADD PRIMARY KEY (a, id)", false),
        (
            "CREATE INDEX x ON child (a); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'x'::regclass",
            true
        ),
    ]) func onlyAnIndexOverAllRowsThatBeginsWithItsColumnsServesAKey(ddl: String, isWanted: Bool) throws {
        let tables = """
            CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY, a int REFERENCES parent, b int)
            """
        try IndexFixture.with(tables) { fixture in
            if !ddl.isEmpty { try TestServer.execute(ddl, in: fixture.conninfo) }
            #expect((find(try fixture.report(), "index:child.a") != nil) == isWanted)
        }
    }

    @Test func aKeyOfSeveralColumnsIsServedInAnyOrderOfThem() throws {
        let tables = """
            CREATE TABLE parent (x int, y int, PRIMARY KEY (x, y));
            CREATE TABLE child (id int PRIMARY KEY, a int, b int, c int, FOREIGN KEY (a, b) REFERENCES parent);
            """
        try IndexFixture.with(tables) { fixture in
            #expect(find(try fixture.report(), "index:child.a+b") != nil)
            try TestServer.execute("CREATE INDEX ON child (b, a, c)", in: fixture.conninfo)
            #expect(try fixture.report().advice.isEmpty)
        }
    }

    @Test func knownTablesAreFoundWhateverTheirStyle() throws {
        let tables = """
            CREATE TABLE messages (id int PRIMARY KEY, conversation_id int, "timestamp" bigint);
            CREATE TABLE conversation_participants (id int, user_id int, conversation_id int, UNIQUE (user_id, conversation_id));
            """
        try IndexFixture.with(tables) { fixture in
            let ids = try fixture.report().advice.map(\.id)
            #expect(ids == ["index:messages.conversation_id+timestamp"])
        }
    }

    @Test func aQueryThatReadsAWholeTableIsTriedWithAnIndexThatDoesNotStay() throws {
        try IndexFixture.with { fixture in
            let queries = [
                AdvisedQuery(
                    sql: #"SELECT id FROM "Message" WHERE kind = $1 ORDER BY "timestamp" DESC LIMIT 5"#,
                    place: "src/a.ts:7"),
                AdvisedQuery(sql: "SELECT nothing FROM nowhere", place: "src/b.ts:9"),
                AdvisedQuery(sql: #"DELETE FROM "Message" WHERE kind = $1"#, place: "src/c.ts:2"),
            ]
            let planned = try #require(
                find(try fixture.report(queries: queries), "index:Message.kind+timestamp"))
            #expect(planned.effect?.after == nil && planned.isRecommended)
            #expect(
                planned.evidence.contains("src/c.ts:2 reads all 20,000 rows of Message for about 10 rows"))
            let report = try fixture.report(queries: queries, tries: true)
            let advice = try #require(find(report, "index:Message.kind+timestamp"))
            let effect = try #require(advice.effect)
            #expect(effect.place == "src/a.ts:7" && advice.rules == [.query] && advice.isRecommended)
            #expect(effect.before.plan.contains { $0.contains("Seq Scan on Message") })
            #expect(effect.after?.plan.contains { $0.contains("using Message_kind_timestamp_idx") } ?? false)
            #expect(effect.remainder ?? 1 < 0.1)
            #expect(report.notices.contains("2 of 3 queries of the code planned"))
            #expect(report.notices.contains { $0.hasPrefix("src/b.ts:9: not planned: ") })
            // A key's index is measured with a row that is there, whose values are in no plan.
            let key = try #require(find(report, "index:Message.senderId")?.effect)
            #expect(key.before.milliseconds != nil && key.after?.milliseconds != nil)
            #expect(key.before.plan.contains { $0.contains(#""senderId" = $1"#) })
            #expect(try fixture.indexes("Message%") == ["Message_pkey|t"])
            #expect(try TestServer.value("SELECT count(*) FROM \"Message\"", in: fixture.conninfo) == "20000")
        }
    }

    @Test func anIndexThatHelpsAQueryLittleIsNotRecommended() throws {
        try IndexFixture.with { fixture in
            try TestServer.execute(
                "UPDATE \"Message\" SET kind = CASE WHEN id % 2 = 0 THEN 'a' ELSE 'b' END",
                in: fixture.conninfo)
            try TestServer.execute("ANALYZE \"Message\"", in: fixture.conninfo)
            let query = AdvisedQuery(sql: #"SELECT body FROM "Message" WHERE kind = $1"#, place: "a.ts:1")
            let advice = try #require(
                find(try fixture.report(queries: [query], tries: true), "index:Message.kind"))
            #expect(!advice.isRecommended)
            #expect(
                !(find(try fixture.report(queries: [query]), "index:Message.kind")?.isRecommended ?? true))
        }
    }

    /// Two indexes, and the one that another makes superfluous.
    @Test(arguments: [
        ("CREATE INDEX x ON t (a); CREATE INDEX y ON t (a)", "x"),
        ("CREATE INDEX x ON t (a); CREATE INDEX y ON t (a, b)", "x"),
        ("CREATE INDEX x ON t (a, b); CREATE INDEX y ON t (a)", "y"),
        ("CREATE INDEX x ON t (id)", "x"),
        ("CREATE INDEX x ON t (a) WHERE b > 1; CREATE INDEX y ON t (a, b)", nil),
        ("CREATE INDEX x ON t (a) WHERE b > 1; CREATE INDEX y ON t (a) WHERE b > 1", "x"),
        ("CREATE INDEX x ON t (a DESC); CREATE INDEX y ON t (a, b)", nil),
        ("CREATE INDEX x ON t (c text_pattern_ops); CREATE INDEX y ON t (c)", nil),
        ("CREATE INDEX x ON t (c COLLATE \"C\"); CREATE INDEX y ON t (c)", nil),
        ("CREATE INDEX x ON t (lower(c)); CREATE INDEX y ON t (lower(c))", "x"),
        ("CREATE INDEX x ON t (lower(c)); CREATE INDEX y ON t (upper(c))", nil),
        ("CREATE UNIQUE INDEX x ON t (a); CREATE INDEX y ON t (a, b)", nil),
        ("CREATE UNIQUE INDEX x ON t (a); CREATE INDEX y ON t (a)", "y"),
        ("CREATE UNIQUE INDEX x ON t (a); CREATE UNIQUE INDEX y ON t (a)", "x"),
        ("ALTER TABLE t ADD CONSTRAINT x UNIQUE (a); ALTER TABLE t ADD CONSTRAINT y UNIQUE (a)", nil),
        ("CREATE INDEX x ON t USING hash (a); CREATE INDEX y ON t (a)", nil),
        ("CREATE INDEX x ON t (a) INCLUDE (b); CREATE INDEX y ON t (a)", "y"),
        ("CREATE INDEX x ON t (a); CREATE INDEX y ON t (a, b); CLUSTER t USING x", nil),
    ]) func oneOfTwoIndexesGoesWhereTheOtherDoesTheSame(ddl: String, dropped: String?) throws {
        let table = "CREATE TABLE t (id int PRIMARY KEY, a int, b int, c text);"
        try IndexFixture.with(table + ddl) { fixture in
            let advice = try fixture.report().advice.filter { $0.rules == [.doubled] }
            #expect(advice.map(\.index) == [dropped].compactMap(\.self))
            #expect(advice.allSatisfy { !$0.isRecommended })
        }
    }

    @Test func anUnusedIndexIsToldOnlyOnceTheServerHasCountedForLong() throws {
        try IndexFixture.with { fixture in
            try TestServer.execute(
                """
                CREATE INDEX lonely ON "Message" (body); CREATE UNIQUE INDEX needed ON "Message" (id, body);
                SELECT pg_stat_force_next_flush(); SELECT count(*) FROM "Message"; SELECT pg_stat_force_next_flush();
                """, in: fixture.conninfo)
            var limits = IndexLimits()
            limits.unusedBytes = 0
            let early = try fixture.report(limits: limits)
            #expect(!early.advice.contains { $0.rules.contains(.unused) })
            #expect(early.notices.contains { $0.hasPrefix("whether an index is unused cannot be told yet") })
            limits.unusedAfter = .zero
            #expect(
                try fixture.report(limits: limits).advice.filter { $0.rules == [.unused] }.map(\.index) == [
                    "lonely"
                ])
            // The rows may be younger than what the server counts.
            limits.unusedAfter = .seconds(60)
            #expect(
                try fixture.report(limits: limits, age: 30).notices.contains { $0.contains("cannot be told") }
            )
        }
    }

    @Test func statisticsAreAskedForWhereThereAreNoneOrTheyAreOld() throws {
        let tables = """
            CREATE TABLE fresh (id int PRIMARY KEY); CREATE TABLE old (id int PRIMARY KEY); CREATE TABLE never (id int);
            CREATE TABLE empty (id int);
            ALTER TABLE old SET (autovacuum_enabled = false); ALTER TABLE never SET (autovacuum_enabled = false);
            INSERT INTO fresh SELECT generate_series(1, 3000); INSERT INTO old SELECT generate_series(1, 3000)
            """
        try IndexFixture.with(tables, analyses: false) { fixture in
            try TestServer.execute("ANALYZE fresh, old", in: fixture.conninfo)
            try TestServer.execute(
                """
                INSERT INTO old SELECT generate_series(3001, 60000); INSERT INTO never SELECT generate_series(1, 10); SELECT pg_stat_force_next_flush()
                """, in: fixture.conninfo)
            let report = try fixture.report()
            #expect(report.advice.map(\.id).sorted() == ["analyze:never", "analyze:old"], "\(report.advice)")
        }
    }

    @Test func anInvalidIndexIsHowdahsOwnByItsRecordOrSomebodys() throws {
        try IndexFixture.with("CREATE TABLE t (a int, b int)") { fixture in
            try TestServer.execute(
                """
                CREATE INDEX own ON t (a); CREATE INDEX foreign_one ON t (b);
                UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ('own'::regclass, 'foreign_one'::regclass)
                """, in: fixture.conninfo)
            fixture.ledger.add(
                IndexRecord(
                    id: "index:t.a", schema: "public", table: "t", name: "own", columns: ["a"],
                    state: .building))
            let report = try fixture.report()
            #expect(find(report, "drop:own")?.rules == [.leftover])
            #expect(find(report, "drop:own")?.isRecommended ?? false)
            #expect(find(report, "drop:foreign_one")?.rules == [.invalid])
            #expect(!(find(report, "drop:foreign_one")?.isRecommended ?? true))
        }
    }

    @Test func onAPartitionedTableTheSQLWorksAndHowdahLeavesItToTheOperator() throws {
        let tables = """
            CREATE TABLE parent (id int PRIMARY KEY);
            CREATE TABLE "ev;ent" (id int, p int REFERENCES parent) PARTITION BY RANGE (id);
            CREATE TABLE e1 PARTITION OF "ev;ent" FOR VALUES FROM (0) TO (10);
            CREATE TABLE e2 PARTITION OF "ev;ent" FOR VALUES FROM (10) TO (20);
            """
        try IndexFixture.with(tables) { fixture in
            let report = try fixture.report()
            let advice = try #require(find(report, "index:ev;ent.p"))
            #expect(advice.obstacle?.contains("is partitioned") ?? false)
            #expect(!advice.isRecommended && advice.sql.count == 5)
            #expect(throws: MigrationError.self) { try fixture.build().apply(advice) }
            for statement in advice.sql { try TestServer.execute(statement, in: fixture.conninfo) }
            #expect(try fixture.indexes("ev;ent%") == ["ev;ent_p_idx|t"])
            #expect(try fixture.report().advice.isEmpty)
            for statement in advice.undo { try TestServer.execute(statement, in: fixture.conninfo) }
            #expect(try fixture.indexes("e%_p_idx").isEmpty)
        }
    }

    @Test func aRoleThatDoesNotOwnATableIsToldWhoDoes() throws {
        try IndexFixture.with { fixture in
            let role = "reader_\(fixture.conninfo["dbname"]?.suffix(12) ?? "")"
            try TestServer.execute(
                "CREATE ROLE \(role) LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO \(role)",
                in: fixture.conninfo)
            defer {
                try? TestServer.execute("DROP OWNED BY \(role); DROP ROLE \(role)", in: fixture.conninfo)
            }
            let report = try fixture.report(on: fixture.conninfo.setting("user", to: role))
            let advice = try #require(find(report, "index:Message.senderId"))
            #expect(advice.obstacle?.contains("owns Message") ?? false)
            #expect(!advice.isRecommended)
        }
    }

    @Test func aNameThatIsTakenGetsANumber() throws {
        let tables = """
            CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int, a int REFERENCES parent);
            CREATE TABLE child_a_idx (x int);
            """
        try IndexFixture.with(tables) { fixture in
            let report = try fixture.report()
            #expect(find(report, "index:child.a")?.index == "child_a_idx1")
        }
    }
}
