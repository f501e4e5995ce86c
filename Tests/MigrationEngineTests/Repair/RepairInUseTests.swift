import Foundation
import Postgres
import TestSupport
import Testing

@testable import MigrationEngine

/// Repairs of rows that were never right alone: those that differed in the first proof, and still hold what was wrong then.
@Suite struct RepairInUseTests {
    private static let script = """
        CREATE TABLE walked (id INTEGER PRIMARY KEY, v TEXT, w TEXT); CREATE TABLE pair (a TEXT, b TEXT, v TEXT, PRIMARY KEY (a, b));
        CREATE TABLE keyless (v TEXT);
        INSERT INTO walked VALUES (1, 'a', 'x'), (2, 'b', 'x'), (3, 'c', 'x'), (4, 'd', 'x'), (5, 'e', 'x'), (6, 'f', 'x');
        INSERT INTO pair SELECT 'p, q', id, v FROM walked; INSERT INTO keyless SELECT v FROM walked
        """
    private static let wrong = """
        UPDATE walked SET v = 'wrong' WHERE id IN (1, 2); DELETE FROM walked WHERE id = 3; INSERT INTO walked VALUES (20, 'stranger', 'x');
        UPDATE pair SET v = 'wrong' WHERE b IN ('1', '2')
        """
    /// The application's: one of those that were wrong is written anew, another in another column; one is changed, gone, come.
    private static let written = """
        UPDATE walked SET v = 'theirs' WHERE id = 2; UPDATE walked SET w = 'theirs' WHERE id = 1; UPDATE walked SET v = 'theirs' WHERE id = 4;
        DELETE FROM walked WHERE id = 5; INSERT INTO walked VALUES (30, 'theirs', 'x'); UPDATE pair SET v = 'theirs' WHERE b = '2'
        """
    private static let inUse = TargetInUse(since: "2999-01-01T00:00:00Z", end: "2999-01-02T00:00:00Z")

    /// What was wrong when the target was first proven, and what the application has written since.
    private func withApplication(
        wrong: String = RepairInUseTests.wrong, written: String = RepairInUseTests.written,
        isProven: Bool = true, inUse: TargetInUse? = RepairInUseTests.inUse,
        _ body: (Damaged, Repair) throws -> Void
    ) throws {
        try Damaged.with(Self.script) { damaged in
            let log = try DifferenceLog(damaged.state(), name: "t")
            let preparation = try damaged.test.prepare(
                damaged.source, state: "\(damaged.folder)/state", target: damaged.conninfo)
            try damaged.damage(wrong)
            if isProven {
                _ = try Validation(
                    preparation: preparation, server: damaged.server(), workers: 2,
                    cancellation: Cancellation(), progress: RunProgress(), differences: log
                ).run(tables: [])
            }
            try damaged.damage(written)
            var repair = try damaged.repairer(preparation, differences: log)
            repair.inUse = inUse
            try body(damaged, repair)
        }
    }

    private func rows(_ damaged: Damaged) throws -> [String] {
        try TestServer.rows("SELECT id, v, w FROM walked ORDER BY id", in: damaged.conninfo)
    }

    @Test(arguments: [
        RepairRequest(), RepairRequest(tables: ["walked"]), RepairRequest(removesExtra: true),
        RepairRequest(tables: ["walked"], removesExtra: true),
    ])
    func rowsThatNobodyHasNamedAreTheApplications(_ request: RepairRequest) throws {
        try withApplication { damaged, repair in
            let before = try damaged.content()
            let error = #expect(throws: MigrationError.self) { try repair.run(repair.preview(request)) }
            #expect(error?.exit == .undecided)
            #expect(error?.message.contains("the cutover ended at 2999-01-02") ?? false)
            #expect(error?.remedy.contains("--never-right") ?? false)
            #expect(try damaged.content() == before)
        }
    }

    /// Before a cutover it is a narrower choice.
    @Test(arguments: [inUse, nil]) func onlyWhatWasNeverRightIsCopied(_ inUse: TargetInUse?) throws {
        try withApplication(inUse: inUse) { damaged, repair in
            let preview = try repair.preview(RepairRequest(onlyNeverRight: true))
            let walked = try #require(preview.tables.first { $0.name == "walked" })
            let counts: [Int] = [
                walked.missing, walked.changed, walked.extra, walked.written, walked.mixed,
            ]
            #expect(counts == [1, 0, 1, 4, 1])
            #expect(
                preview.leftWords.last?.contains(
                    "1 row was never right and was written by the application since") ?? false)
            #expect(
                try repair.run(preview).record?.words == "walked (1 missing), pair (1 changed)")
            #expect(
                try rows(damaged) == [
                    "1|wrong|theirs", "2|theirs|x", "3|c|x", "4|theirs|x", "6|f|x", "20|stranger|x",
                    "30|theirs|x",
                ])
            #expect(
                try TestServer.rows("SELECT v FROM pair ORDER BY b", in: damaged.conninfo).prefix(2) == [
                    "a", "theirs",
                ])
        }
    }

    /// Rows that were wrong, and what the application has made of them.
    @Test(arguments: [
        ("UPDATE walked SET v = 'wrong' WHERE id = 1", "DELETE FROM walked WHERE id = 1"),
        ("DELETE FROM walked WHERE id = 3", "INSERT INTO walked VALUES (3, 'theirs', 'x')"),
        (
            "INSERT INTO walked VALUES (20, 'stranger', 'x')",
            "UPDATE walked SET v = 'theirs' WHERE id = 20"
        ),
        (
            "INSERT INTO pair VALUES ('p, q', '20', 'stranger')",
            "UPDATE pair SET v = 'theirs' WHERE b = '20'"
        ),
        ("UPDATE walked SET v = 'wrong' WHERE id = 1", "UPDATE walked SET w = 'theirs' WHERE id = 1"),
        (
            "UPDATE walked SET v = 'wrong', w = 'wrong' WHERE id = 1",
            "UPDATE walked SET w = 'theirs' WHERE id = 1"
        ),
    ])
    func whatTheApplicationHasWrittenIntoThemStays(_ wrong: String, _ written: String) throws {
        try withApplication(wrong: wrong, written: written) { damaged, repair in
            let before = try damaged.content()
            let request = RepairRequest(removesExtra: true, onlyNeverRight: true)
            #expect(try repair.run(repair.preview(request)).record == nil)
            #expect(try damaged.content() == before)
        }
    }

    /// What differs in them later is not what was wrong in the first proof.
    @Test func rowsThatARepairHasMadeEqualAreTheApplicationsFromThenOn() throws {
        try withApplication(written: "SELECT 1") { damaged, repair in
            let request = RepairRequest(removesExtra: true, onlyNeverRight: true)
            let record = try #require(try repair.run(repair.preview(request)).record)
            let right = try damaged.content()
            try damaged.damage(
                """
                UPDATE walked SET v = 'wrong' WHERE id = 1; DELETE FROM walked WHERE id = 3;
                INSERT INTO walked VALUES (20, 'stranger', 'x'); UPDATE pair SET v = 'wrong' WHERE b = '1'
                """)
            let before = try damaged.content()
            #expect(try repair.preview(request).isEmpty)
            #expect(try repair.run(repair.preview(request)).record == nil)
            #expect(try damaged.content() == before)
            try damaged.damage(
                """
                UPDATE walked SET v = 'a' WHERE id = 1; INSERT INTO walked VALUES (3, 'c', 'x');
                DELETE FROM walked WHERE id = 20; UPDATE pair SET v = 'a' WHERE b = '1'
                """)
            #expect(try damaged.content() == right)
            // Undone, they hold again what was wrong then.
            _ = try repair.undo(record)
            #expect(
                try repair.run(repair.preview(request)).record?.words
                    == "walked (1 missing, 2 changed, 1 removed), pair (2 changed)")
            #expect(try damaged.content() == right)
        }
    }

    @Test func ofRowsThatOnlyTheTargetHasThoseThatWereThereGo() throws {
        try withApplication { damaged, repair in
            let request = RepairRequest(tables: ["walked"], removesExtra: true, onlyNeverRight: true)
            let outcome = try repair.run(repair.preview(request))
            #expect(outcome.record?.words == "walked (1 missing, 1 removed)")
            #expect(try rows(damaged).suffix(2) == ["6|f|x", "30|theirs|x"])
        }
    }

    @Test func aTableWithoutAKeyIsNotLoadedOverTheApplicationsRows() throws {
        try withApplication(
            wrong: "DELETE FROM keyless WHERE v = 'a'", written: "INSERT INTO keyless VALUES ('theirs')"
        ) {
            damaged, repair in
            let before = try damaged.content()
            for removes in [false, true] {
                let request = RepairRequest(
                    tables: ["keyless"], removesExtra: removes, onlyNeverRight: true)
                let error = #expect(throws: MigrationError.self) { try repair.preview(request) }
                #expect(error?.exit == .undecided)
                #expect(error?.message.contains("one by one") ?? false)
            }
            #expect(try damaged.content() == before)
        }
    }

    @Test func aRowThatIsNamedIsRepairedAfterAWarning() throws {
        try withApplication { damaged, repair in
            let preview = try repair.preview(RepairRequest(tables: ["walked"], keys: ["4"]))
            #expect(preview.warning?.contains("2999-01-01") ?? false)
            #expect(try repair.run(preview).record?.words == "walked (1 changed)")
            #expect(try rows(damaged).contains("4|d|x"))
        }
    }

    @Test func withoutAFirstProofNothingIsTold() throws {
        try withApplication(isProven: false) { damaged, repair in
            let before = try damaged.content()
            let error = #expect(throws: MigrationError.self) {
                try repair.preview(RepairRequest(onlyNeverRight: true))
            }
            #expect(error?.exit == .undecided)
            #expect(error?.message.contains("no proof") ?? false)
            #expect(try damaged.content() == before)
        }
    }

    /// What it found to differ may be the application's.
    @Test func aFirstProofOfAfterTheSwitchTellsNothing() throws {
        try withApplication(inUse: TargetInUse(since: "2001-01-01T00:00:00Z", end: nil)) { damaged, repair in
            let before = try damaged.content()
            let error = #expect(throws: MigrationError.self) {
                try repair.preview(RepairRequest(onlyNeverRight: true))
            }
            #expect(error?.exit == .undecided)
            #expect(error?.message.contains("the first proof") ?? false)
            #expect(try damaged.content() == before)
        }
    }
}
