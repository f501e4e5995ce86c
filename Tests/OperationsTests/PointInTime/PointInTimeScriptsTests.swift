import Foundation
import MigrationEngine
import TestSupport
import Testing

@testable import Operations

/// The script that the server calls for every finished WAL file.
@Suite struct PointInTimeScriptsTests {
    private func run(_ script: String, _ arguments: [String], _ folder: String) throws -> Command.Outcome {
        try script.write(toFile: "\(folder)/archive.sh", atomically: true, encoding: .utf8)
        return try Command(
            "/bin/sh", ["\(folder)/archive.sh"] + arguments, in: "/", environment: ["PATH": "/usr/bin:/bin"]
        ).run(cancellation: Cancellation())
    }

    @Test(arguments: ["plain", "it's \"50%\" $HOME"]) func aFileIsKeptOnceAndNeverReplaced(name: String)
        throws
    {
        try withTemporaryFolder { folder in
            let archive = "\(folder)/\(name)"
            let script = PointInTimeScripts.archiving(archive: archive)
            let file = "\(folder)/000000010000000000000001"
            try "log".write(toFile: file, atomically: true, encoding: .utf8)
            let arguments = [file, "000000010000000000000001"]
            #expect(try run(script, arguments, folder).status == 1, "there is no archive yet")
            try FileManager.default.createDirectory(atPath: archive, withIntermediateDirectories: false)
            #expect(try run(script, arguments, folder).status == 0)
            #expect(
                try String(contentsOfFile: "\(archive)/000000010000000000000001", encoding: .utf8) == "log")
            #expect(try run(script, arguments, folder).status == 0, "a server that crashed asks again")
            try "other".write(toFile: file, atomically: true, encoding: .utf8)
            let refused = try run(script, arguments, folder)
            #expect(refused.status == 1 && refused.output.contains("does another server use this archive?"))
            #expect(
                try String(contentsOfFile: "\(archive)/000000010000000000000001", encoding: .utf8) == "log")
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: archive).count == 1, "no part is left")
        }
    }

    @Test(arguments: [
        ("/lib/a.sh", "/lib/a.sh \"%p\" \"%f\""), ("/l'b/50%/a.sh", "'/l'\\''b/50%%/a.sh' \"%p\" \"%f\""),
    ]) func theServersOwnMarksAreItsAlone(path: String, command: String) {
        #expect(PointInTimePlaces.archiveCommand(script: path) == command)
    }

    @Test(arguments: [("a", "'a'"), ("it's", "'it''s'"), ("a\\b", "'a\\\\b'")])
    func valuesOfTheConfigurationAreQuoted(text: String, value: String) {
        #expect(PointInTimePlaces.configurationValue(text) == value)
    }

    @Test func aDatabasesNameLeadsNowhereElse() {
        let places = PointInTimePlaces(database: "../../etc; rm -rf $HOME")
        #expect(places.archive == "/var/backups/postgresql/etcrm-rfHOME/wal")
        #expect(PointInTimePlaces(database: "……").bases == "/var/backups/postgresql/database/base")
    }
}
