import TestSupport
import Testing

@testable import MigrationEngine

@Suite struct PlanEditTests {
    private static let script = """
        CREATE TABLE parent (id INTEGER PRIMARY KEY, n INT, UNIQUE (n));
        CREATE TABLE child (id INTEGER PRIMARY KEY, p INT NOT NULL REFERENCES parent, x TEXT);
        CREATE INDEX child_x ON child (x);
        INSERT INTO parent VALUES (1, 1); INSERT INTO child VALUES (1, 1, 'x')
        """

    private func withPreparation(_ body: (Preparation, PlanStore, String) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/a.db"
            try makeDatabase(path, Self.script)
            let state = try StateFolder.open(
                source: path, project: nil, override: "\(folder)/s", environment: [:])
            try body(TestMigration().prepare(path, state: state.path), PlanStore(state), state.planPath)
        }
    }

    @Test func everyEditIsInTheFileAndTheFileCountsAsEdited() throws {
        try withPreparation { preparation, store, path in
            func edited(_ edit: PlanEdit) throws -> MigrationPlan {
                try store.apply(edit, to: preparation)
                let file = try PlanFile(path: path)
                #expect(file.isEdited)
                return file.plan
            }
            func table(_ name: String, _ plan: MigrationPlan) throws -> MigrationPlan.Table {
                try #require(plan.tables.first { $0.name == name })
            }
            let typed = try edited(.type(table: "child", column: "x", type: "varchar(5)"))
            #expect(try table("child", typed).columns.last?.type == "varchar(5)")
            #expect(try table("child", edited(.skip(table: "child", true))).isSkipped)
            let key = preparation.plan.tables[1].foreignKeys?.first?.name ?? ""
            let loose = try edited(.drop(table: "child", name: key))
            #expect(try table("child", loose).foreignKeys?.isEmpty ?? true)
            let nullable = try edited(.nullable(table: "child", column: "p"))
            #expect(try table("child", nullable).columns[1].notNull ?? false == false)
            let bare = try edited(.drop(table: "child", name: "child_x"))
            #expect(try table("child", bare).indexes?.isEmpty ?? true)
        }
    }

    @Test func whatThePlanDoesNotHaveIsRefusedAndTheFileStays() throws {
        try withPreparation { preparation, store, path in
            try store.keep(preparation)
            for edit in [
                PlanEdit.type(table: "no", column: "x", type: "text"),
                .type(table: "child", column: "no", type: "text"),
                .drop(table: "child", name: "no"), .notValid(table: "child", name: "no"),
            ] {
                #expect(throws: MigrationError.self) { try store.apply(edit, to: preparation) }
            }
            #expect(try !PlanFile(path: path).isEdited)
        }
    }

    @Test(
        arguments: [
            ("skip-table", .valueDoesNotFit, PlanEdit.skip(table: "t", true)),
            ("numeric(5,2)", .valueDoesNotFit, .type(table: "t", column: "c", type: "numeric(5,2)")),
            ("leave-out", .foreignKeyTypes, .drop(table: "t", name: "t_fk")),
            ("not-valid", .orphanRows, .notValid(table: "t", name: "t_fk")),
            ("nullable", .nullInNotNull, .nullable(table: "t", column: "c")),
            ("rename:short", .nameTooLong, .rename(table: "t", column: "c", to: "short")),
            (
                "quarantine", .orphanRows,
                .decide(Decision(finding: .orphanRows, place: "t.c", choice: "quarantine"))
            ),
            (
                "leave-out", .notCarried,
                .decide(Decision(finding: .notCarried, place: "t.c", choice: "leave-out"))
            ),
        ] as [(String, Finding.ID, PlanEdit)])
    func choicesOfFindingsAreEdits(_ word: String, _ id: Finding.ID, _ edit: PlanEdit) {
        let finding = Finding(
            id, blocking: true, table: "t", column: "c", object: "t_fk", "", choices: [Choice(word, "")])
        #expect(PlanEdit(word, of: finding) == edit)
        #expect(PlanEdit("no such choice", of: finding) == nil)
    }
}
