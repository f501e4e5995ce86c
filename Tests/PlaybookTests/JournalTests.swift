import Foundation
import MigrationEngine
import TestSupport
import Testing

@testable import Playbook

@Suite struct JournalTests {
    private func withFolder(_ body: (StateFolder) throws -> Void) throws {
        try withTemporaryFolder { folder in
            try body(
                StateFolder.open(
                    source: "\(folder)/a.db", project: nil, override: "\(folder)/s", environment: [:]))
        }
    }

    @Test func entriesAreThereWhenTheJournalIsOpenedAgain() throws {
        try withFolder { folder in
            do {
                let journal = try Journal(folder, who: "ann")
                try journal.add(.started, "1.2", .live, basis: ["source": "x"])
                try journal.add(.done, "1.2", .live, "text", evidence: ["a", "b"], data: "{}")
            }
            let entries = try Journal(folder, who: "bob").entries
            #expect(entries.map(\.kind) == [.started, .done])
            #expect(entries.map(\.who) == ["ann", "ann"])
            #expect(entries[1].evidence == ["a", "b"])
            #expect(entries[0].basis == ["source": "x"])
            #expect(entries[1].data == "{}")
        }
    }

    @Test func aReaderMakesNothingAndWritesNothing() throws {
        try withFolder { folder in
            let journal = try Journal(folder, who: "ann", isWriter: false)
            #expect(journal.entries.isEmpty)
            #expect(access("\(folder.path)/journal.db", F_OK) != 0)
            #expect(throws: MigrationError.self) { try journal.add(.note, "1.1", .live) }
        }
    }

    @Test func theFileIsForItsOwnerAlone() throws {
        try withFolder { folder in
            try Journal(folder, who: "ann").add(.note, "1.1", .live)
            var status = stat()
            #expect(stat("\(folder.path)/journal.db", &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
        }
    }
}
