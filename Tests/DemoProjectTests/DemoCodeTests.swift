import AppProject
import DemoProject
import Foundation
import MigrationEngine
import TestSupport
import Testing

/// The demo's code has what the scan looks for, each kind at least once.
@Suite struct DemoCodeTests {
    /// Other frameworks' ways, of which a Prisma project has none.
    private static let others: Set = ["sqlite-adapter", "sqlite-sessions", "sqlite-backend"]

    @Test func everyKindOfPlaceIsInIt() throws {
        try withTemporaryFolder { folder in
            _ = try DemoProject.make(in: "\(folder)/app", options: .init(messages: 10))
            let result = try CodeScan(root: "\(folder)/app").run(workers: 2, cancellation: Cancellation())
            let found = Set(result.findings.map(\.rule))
            let missing = Set(CodeScan.rules.map(\.id)).subtracting(found).subtracting(Self.others)
            #expect(missing.isEmpty, "not in the demo: \(missing.sorted())")
            // What says SQL in a comment, and what is only about cryptography, is passed over.
            #expect(!result.findings.contains { $0.path.hasSuffix("encryption.ts") })
            #expect(!result.findings.contains { $0.path.hasPrefix("prisma/migrations") })
        }
    }
}
