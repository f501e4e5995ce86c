import DemoProject
import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

/// From a file through a folder of files into PostgreSQL, by commands.
@Suite struct ExportCommandTests {
    private func withDemo(
        isDirty: Bool = false, messages: Int = 400,
        _ body: (_ project: String, _ folder: String) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            let project = "\(folder)/app"
            _ = try DemoProject.make(in: project, options: .init(messages: messages, isDirty: isDirty))
            try body(project, folder)
        }
    }

    /// Everything that a target holds: each row of each table as PostgreSQL writes it, keys, indexes, columns, sequences.
    private func holdings(_ conninfo: Conninfo) throws -> [String] {
        let tables = try TestServer.rows(
            "SELECT quote_ident(relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v') ORDER BY 1",
            in: conninfo)
        var lines = tables
        for table in tables {
            lines += try TestServer.rows(
                "SELECT '\(table.replacing("'", with: "''")) ' || t::text FROM public.\(table) AS t ORDER BY t::text COLLATE \"C\"",
                in: conninfo)
        }
        for catalog in [
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexdef COLLATE \"C\"",
            "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1",
            "SELECT table_name, column_name, ordinal_position, data_type, is_nullable, column_default FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 3",
            "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1",
            "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
            "SELECT source_table, source_rowid, key, reason, encode(\"row\", 'hex') FROM howdah.quarantine ORDER BY 1, 2",
        ] {
            lines += try TestServer.rows(catalog, in: conninfo)
        }
        return lines
    }

    @Test(arguments: [
        (false, "ndjson", true), (true, "ndjson", false), (false, "csv", false), (true, "csv", true),
    ])
    func anImportEqualsADirectMigration(isDirty: Bool, format: String, isCompressed: Bool) throws {
        try withDemo(isDirty: isDirty) { project, folder in
            let decide = isDirty ? ["--decide", "recommended"] : []
            let exit: Int32 = isDirty ? 5 : 0
            let export = try Howdah.run(
                ["export", project, "\(folder)/files", "--format", format, "--json"] + decide
                    + (isCompressed ? ["--compress"] : []))
            #expect(export.exit == 0, "\(export.errors)")
            let document = try export.json()
            #expect(document["command"] as? String == "export")
            try TestServer.withDatabase { direct in
                let migration = try Howdah.run(["migrate", project, direct.url, "--yes"] + decide)
                #expect(migration.exit == exit, "\(migration.errors) \(migration.output)")
                try TestServer.withDatabase { target in
                    let loaded = try Howdah.run(["import", "\(folder)/files", target.url, "--yes", "--json"])
                    #expect(loaded.exit == exit, "\(loaded.errors) \(loaded.output)")
                    let report = try loaded.json()
                    #expect(report["command"] as? String == "import")
                    #expect(report["outcome"] as? String == (isDirty ? "quarantined" : "proven"))
                    let expected = try holdings(direct)
                    #expect(expected.count > 600)
                    let kept = try TestServer.value("SELECT count(*) FROM howdah.quarantine", in: direct)
                    #expect((kept != "0") == isDirty)
                    #expect(try holdings(target) == expected)
                    // The file that it all began with is held against what came of its export.
                    let validation = try Howdah.run(["validate", project, target.url])
                    #expect(validation.exit == exit, "\(validation.output)")
                    // Imported once more, it is compared and not loaded.
                    let again = try Howdah.run(["import", "\(folder)/files", target.url, "--yes", "--json"])
                    #expect(again.exit == exit, "\(again.errors) \(again.output)")
                    #expect(try holdings(target) == expected)
                }
            }
        }
    }

    @Test func whatIsToBeDecidedIsDecidedAtTheImport() throws {
        try withDemo(isDirty: true) { project, folder in
            #expect(try Howdah.run(["export", project, "\(folder)/files"]).exit == 0)
            try TestServer.withDatabase { target in
                let open = try Howdah.run(["import", "\(folder)/files", target.url, "--yes"])
                #expect(open.exit == 3, "\(open.errors)")
                let decided = try Howdah.run(
                    ["import", "\(folder)/files", target.url, "--yes", "--decide", "recommended"])
                #expect(decided.exit == 5, "\(decided.errors) \(decided.output)")
                // What was decided stays decided.
                #expect(try Howdah.run(["import", "\(folder)/files", target.url, "--yes"]).exit == 5)
            }
        }
    }

    @Test func aDamagedExportLoadsNothing() throws {
        try withDemo { project, folder in
            #expect(try Howdah.run(["export", project, "\(folder)/files"]).exit == 0)
            let path = "\(folder)/files/1-User.ndjson"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            try (lines[..<4] + [lines[4].dropLast(3)] + lines[5...]).joined(separator: "\n").write(
                toFile: path, atomically: true, encoding: .utf8)
            try TestServer.withDatabase { target in
                let refused = try Howdah.run(["import", "\(folder)/files", target.url, "--yes", "--json"])
                #expect(refused.exit == 2)
                let error = try #require(refused.json()["error"] as? [String: Any])
                #expect(error["code"] as? String == "export")
                #expect((error["message"] as? String)?.hasPrefix("1-User.ndjson, line 5: ") == true)
                let tables = try TestServer.value(
                    "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace", in: target)
                #expect(tables == "0")
            }
            #expect(try states(folder) == [])
        }
    }

    /// The state folders of files and exports.
    private func states(_ folder: String) throws -> [String] {
        let below = try FileManager.default.subpathsOfDirectory(atPath: folder)
        return below.filter { $0.hasSuffix(".howdah") && !$0.hasPrefix("app") }.sorted()
    }

    @Test func theFolderOfAnExportMeansWhatWasImportedFromIt() throws {
        try withDemo(messages: 60) { project, folder in
            let files = "\(folder)/files"
            #expect(try Howdah.run(["export", project, files]).exit == 0)
            for command in [
                ["validate", files], ["rehearsal", "start", files], ["rehearsal", "remove", files],
                ["report", files, "\(folder)/r.md"], ["status", files], ["migrate", files],
                ["digest", files],
            ] {
                let refused = try Howdah.run(command)
                #expect(refused.exit == 2, "\(command) \(refused.errors)")
                #expect(refused.errors.contains("howdah import"), "\(command) \(refused.errors)")
            }
            #expect(try states(folder) == [])

            #expect(try Howdah.run(["import", files]).exit == 0)
            let started = try Howdah.run(["rehearsal", "start", files])
            #expect(started.exit == 0, "\(started.errors)")
            let url = started.output.trimmingCharacters(in: .whitespacesAndNewlines)
            let validated = try Howdah.run(["validate", files])
            #expect(validated.exit == 0, "\(validated.errors) \(validated.output)")
            // The rebuilt file itself is in the same state.
            #expect(try Howdah.run(["validate", "\(files).howdah/import/source.db", url]).exit == 0)
            #expect(try Howdah.run(["digest", files, "--table", "User"]).exit == 0)
            #expect(try states(folder) == ["files.howdah"])
            #expect(try Howdah.run(["rehearsal", "remove", files]).exit == 0)
            #expect(try Howdah.run(["rehearsal", "url", files]).exit != 0)
            #expect(try states(folder) == ["files.howdah"])

            // Another export in its place is not what was imported.
            try FileManager.default.removeItem(atPath: files)
            #expect(try Howdah.run(["export", project, files, "--format", "csv"]).exit == 0)
            let other = try Howdah.run(["validate", files])
            #expect(other.exit == 2)
            #expect(other.errors.contains("is not the export that was imported"), "\(other.errors)")
        }
    }

    @Test func aRehearsalOfAnExportNeedsNoServer() throws {
        try withDemo(messages: 100) { project, folder in
            #expect(try Howdah.run(["export", project, "\(folder)/files", "--compress"]).exit == 0)
            let rehearsed = try Howdah.run(["import", "\(folder)/files"])
            #expect(rehearsed.exit == 0, "\(rehearsed.errors)")
            let rebuilt = "\(folder)/files.howdah/import/source.db"
            #expect(try Howdah.run(["validate", rebuilt, "--state", "\(folder)/files.howdah"]).exit == 0)
            _ = try Howdah.run(["rehearsal", "remove", rebuilt, "--state", "\(folder)/files.howdah"])
        }
    }

    @Test func aLiveImportIsConfirmed() throws {
        try withDemo(messages: 50) { project, folder in
            #expect(try Howdah.run(["export", project, "\(folder)/files"]).exit == 0)
            try TestServer.withDatabase { target in
                let refused = try Howdah.run(["import", "\(folder)/files", target.url])
                #expect(refused.exit == 2)
                #expect(refused.errors.contains("--yes"))
                #expect(try states(folder) == [])
            }
        }
    }

    @Test func theStepOfThePlaybookWritesAndTakesBackWhatItWrote() throws {
        try withDemo(messages: 50) { project, _ in
            #expect(try Howdah.run(["step", project, "3.1", "run"]).exit != 0)
            #expect(try Howdah.run(["step", project, "1.1", "run"]).exit == 0)
            #expect(try Howdah.run(["step", project, "1.2", "run"]).exit == 0)
            #expect(try Howdah.run(["step", project, "3.1", "preview"]).exit == 0)
            let run = try Howdah.run(["step", project, "3.1", "run"])
            #expect(run.exit == 0, "\(run.errors) \(run.output)")
            let exports = "\(project)/.howdah/exports"
            let name = try #require(FileManager.default.contentsOfDirectory(atPath: exports).first)
            let file = URL(fileURLWithPath: "\(exports)/\(name)/1-User.ndjson.gz")
            let before = try Data(contentsOf: file)
            // Once more, it is held against its manifest.
            #expect(try Howdah.run(["step", project, "3.1", "run"]).exit == 0)
            try (before + [0]).write(to: file)
            #expect(try Howdah.run(["step", project, "3.1", "undo"]).exit != 0)
            try before.write(to: file)
            // What a crash leaves is written anew, or taken back.
            let digests = "\(exports)/\(name)/manifest.sha256"
            try FileManager.default.removeItem(atPath: digests)
            let anew = try Howdah.run(["step", project, "3.1", "run"])
            #expect(anew.exit == 0, "\(anew.errors) \(anew.output)")
            try FileManager.default.removeItem(atPath: digests)
            let unended = try Howdah.run(["step", project, "3.1", "undo"])
            #expect(unended.exit == 0, "\(unended.errors) \(unended.output)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: exports).isEmpty)
            #expect(try Howdah.run(["step", project, "3.1", "run"]).exit == 0)
            let undo = try Howdah.run(["step", project, "3.1", "undo"])
            #expect(undo.exit == 0, "\(undo.errors) \(undo.output)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: exports).isEmpty)
        }
    }

    /// Files that no export of the snapshot writes, also such as one of another database would.
    @Test(arguments: ["notes.txt", "9-other.ndjson.gz", "1-User.csv", "2-User.ndjson.gz.part"])
    func whatAKilledExportLeftIsNotRemovedTogetherWithTheFilesOfOthers(_ name: String) throws {
        try withDemo(messages: 50) { project, _ in
            for step in ["1.1", "1.2", "3.1"] {
                #expect(try Howdah.run(["step", project, step, "run"]).exit == 0)
            }
            let exports = "\(project)/.howdah/exports"
            let export = try #require(FileManager.default.contentsOfDirectory(atPath: exports).first)
            let folder = "\(exports)/\(export)"
            try FileManager.default.removeItem(atPath: "\(folder)/manifest.sha256")
            let half = try #require(
                FileManager.default.contentsOfDirectory(atPath: folder).first { $0.hasPrefix("2-") })
            try FileManager.default.moveItem(
                atPath: "\(folder)/\(half)", toPath: "\(folder)/\(half).part")
            try "theirs".write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
            let before = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            for work in ["run", "undo"] {
                let refused = try Howdah.run(["step", project, "3.1", work])
                #expect(refused.exit == 3, "\(work): \(refused.errors)")
                #expect(refused.errors.contains("and \(name), which is not of it"), "\(refused.errors)")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == before)
            try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
            #expect(try Howdah.run(["step", project, "3.1", "undo"]).exit == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: exports).isEmpty)
        }
    }

    @Test func anExportOverwritesNothing() throws {
        try withDemo(messages: 50) { project, folder in
            #expect(try Howdah.run(["export", project, "\(folder)/files"]).exit == 0)
            let again = try Howdah.run(["export", project, "\(folder)/files"])
            #expect(again.exit == 2)
            #expect(again.errors.contains("not empty"))
            #expect(try Howdah.run(["export", project, "\(folder)/x", "--format", "xml"]).exit == 2)
        }
    }

    /// A file that may not grow stands for a disk that is full.
    @Test func aFullDiskIsSaidAndLeavesNothing() throws {
        try withTemporaryFolder { folder in
            try makeDatabase(
                "\(folder)/app.db",
                "CREATE TABLE t (b BLOB); INSERT INTO t VALUES (randomblob(1500000)), (randomblob(1500000))")
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/bash")
            process.arguments = [
                "-c",
                "trap '' XFSZ; ulimit -f 3500; exec \"$0\" export \"$1/app.db\" \"$1/files\" 2> \"$1/errors\"",
                Howdah.path, folder,
            ]
            try process.run()
            try #require(waitUntil(seconds: 60) { !process.isRunning })
            #expect(process.terminationStatus == 1)
            let errors = try String(contentsOfFile: "\(folder)/errors", encoding: .utf8)
            #expect(errors.contains("the export does not fit"), "\(errors)")
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/files"))
        }
    }
}
