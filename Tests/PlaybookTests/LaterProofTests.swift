import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

@testable import Playbook

/// A proof that no step has made.
@Suite struct LaterProofTests {
    private func working<T>(_ book: Playbook, _ step: String?, _ body: (Activity) throws -> T) throws -> T {
        let activity = try #require(book.begin(step))
        defer { book.end(activity) }
        return try body(activity)
    }

    /// It is in no journal: another state folder's howdah may have made it, or one that could not write there.
    @Test func rowsThatItFindsAreOfferedByStep35() throws {
        try withTemporaryFolder { folder in
            try makeDatabase(
                "\(folder)/a.db",
                "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y')")
            let workspace = try Workspace("\(folder)/a.db", state: nil)
            let book = try Playbook(workspace, target: nil, who: "ann")
            defer {
                var cluster = try? RehearsalCluster(workspace.state, cancellation: Cancellation())
                try? cluster?.remove()
            }
            for step in PlaybookTests.rehearsed { try working(book, step) { try book.run(step, $0) } }
            let before = try working(book, nil) { try book.preview("3.5", $0) }
            #expect(before.sections.first?.title == "Nothing is to be done")
            let server = try book.server(.rehearsal, cancellation: Cancellation())
            try TestServer.execute("UPDATE t SET a = 'z' WHERE id = 2", in: server.conninfo)
            let report = try working(book, nil) { activity in
                try Validation(
                    preparation: try book.preparation(.rehearsal, activity: activity), server: server,
                    workers: 2, cancellation: Cancellation(), progress: RunProgress(),
                    differences: try book.differenceLog(.rehearsal)
                ).run(tables: [])
            }
            #expect(report.outcome == .differs)
            #expect(book.stepState("3.4", .rehearsal) == .done)
            let after = try working(book, nil) { try book.preview("3.5", $0) }
            #expect(after.sections.first?.title == "Copies these rows again, in one transaction")
            #expect(after.sections.first?.lines.last?.split(separator: " ").prefix(3) == ["t", "0", "1"])
        }
    }
}
