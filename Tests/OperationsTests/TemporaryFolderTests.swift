import Foundation
import TestSupport
import Testing

/// The folders that tests work in.
@Suite struct TemporaryFolderTests {
    @Test func removingOneLeavesWhatItsLinksLeadToAsItIs() throws {
        try withTemporaryFolder { outside in
            let file = "\(outside)/tool"
            try "x".write(toFile: file, atomically: true, encoding: .utf8)
            chmod(file, 0o755)
            try withTemporaryFolder { folder in
                try FileManager.default.createSymbolicLink(
                    atPath: "\(folder)/link", withDestinationPath: file)
            }
            var status = stat()
            #expect(stat(file, &status) == 0 && status.st_mode & 0o777 == 0o755)
        }
    }
}
