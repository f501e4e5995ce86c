import MigrationEngine
import TerminalUI

@testable import AppProject
@testable import HowdahUI
@testable import Operations
@testable import Playbook

/// Projects at several moments, to draw and to update without a database.
enum SampleBook {
    static let places = [
        place("1a", "insert-or-replace", .breaks, 14, "INSERT OR REPLACE INTO ConversationParticipant"),
        place("2b", "like", .silent, 22, "SELECT id FROM Message WHERE content LIKE ?", verdict: .prepared),
        place(
            "3c", "pragma", .breaks, 6, "PRAGMA journal_mode = WAL", statement: nil, state: .accepted,
            note: "only on start-up"),
    ]

    static let files = [
        ProjectFile(
            step: "2.1", path: ".env", state: .planned,
            diff: [
                "--- a/.env", "+++ b/.env", "@@ -1,3 +1,3 @@", " PORT=3000",
                "-DATABASE_URL=\"file:./dev.db\"",
                "+DATABASE_URL=\"postgresql://chat:••••@db.example.com/chat\"",
                " JWT_SECRET=••••",
            ]),
        ProjectFile(
            step: "2.2", path: "prisma/schema.prisma", state: .edited,
            diff: [
                "--- a/prisma/schema.prisma", "+++ b/prisma/schema.prisma", "@@ -5,5 +5,5 @@",
                " datasource db {", "-  provider = \"sqlite\"", "+  provider = \"postgresql\"",
                "   url      = env(\"DATABASE_URL\")", " }",
            ]),
    ]

    static let scanned = book(
        [("4.1", .done, ""), ("4.2", .failed, "1 query is refused by the target"), ("4.3", .undecided, "2")],
        places: places)

    static func place(
        _ key: String, _ rule: String, _ severity: CodeRule.Severity, _ line: Int, _ sql: String,
        statement: String? = "s1", state: CodePlace.State = .open, note: String = "",
        verdict: CodePlace.Verdict? = .refused("syntax error at or near \"OR\" (42601)")
    ) -> CodePlace {
        let known = CodeScan.rule(rule)
        return CodePlace(
            finding: CodeFinding(
                rule: rule, severity: severity, path: "src/database/messages.ts", line: line, column: 5,
                excerpt: sql, sql: sql, statement: statement, key: key),
            title: known?.title ?? rule, equal: known?.equal ?? "", why: known?.why ?? "",
            link: known?.link ?? "", state: state, note: note, isGone: false,
            verdict: statement == nil ? nil : verdict)
    }

    static let advice = [
        AdviceLine(
            advice: index(
                "Message", ["conversationId", "timestamp"], [.known, .foreignKey, .page],
                before: 24_103, after: 61.4, milliseconds: (182, 0.31)),
            state: .chosen, note: ""),
        AdviceLine(
            advice: index("PostQuantumKey", ["userId"], [.foreignKey], before: 812, after: nil),
            state: .leftOut, note: "nobody deletes users"),
        AdviceLine(
            advice: {
                var advice = index("Event", ["roomId"], [.foreignKey])
                advice.obstacle = "Event is partitioned: run the SQL by hand, a partition at a time"
                return advice
            }(), state: .byHand, note: ""),
        AdviceLine(
            advice: index("DeviceIdentity", ["userId"], [.foreignKey], before: 420, after: 8.3), state: .done,
            note: ""),
    ]

    static func index(
        _ table: String, _ columns: [String], _ rules: [IndexRule], before: Double? = nil,
        after: Double? = nil, milliseconds: (Double, Double)? = nil
    ) -> IndexAdvice {
        let name = ([table] + columns).joined(separator: "_") + "_idx"
        let list = columns.map { "\"\($0)\"" }.joined(separator: ", ")
        return IndexAdvice(
            id: "index:\(table).\(columns.joined(separator: "+"))", rules: rules, action: .create,
            schema: "public", table: table, index: name, columns: columns,
            evidence: [
                "foreign key \(table)_\(columns[0])_fkey", "\(table): about 1,000,000 rows, 141 MB",
                "the index: about 21 MB",
            ],
            sql: ["CREATE INDEX CONCURRENTLY \"\(name)\" ON \"public\".\"\(table)\" (\(list))"],
            undo: ["DROP INDEX CONCURRENTLY \"public\".\"\(name)\""],
            effect: before.map { before in
                IndexAdvice.Effect(
                    query: "SELECT * FROM \"public\".\"\(table)\" AS x WHERE x.\"\(columns[0])\" = $1",
                    place: nil,
                    before: .init(
                        cost: before, milliseconds: milliseconds?.0,
                        plan: ["Seq Scan on \(table)", "    filter (x.\"\(columns[0])\" = $1)"]),
                    after: after.map {
                        .init(
                            cost: $0, milliseconds: milliseconds?.1,
                            plan: ["Index Scan using \(name) on \(table)"])
                    },
                    how: after == nil
                        ? "the plan after is seen once the index is there"
                        : "the index was built, and rolled back")
            }, isRecommended: true)
    }

    /// Phase 6 after a look at the indexes.
    static let advised: BookState = {
        var state = proven
        state.advice = advice
        return state
    }()

    static let commands = [
        command(
            "test", .test, "npm run test", last: .passed,
            counts: TestCounts(runner: "node", passed: 42, skipped: 1)),
        command(
            "api:test:encryption", .test, "npm run test:encryption", folder: "api", last: .failed,
            counts: TestCounts(runner: "jest", passed: 11, failed: 2), links: ["5.2"]),
        command("api:test:socket", .test, "npm run test:socket", folder: "api", proposals: ["5.3"]),
        command("e2e", .test, "npm run e2e", isLeftOut: true),
        command("dev", .service, "npm run dev"),
    ]

    static func command(
        _ name: String, _ kind: AppCommand.Kind, _ run: String, folder: String = "",
        last: CommandResult.Outcome? = nil, counts: TestCounts? = nil, isLeftOut: Bool = false,
        links: [String] = [], proposals: [String] = []
    ) -> CommandState {
        CommandState(
            command: AppCommand(
                name: name, kind: kind, run: run, words: run.split(separator: " ").map(String.init),
                folder: folder,
                foundIn: folder.isEmpty ? "package.json" : "\(folder)/package.json"),
            isLeftOut: isLeftOut,
            last: last.map {
                CommandResult(
                    name: name, run: run, outcome: $0, status: $0 == .passed ? 0 : 1, seconds: 3.21,
                    counts: counts,
                    log: "log/tests/\(name).log", reason: $0 == .failed ? "exit status 1" : "")
            }, when: last == nil ? "" : "2026-01-02T03:04:05Z", isInterrupted: false, links: links,
            proposals: proposals, stale: nil)
    }

    /// Phase 5 after a run, with an item that was ticked by hand though its command failed.
    static let tested: BookState = {
        var state = book([("5.1", .failed, "api:test:encryption failed"), ("5.2", .ticked, "tried by hand")])
        state.commands = commands
        for phase in state.phases.indices {
            for index in state.phases[phase].steps.indices
            where state.phases[phase].steps[index].step == "5.2" {
                state.phases[phase].steps[index].contradiction =
                    "ticked by ann, though api:test:encryption failed"
            }
        }
        return state
    }()

    static let feeds = [
        CommandFeed(
            name: "test", isRunning: false, seconds: 3.21, end: "passed",
            output: OutputTail.Snapshot(
                first: 0, lines: (1...60).map { "ok \($0) - a message comes back" } + ["# tests 43"])),
        CommandFeed(
            name: "dev", isRunning: true, seconds: 75,
            output: OutputTail.Snapshot(first: 0, lines: ["> dev", "listening on 3000"])),
    ]

    static let source = CodeSource(
        key: "1a", path: "src/database/messages.ts", first: 10,
        lines: [
            "export async function markRead(conversationId: string, userId: number) {",
            "  // Once a conversation was opened.", "\tconst now = Date.now();",
            "  await prisma.$executeRaw`",
            "    INSERT OR REPLACE INTO ConversationParticipant (conversationId, userId, lastReadAt)",
            "    VALUES (${conversationId}, ${userId}, ${now})`;", "}", "",
        ])

    static let rows = [
        ("User", 5000), ("Conversation", 10_000), ("Message", 1_000_000), ("PostQuantumKey", 5000),
    ]

    /// A book in which the named steps have come to something; others are as their needs say.
    static func book(
        _ entries: [(String, JournalEntry.Kind, String)] = [], mode: Mode = .rehearsal,
        findings: [Finding] = [],
        hasPlan: Bool = false, tables: [BookState.TableLine]? = nil, title: String = "chat-app",
        places: [CodePlace] = []
    ) -> BookState {
        let journal = entries.enumerated().map { index, entry in
            JournalEntry(
                id: index + 1, time: "2026-01-02T03:04:05Z", who: "ann", mode: mode, subject: entry.0,
                kind: entry.1,
                text: entry.2,
                evidence: entry.1 == .done || entry.0 == "3.5"
                    ? ["evidence of \(entry.0)", "more of it"] : [],
                basis: [:], data: nil)
        }
        var newest: [String: JournalEntry] = [:]
        for entry in journal { newest[entry.subject] = entry }
        let standing = Standing(entries: newest, now: [:], status: nil, running: nil, mode: mode)
        func line(_ step: Step) -> BookState.StepLine {
            let entry = newest[step.id]
            return BookState.StepLine(
                step: step.id, title: step.title, state: standing.state(step.id),
                evidence: entry?.evidence ?? [],
                when: entry?.time ?? "", who: entry?.who ?? "",
                note: entry?.kind == .ticked ? entry?.text ?? "" : "", isManual: step.kind != .automatic,
                canSkip: step.kind != .automatic, byHand: step.byHand,
                undoObstacle: standing.undoObstacle(step.id))
        }
        func line(_ phase: Phase) -> BookState.PhaseLine {
            BookState.PhaseLine(
                number: phase.number, title: phase.title, shortTitle: phase.shortTitle,
                steps: phase.steps.map { line($0) })
        }
        let phases = Phases.all.map { line($0) }
        let checklist = Checklist.items.enumerated().map { index, item in
            Checklist.line(
                item, isOwn: false, steps: phases.flatMap(\.steps),
                entry: index > 0
                    ? nil
                    : JournalEntry(
                        id: 100, time: "2026-01-02T03:04:05Z", who: "ann", mode: mode, subject: "item:tests",
                        kind: .ticked,
                        text: "all 42 pass", evidence: [], basis: [:], data: nil),
                newest: newest.mapValues(\.id))
        }
        return BookState(
            title: title, sourcePath: "/srv/chat-app/prisma/dev.db", openPath: "/srv/chat-app",
            sourceBytes: 316 << 20, mode: mode,
            target: mode == .rehearsal ? "rehearsal (private)" : "postgresql://chat@db.example.com:5432/chat",
            liveTarget: mode == .live ? "postgresql://chat@db.example.com:5432/chat" : nil,
            liveDatabase: mode == .live ? "chat" : nil, phases: phases, cutover: line(Phases.cutover),
            rollback: line(Phases.rollback), finish: line(Phases.finish), isSourceHeld: false,
            checklist: checklist,
            findings: findings,
            tables: tables ?? (hasPlan ? rows.map { table($0.0, $0.1) } : []), plan: hasPlan ? plan : [],
            objects: [], places: places,
            journal: journal.reversed(), outcome: nil)
    }

    static func table(
        _ name: String, _ rows: Int, loaded: Int = 0, verdict: String? = nil, differences: Int = 0
    )
        -> BookState.TableLine
    {
        .init(
            name: name, rows: rows, loaded: loaded, verdict: verdict, differences: differences,
            isSkipped: false)
    }

    static let plan = rows.map { name, rows in
        BookState.PlanTable(
            name: name, isSkipped: false,
            columns: [
                .init(
                    name: "id", declared: "INTEGER", type: "integer", reason: "Prisma's Int", isNotNull: true,
                    held: [rows, 0, 0, 0, 0], alternatives: ["integer", "bigint", "text"]),
                .init(
                    name: "content", declared: "TEXT", type: "text", reason: "declared as text",
                    isNotNull: false,
                    held: [0, 0, rows / 2, 0, rows / 2], alternatives: ["text"]),
                .init(
                    name: "encryptedContent", declared: "BLOB", type: "bytea", reason: "declared as bytes",
                    isNotNull: false,
                    held: [0, 0, 0, rows, 0], alternatives: ["bytea"]),
            ], sourceSQL: ["CREATE TABLE \"\(name)\" (", "    \"id\" INTEGER NOT NULL", ");"],
            targetSQL: ["CREATE TABLE \"public\".\"\(name)\" (", "    \"id\" integer NOT NULL", ");"])
    }

    static func done(_ steps: [String]) -> [(String, JournalEntry.Kind, String)] {
        steps.map { ($0, .done, "") }
    }

    static let start = book()
    static let planned = book(done(["1.1", "1.2", "1.3", "1.4", "1.6", "1.7"]), hasPlan: true)
    static let made = book(done(["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8"]), hasPlan: true)
    static let running: BookState = {
        var state = made
        state.setRunning("3.2")
        return state
    }()
    static let live = book(done(["1.1"]), mode: .live)
    static let cutover: BookState = {
        let loaded = ["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8", "3.2", "3.3", "3.4"]
        var state = book(done(loaded + ["2.1", "2.2", "2.3", "C.1", "C.2"]), mode: .live)
        state.isSourceHeld = true
        return state
    }()
    static let failed = book(
        done(["1.1", "1.2"]) + [
            ("1.3", .failed, "postgresql://chat@db/chat cannot be reached: connection refused")
        ])
    static let undecided = book(
        done(["1.1", "1.2", "1.3", "1.4", "1.6"]) + [("1.7", .undecided, "2")], findings: findings,
        hasPlan: true)
    static let differing = book(
        done(["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8", "3.2", "3.3"]) + [
            ("3.4", .failed, "3 rows differ in Message")
        ],
        hasPlan: true,
        tables: rows.map { name, rows in
            table(
                name, rows, loaded: rows, verdict: name == "Message" ? "differs" : "equal",
                differences: name == "Message" ? 3 : 0)
        })
    /// The same with digests that were computed of two tables.
    static let digested: BookState = {
        var state = differing
        let (one, other) = (String(repeating: "0f1e2d3c", count: 8), String(repeating: "4b5a6978", count: 8))
        for index in state.tables.indices where ["User", "Message"].contains(state.tables[index].name) {
            let isEqual = state.tables[index].verdict == "equal"
            state.tables[index].digest = .init(
                source: one, target: isEqual ? one : other, isEqual: isEqual, obstacle: nil,
                time: "2026-01-02T03:04:05Z")
        }
        return state
    }()

    static let proven: BookState = {
        var state = book(
            done(["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8", "3.2", "3.3", "3.4"]), hasPlan: true,
            tables: rows.map { table($0, $1, loaded: $1, verdict: "equal") })
        state.outcome = "proven"
        return state
    }()

    /// After the proof: one step of phase 5 has failed, and a tick stands against another.
    static let doubted = book(
        done(["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8", "3.2", "3.3", "3.4", "5.11"]) + [
            ("5.1", .failed, "2 of 3 commands"), ("5.4", .ticked, "tried by hand"),
            ("5.10", .failed, "12 queries failed: 12 × deadlock"),
        ], hasPlan: true)

    static let loading: BookState = {
        var state = doubted
        state.setRunning("5.10")
        return state
    }()

    /// A load test that is under way.
    static var load: WorkView {
        var work = WorkView(step: "5.10")
        work.phase = "load"
        work.done = 41_234
        work.errors = 3
        work.rate = 5210
        work.elapsed = 8
        return work
    }

    static let findings: [Finding] = {
        let json = """
            [{"id": "value-does-not-fit", "blocking": true, "table": "User", "column": "quotaBytes", "count": 1,
              "sample_rowids": [2], "sample_keys": [], "message": "1 values do not fit bigint: the value's storage class is another (1)",
              "choices": ["text", "quarantine", "skip-table"],
              "consequences": ["the column becomes text, which holds every value of it exactly",
                "1 row is kept whole in howdah.quarantine and not loaded",
                "the whole table User is left out, with all of its rows"], "source": "default"},
             {"id": "orphan-rows", "blocking": true, "table": "Message", "column": "senderId",
              "object": "Message_senderId_fkey", "count": 3,
              "sample_rowids": [7, 8, 9], "sample_keys": [], "message": "3 rows refer to rows of User that are not there",
              "choices": ["not-valid", "quarantine", "leave-out"],
              "consequences": [
                "the foreign key Message_senderId_fkey is made NOT VALID: every row is loaded, and only new rows are checked",
                "3 rows are kept whole in howdah.quarantine and not loaded, and rows that refer to them follow",
                "the foreign key Message_senderId_fkey is not made in the target"], "source": "default"},
             {"id": "date-forms", "blocking": false, "table": "Message", "column": "editedAt", "count": 4,
              "sample_rowids": [], "sample_keys": [], "message": "4 dates have another form", "choices": [], "source": "default"}]
            """
        return Journal.decode([Finding].self, json) ?? []
    }()

    /// The load, two thirds through.
    static var work: WorkView {
        var work = WorkView(step: "3.2")
        work.phase = "copy"
        work.done = 652_113
        work.total = 1_020_000
        work.rate = 214_000
        work.secondsLeft = 2
        work.elapsed = 7
        work.samples = [120_000, 180_000, 230_000, 250_000, 214_000]
        work.loaded = ["User": 5000, "Conversation": 10_000, "Message": 637_113, "PostQuantumKey": 0]
        return work
    }

    static func model(_ book: BookState?, _ size: Size) -> AppModel {
        AppModel(size: size, book: book, themes: ["default", "light"], theme: "default")
    }
}
