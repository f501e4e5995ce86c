import Foundation
import TestSupport
import Testing

@testable import AppProject

/// Parameters of a database's URL.
@Suite struct URLParametersTests {
    @Test(arguments: [
        ("postgresql://u:p%40ss@h/db", "postgresql://u:p%40ss@h/db?connection_limit=9"),
        ("postgresql://h/db?schema=public", "postgresql://h/db?schema=public&connection_limit=9"),
        ("postgresql://h/db?connection_limit=1&schema=a", "postgresql://h/db?connection_limit=9&schema=a"),
        ("postgresql://h/db?", "postgresql://h/db?connection_limit=9"),
    ]) func oneIsSetAndAllElseStays(url: String, changed: String) {
        #expect(URLParameters.setting(["connection_limit=9"], in: url) == changed)
        #expect(URLParameters.of(changed)["connection_limit"] == "9")
    }

    @Test(arguments: [
        (
            "# a\nDATABASE_URL='postgresql://u:p@h/db'\nX=1\n",
            "# a\nDATABASE_URL='postgresql://u:p@h/db?a=1'\nX=1\n"
        ),
        ("DATABASE_URL=\"file:./dev.db\"\n", nil), ("DATABASE_URL=postgresql://$USER@h/db\nUSER=x\n", nil),
    ]) func onlyTheLineOfTheURLChanges(before: String, after: String?) throws {
        try withTemporaryFolder { folder in
            try before.write(toFile: "\(folder)/.env", atomically: true, encoding: .utf8)
            let edit = ProjectEditor(directory: folder).urlParameters(["a=1"])
            #expect(edit.changes.first?.after.map { String(decoding: $0, as: UTF8.self) } == after)
            #expect(edit.byHand.isEmpty == (after != nil))
            #expect(edit.changes.flatMap(\.diff).allSatisfy { !$0.contains(":p@") })
        }
    }
}
