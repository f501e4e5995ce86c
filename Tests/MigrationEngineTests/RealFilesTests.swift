import Foundation
import MigrationEngine
import TestSupport
import Testing

/// Databases of other people's: each is proven as it is, or when every finding is decided as recommended.
@Suite struct RealFilesTests {
    private static let folder = packageFolder() + "/../shared/data"
    private static let files: [String] = {
        let all = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return all.filter { $0.hasSuffix(".db") || $0.hasSuffix(".sqlite") }.sorted()
    }()

    @Test(.enabled(if: FileManager.default.fileExists(atPath: folder)), arguments: files)
    func everyFileIsProvenAsRecommended(_ file: String) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/source.db"
            try FileManager.default.copyItem(atPath: "\(Self.folder)/\(file)", toPath: path)
            try TestServer.withDatabase { conninfo in
                let report = try TestMigration(decide: ["recommended"]).run(
                    path, state: "\(folder)/state", into: conninfo)
                let open = report.findings.filter(\.blocking).map { "\($0.key): \($0.message)" }
                #expect([.proven, .quarantined].contains(report.outcome), "\(open) \(report.unexplained)")
                for table in report.tables where table.verdict != "skipped" {
                    #expect(table.sourceRows == table.loadedRows + table.quarantinedRows, "\(table.name)")
                }
                #expect(report.views.allSatisfy { $0.verdict == "equal" || report.outcome == .quarantined })
                // The proof alone finds nothing either, and nothing that is other than planned.
                let again = try TestMigration(decide: ["recommended"]).validate(
                    path, state: "\(folder)/state", against: conninfo)
                #expect(again.outcome == report.outcome && again.notices == report.notices)
                for (one, other) in zip(report.tables, again.tables) {
                    #expect(one.name == other.name && one.verdict == other.verdict, "\(one.name)")
                    #expect(other.differences == 0 && other.samples.isEmpty, "\(one.name)")
                    #expect(one.sourceRows == other.sourceRows && one.loadedRows == other.loadedRows)
                    #expect(other.notes == nil, "\(one.name): \(other.notes ?? [])")
                }
            }
        }
    }
}
