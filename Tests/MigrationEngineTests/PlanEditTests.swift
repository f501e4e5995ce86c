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
            let loose = try edited(.dropForeignKey(table: "child", columns: ["p"]))
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
                .drop(table: "child", name: "no"), .dropForeignKey(table: "child", columns: ["x"]),
            ] {
                #expect(throws: MigrationError.self) { try store.apply(edit, to: preparation) }
            }
            #expect(try !PlanFile(path: path).isEdited)
        }
    }

    @Test(
        arguments: [
            ("skip: true (leaves out the whole table t)", PlanEdit.skip(table: "t", true)),
            ("type: numeric(5,2)", .type(table: "t", column: "c", type: "numeric(5,2)")),
            ("remove the foreign key from the plan", .dropForeignKey(table: "t", columns: ["c"])),
            ("remove the foreign key t_fk from the plan", .drop(table: "t", name: "t_fk")),
            ("remove t_idx from the plan", .drop(table: "t", name: "t_idx")),
            ("not_null: false", .nullable(table: "t", column: "c")),
            ("correct the rows in the source", nil),
        ] as [(String, PlanEdit?)]) func choicesOfFindingsAreEdits(_ choice: String, _ edit: PlanEdit?)
    {
        let finding = Finding(
            .valueDoesNotFit, blocking: true, table: "t", column: "c", "", choices: [choice])
        #expect(PlanEdit(choice, of: finding) == edit)
    }
}
