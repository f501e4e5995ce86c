import Foundation
import TestSupport
import Testing

@testable import MigrationEngine

@Suite struct PlanFileTests {
    static let hostile = [
        "plain", "two words", "a\"b", "a'b", "a\nb", "a\r\nb", "a\tb", "# no comment", "a # b", "a: b", "a:",
        ": ", "größe", "名前",
        "🐘", "e\u{301}", "\"\u{301}", "yes", "no", "Null", "null", "~", "true", "y", "-", "- a", "--- ", "-5",
        "5", "1.5", "1e3", "0x10",
        ".5", "1_000", "2024-05-06", "07:08", "{a}", "[a]", "a, b", "a]", "}", "&a", "*a", "!tag", "|", ">",
        "%a", "@a", "`a`", "\\", "\\n",
        " a", "a ", " ", "a\u{1}b", "\u{7F}", "\u{80}", "\u{85}", "\u{A0}", "\u{2028}", "\u{2029}",
        "a\u{FEFF}", "\u{FFFE}", "\u{FFFF}",
        "\u{E000}", "?", "? a", "=", "<<", "...", "\u{200D}", "\u{1F}x", "# unchanged since it was made: ",
    ]

    private func plan(_ name: String) -> MigrationPlan {
        let key = MigrationPlan.Key(name: name, columns: [name, "b"])
        return MigrationPlan(
            snapshot: name, sourceSchema: name, style: .prisma, schema: name,
            enums: [.init(name: name, labels: [name, "x"])],
            tables: [
                .init(
                    name: name,
                    columns: [
                        .init(
                            name: name, type: PostgresType.enumeration(name).sql, notNull: true,
                            defaultValue: name,
                            numbering: .identity, integers: .seconds, reason: name),
                        .init(name: "b", type: "numeric(10,2)"),
                    ],
                    primaryKey: key, uniques: [key],
                    indexes: [.init(name: name, unique: true, columns: [name, "b"], descending: [name])],
                    foreignKeys: [
                        .init(
                            name: name, columns: [name], parent: name, parentColumns: [name],
                            onDelete: "SET NULL",
                            onUpdate: "CASCADE", deferrable: "deferred")
                    ])
            ])
    }

    private func text(_ plan: MigrationPlan, name: String = "t") -> String {
        PlanFile.text(
            plan, rows: [name: 5],
            findings: [
                Finding(
                    .dateForms, blocking: true, table: name, column: name, "about \(name)",
                    choices: [Choice("choose \(name)", "it is \(name)")])
            ],
            objects: [.notSupported(.view, name, "for \(name)"), .carried(.table, name)])
    }

    private func read(_ text: String) throws -> PlanFile {
        try withTemporaryFolder { folder in
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/plan.yaml"))
            return try PlanFile(path: "\(folder)/plan.yaml")
        }
    }

    @Test(arguments: hostile)
    func aPlanIsReadAsItWasWritten(name: String) throws {
        let plan = plan(name)
        let file = try read(text(plan, name: name))
        #expect(file.plan == plan)
        #expect(file.plan.tables.map { Array($0.name.utf8) } == [Array(name.utf8)])
        #expect(!file.isEdited)
    }

    @Test func aPlanWithoutTablesIsRead() throws {
        let plan = MigrationPlan(snapshot: "s", style: .plain, schema: "public", enums: [], tables: [])
        #expect(try read(PlanFile.text(plan, rows: [:], findings: [], objects: [])).plan == plan)
    }

    @Test(arguments: [
        ("version: 1", "version: 1 "), ("about t", "about u"), ("type: \"numeric(10,2)\"", "type: numeric"),
        ("not_null: true", "not_null: false"),
    ])
    func aChangedFileIsTold(old: String, new: String) throws {
        let made = text(plan("t"))
        let changed = made.replacing(old, with: new, maxReplacements: 1)
        #expect(changed != made)
        #expect(try read(changed).isEdited)
    }

    @Test func whatFollowsTheChecksumIsAChange() throws {
        #expect(try read(text(plan("t")) + "# mine\n").isEdited)
    }

    @Test func aFileWithoutAChecksumIsEdited() throws {
        let made = text(plan("t"))
        let lines = made.split(separator: "\n", omittingEmptySubsequences: false).filter {
            !$0.hasPrefix("# unchanged")
        }
        #expect(try read(lines.joined(separator: "\n")).isEdited)
    }

    @Test func whatIsNotSaidHasItsDefault() throws {
        let file = try read(
            """
            version: 1
            snapshot: s
            style: plain
            schema: public
            enums: []
            tables:
              - name: t
                columns:
                  - name: a
                    type: bigint
            """)
        let table = MigrationPlan.Table(name: "t", columns: [.init(name: "a", type: "bigint")])
        #expect(file.plan.tables == [table])
    }

    @Test(arguments: [
        ("", "tables"), ("tables: 5", "tables"), ("version: 2", "version"), ("version: one", "version"),
        ("style: laravel", "style"),
        ("tables:\n  - name: t\n    columns:\n      - name: a\n", "tables[0].columns[0]"),
        (
            "tables:\n  - name: t\n    columns:\n      - name: a\n        type: text\n        not_null: maybe\n",
            "tables[0].columns[0].not_null"
        ),
        ("tables:\n  - columns: []\n", "tables[0] lacks name"), ("\"", "line"), ("a: [", "line"),
        ("tables:\n  - name: t\n    skp: true\n    columns: []\n", "tables t has a key skp"),
        (
            "tables:\n  - name: t\n    columns:\n      - name: a\n        type: text\n        not_nul: true\n",
            "columns a has a key not_nul"
        ), ("tables: []\ncolour: red\n", "line 7: the plan has a key colour"),
        ("- a", "the plan: Expected to decode Mapping"),
    ])
    func anUnreadableFileTellsThePlace(content: String, place: String) throws {
        let head = ["version: 1", "snapshot: s", "style: plain", "schema: public", "enums: []"]
            .filter { line in !content.hasPrefix(String(line.prefix { $0 != ":" })) }
        let whole = content.hasPrefix("-") ? content : head.joined(separator: "\n") + "\n" + content
        let error = #expect(throws: MigrationError.self) { try read(whole) }
        #expect(error?.code == .plan)
        #expect(error?.exit == .usage)
        #expect(error?.message.contains(place) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("plan.yaml") == true)
    }

    @Test func aFileThatIsNotThereIsAnErrorOfThePlan() {
        let error = #expect(throws: MigrationError.self) { try PlanFile(path: "/nowhere/plan.yaml") }
        #expect(error?.code == .plan)
        #expect(error?.message.contains("/nowhere/plan.yaml") == true)
    }
}
