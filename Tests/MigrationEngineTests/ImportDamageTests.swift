import Foundation
import MigrationEngine
import TestSupport
import Testing

/// What is not the export that was written is refused by name and line, and leaves no database.
@Suite struct ImportDamageTests {
    private static let script = """
        CREATE TABLE "User" (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, at DATETIME, photo BLOB);
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
        INSERT INTO "User" SELECT i, 'name ' || i, 1714979289123 + i * 1000, randomblob(i % 20) FROM n;
        CREATE TABLE pet (id INTEGER PRIMARY KEY, owner INT REFERENCES "User"); INSERT INTO pet VALUES (1, 7), (2, 9)
        """

    struct Damage: Sendable {
        let testDescription: String
        var way = ExportWay.plain
        /// The file, as its name begins.
        var file = "1-User"
        /// What the error says of the place, and of the reason.
        let says: [String]
        /// Changes the bytes of the file; nil removes it.
        let harm: @Sendable (Data) -> Data?
    }

    private static func lines(_ data: Data) -> [Data] {
        data.split(separator: 0x0A, omittingEmptySubsequences: false).map { Data($0) }
    }

    private static func joined(_ lines: [Data]) -> Data { Data(lines.joined(separator: [0x0A])) }

    private static func edit(_ data: Data, _ body: (inout [Data]) -> Void) -> Data {
        var lines = lines(data)
        body(&lines)
        return joined(lines)
    }

    private static func replace(_ data: Data, line: Int, _ old: String, _ new: String) -> Data {
        edit(data) { lines in
            let text = String(decoding: lines[line - 1], as: UTF8.self)
            lines[line - 1] = Data(text.replacing(old, with: new).utf8)
        }
    }

    private static let gzip = ExportWay(form: .ndjson, isCompressed: true)
    private static let csv = ExportWay(form: .csv, isCompressed: false)

    static let damages: [Damage] = [
        Damage(testDescription: "a digit changed", says: ["1-User.ndjson, lines 10001 to 12000:", "digest"]) {
            replace($0, line: 11_345, "name 11345", "name 01345")
        },
        Damage(testDescription: "a bit of a text flipped", says: ["lines 1 to 10000:", "digest"]) {
            replace($0, line: 3, "name 3", "name 2x")
        },
        Damage(testDescription: "a bit of a key flipped", says: ["1-User.ndjson, line 3:", "“name”"]) {
            replace($0, line: 3, "\"name\"", "\"nbme\"")
        },
        Damage(testDescription: "a number that is none", says: ["line 77:", "“id” is no number"]) {
            replace($0, line: 77, "\"id\":77", "\"id\":7x")
        },
        Damage(testDescription: "a number too large", says: ["line 80:", "“id” is no number"]) {
            replace($0, line: 80, "\"id\":80", "\"id\":99999999999999999999")
        },
        Damage(testDescription: "a day that is none", says: ["line 78:", "“at” is no date"]) {
            replace($0, line: 78, "2024-05-06", "2024-02-30")
        },
        Damage(testDescription: "base64 that is none", says: ["line 30:", "“photo” is no base64"]) {
            replace($0, line: 30, "\"photo\":\"", "\"photo\":\"-")
        },
        Damage(testDescription: "a text that is no UTF-8", says: ["line 5:", "no UTF-8"]) {
            edit($0) { $0[4].replace(Data("name 5".utf8), with: [0x6E, 0xFF, 0x6D, 0x65]) }
        },
        Damage(testDescription: "a quote left open", says: ["line 9:"]) {
            replace($0, line: 9, "name 9\"", "name 9")
        },
        Damage(testDescription: "NULL where there is none", says: ["lines 1 to 10000:", "digest"]) {
            replace($0, line: 4, "\"name 4\"", "null")
        },
        Damage(
            testDescription: "a line taken out",
            says: ["1-User.ndjson, line 11999:", "11,999 of 12,000 rows"]
        ) {
            edit($0) { $0.remove(at: 11_000) }
        },
        Damage(
            testDescription: "the last line taken out",
            says: ["1-User.ndjson, line 11999:", "11,999 of 12,000 rows"]
        ) {
            edit($0) { $0.remove(at: 11_999) }
        },
        Damage(testDescription: "two lines in each other's place", says: ["lines 10001 to 12000:", "moved"]) {
            edit($0) { $0.swapAt(10_500, 10_501) }
        },
        Damage(testDescription: "a line twice", says: ["1-User.ndjson, line 102:", "UNIQUE"]) {
            edit($0) { $0.insert($0[100], at: 101) }
        },
        Damage(
            testDescription: "a line more at the end", says: ["1-User.ndjson, line 12001:", "12,000 rows"]
        ) {
            $0 + Data("{\"id\":12001,\"name\":\"x\",\"at\":null,\"photo\":null}\n".utf8)
        },
        Damage(testDescription: "an empty line at the end", says: ["1-User.ndjson, line 12001:"]) {
            $0 + [0x0A]
        },
        Damage(
            testDescription: "bytes behind the last line end",
            says: ["1-User.ndjson, line 12001:", "cut short"]
        ) {
            $0 + Data("x".utf8)
        },
        Damage(testDescription: "cut short in a line", says: ["1-User.ndjson, line 11000:", "cut short"]) {
            joined(Array(lines($0)[..<10_999])) + Data("\n{\"id\":11".utf8)
        },
        Damage(testDescription: "cut short behind a line", says: ["line 10999:", "cut short"]) {
            joined(Array(lines($0)[..<10_999])) + [0x0A]
        },
        Damage(testDescription: "emptied", says: ["1-User.ndjson: the file ends here", "cut short"]) { _ in
            Data()
        },
        Damage(
            testDescription: "line ends converted",
            says: ["1-User.ndjson, line 1:", "line ends were converted"]
        ) {
            Data($0.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] })
        },
        Damage(testDescription: "a line without end", says: ["1-User.ndjson, line 1:", "longer than"]) { _ in
            Data(repeating: 0x61, count: 3_000_000)
        },
        Damage(testDescription: "removed", says: ["1-User.ndjson: it is missing"]) { _ in nil },
        Damage(testDescription: "another table's file", says: ["1-User.ndjson, line 1:", "“name”"]) { _ in
            Data("{\"id\":1,\"owner\":7}\n{\"id\":2,\"owner\":9}\n".utf8)
        },
        Damage(testDescription: "CSV: a field changed", way: csv, says: ["1-User.csv, lines 2 to 10001:"]) {
            replace($0, line: 12, "name 11", "name xx")
        },
        Damage(testDescription: "CSV: another header", way: csv, says: ["1-User.csv, line 1:", "columns"]) {
            replace($0, line: 1, "\"at\"", "\"ta\"")
        },
        Damage(
            testDescription: "CSV: a field less", way: csv, says: ["1-User.csv, line 21:", "fewer fields"]
        ) {
            edit($0) { lines in
                let comma = lines[20].lastIndex(of: 0x2C) ?? lines[20].endIndex
                lines[20] = lines[20][..<comma]
            }
        },
        Damage(testDescription: "CSV: line ends converted", way: csv, says: ["1-User.csv, line 1:"]) {
            Data($0.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] })
        },
        Damage(testDescription: "CSV: a quote left open", way: csv, says: ["1-User.csv, line "]) {
            replace($0, line: 9, "name 8\"", "name 8")
        },
        Damage(testDescription: "gzip: cut short", way: gzip, says: ["1-User.ndjson.gz, line", "cut short"]) {
            $0.prefix($0.count / 2)
        },
        Damage(
            testDescription: "gzip: without its checksum", way: gzip, says: ["1-User.ndjson.gz", "cut short"]
        ) {
            $0.dropLast(8)
        },
        Damage(testDescription: "gzip: a bit flipped", way: gzip, says: ["1-User.ndjson.gz, line"]) {
            var data = $0
            data[data.count / 3] ^= 0x10
            return data
        },
        Damage(
            testDescription: "gzip: a bit of the header flipped", way: gzip,
            says: ["1-User.ndjson.gz", "digest"]
        ) {
            var data = $0
            data[5] ^= 1
            return data
        },
        Damage(
            testDescription: "gzip: something behind it", way: gzip, says: ["1-User.ndjson.gz", "follows"]
        ) {
            $0 + Data("x".utf8)
        },
        Damage(testDescription: "gzip: unpacked", way: gzip, says: ["1-User.ndjson.gz, line 1:", "damaged"]) {
            _ in
            Data("{\"id\":1}\n".utf8)
        },
        Damage(testDescription: "the plan edited", file: "plan.yaml", says: ["plan.yaml:", "edited"]) {
            $0 + Data("# mine\n".utf8)
        },
        Damage(testDescription: "the plan removed", file: "plan.yaml", says: ["plan.yaml:", "missing"]) { _ in
            nil
        },
        Damage(
            testDescription: "the manifest edited", file: "manifest.json", says: ["manifest.json:", "edited"]
        ) {
            Data(
                String(decoding: $0, as: UTF8.self).replacing("\"rows\" : 12000", with: "\"rows\" : 11999")
                    .utf8)
        },
        Damage(
            testDescription: "the manifest removed", file: "manifest.json",
            says: ["manifest.json:", "missing"]
        ) { _ in
            nil
        },
        Damage(
            testDescription: "the manifest's digest removed", file: "manifest.sha256",
            says: ["manifest.sha256:", "did not end"]
        ) { _ in nil },
    ]

    @Test(arguments: [ExportWay.plain, csv, gzip])
    func whatIsDamagedIsRefusedByNameAndLine(_ way: ExportWay) throws {
        try withExport(Self.script) { export in
            _ = try export.write(way)
            let files = try export.files()
            let damages = Self.damages.filter { $0.way == way }
            #expect(!damages.isEmpty)
            func harm(_ damage: Damage) throws {
                let (name, before) = try #require(files.first { $0.key.hasPrefix(damage.file) })
                let after = damage.harm(before)
                #expect(after != before, "\(damage)")
                try put(after, name, export)
            }
            func heal() throws {
                for (name, data) in files { try put(data, name, export) }
            }
            for damage in damages {
                try harm(damage)
                try expectRefusal(export, damage.says, damage.testDescription)
                try heal()
            }
            // Put back as it was, it is taken; and damaged, it is refused again, though the database is there already.
            #expect(try content(of: export.rebuild().databasePath) == content(of: export.source))
            for damage in damages.prefix(3) {
                try harm(damage)
                #expect(throws: MigrationError.self) { try export.rebuild() }
                try heal()
            }
            #expect(try export.rebuild().isReused)
        }
    }

    private func put(_ data: Data?, _ name: String, _ export: TestExport) throws {
        let url = URL(fileURLWithPath: "\(export.path)/\(name)")
        if let data { try data.write(to: url) } else { try FileManager.default.removeItem(at: url) }
    }

    private func expectRefusal(_ export: TestExport, _ says: [String], _ what: String = "") throws {
        let error = #expect(throws: MigrationError.self) { try export.rebuild() }
        let message = error?.message ?? ""
        #expect(says.allSatisfy(message.contains), "\(what): \(message)")
        #expect(error?.code == .export && error?.exit == .usage)
        #expect(!FileManager.default.fileExists(atPath: "\(export.folder)/import-state/import/source.db"))
    }

    @Test func aFileThatTheManifestDoesNotKnowIsRefused() throws {
        try withExport(Self.script) { export in
            _ = try export.write()
            try Data("x".utf8).write(to: URL(fileURLWithPath: "\(export.path)/3-Other.ndjson"))
            try expectRefusal(export, ["3-Other.ndjson:", "knows no such file"])
        }
    }

    /// Whoever edits the manifest and its digest too gets no further than a file of the folder, and a statement that makes a table.
    @Test(arguments: [
        ("\"version\" : 2", "\"version\" : 3", ["manifest.json:", "version 3", "reads versions 1 to 2"]),
        ("\"howdah-export\"", "\"other\"", ["manifest.json:", "no manifest"]),
        (
            "\"file\" : \"1-User.ndjson\"", "\"file\" : \"../../x\"",
            ["manifest.json:", "outside of the folder"]
        ),
        ("CREATE TABLE pet", "ATTACH 'x' AS pet; --", ["manifest.json:", "no CREATE TABLE"]),
        ("CREATE TABLE pet (id", "CREATE TABLE pet (ident", ["manifest.json:", "pet"]),
        ("\"rows\" : 2", "\"rows\" : -2", ["manifest.json:", "cannot be"]),
        ("\"longest_row\" : ", "\"longest_row\" : 1, \"x\" : ", ["line 1:", "longer than"]),
    ])
    func aManifestThatWasEditedWithItsDigestIsHeldAgainstWhatItMayBe(
        _ old: String, _ new: String, _ says: [String]
    )
        throws
    {
        try withExport(Self.script) { export in
            _ = try export.write()
            let path = "\(export.path)/manifest.json"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let edited = text.replacing(old, with: new)
            #expect(edited != text)
            try edited.write(toFile: path, atomically: true, encoding: .utf8)
            let digests = try String(contentsOfFile: "\(export.path)/manifest.sha256", encoding: .utf8)
            try digests.replacing(sha256(of: Data(text.utf8)), with: sha256(of: Data(edited.utf8))).write(
                toFile: "\(export.path)/manifest.sha256", atomically: true, encoding: .utf8)
            try expectRefusal(export, says)
        }
    }

    /// A pipe would be read for ever; a link may lead anywhere.
    @Test(arguments: ["manifest.json", "manifest.sha256", "plan.yaml", "1-User.ndjson"], [0, 1, 2])
    func whatIsNoPlainFileIsRefused(_ name: String, _ kind: Int) throws {
        try withExport(Self.script) { export in
            _ = try export.write()
            let path = "\(export.path)/\(name)"
            try FileManager.default.moveItem(atPath: path, toPath: "\(export.folder)/moved")
            switch kind {
            case 0: #expect(mkfifo(path, 0o600) == 0)
            case 1: #expect(symlink("\(export.folder)/moved", path) == 0)
            default:
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            }
            try expectRefusal(export, ["\(name):", "no plain file"])
        }
    }

    @Test func digestsThatDoNotListEveryFileAreRefused() throws {
        try withExport(Self.script) { export in
            _ = try export.write()
            let path = "\(export.path)/manifest.sha256"
            let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            try (lines.dropLast().joined(separator: "\n") + "\n").write(
                toFile: path, atomically: true, encoding: .utf8)
            try expectRefusal(export, ["manifest.sha256:", "does not list"])
        }
    }

    /// The first version's digests had one line.
    @Test func anExportOfTheFirstVersionIsRead() throws {
        try withExport(Self.script) { export in
            _ = try export.write()
            let path = "\(export.path)/manifest.json"
            let text = try String(contentsOfFile: path, encoding: .utf8).replacing(
                "\"version\" : 2", with: "\"version\" : 1")
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            try "\(sha256(of: Data(text.utf8)))  manifest.json\n".write(
                toFile: "\(export.path)/manifest.sha256", atomically: true, encoding: .utf8)
            #expect(try ExportFolder(path: export.path).manifest.version == 1)
        }
    }

    @Test func aFolderThatIsNoExportIsRefused() throws {
        try withTemporaryFolder { folder in
            for path in [folder, "\(folder)/nothing"] {
                let error = #expect(throws: MigrationError.self) { try ExportFolder(path: path) }
                #expect(error?.exit == .usage)
            }
        }
    }

    // MARK: Writing

    @Test func nothingIsOverwritten() throws {
        try withExport(Self.script) { export in
            try FileManager.default.createDirectory(atPath: export.path, withIntermediateDirectories: false)
            try Data("mine".utf8).write(to: URL(fileURLWithPath: "\(export.path)/1-User.ndjson"))
            let error = #expect(throws: MigrationError.self) { try export.write() }
            #expect(error?.exit == .usage && error?.message.contains("not empty") == true)
            #expect(try export.files() == ["1-User.ndjson": Data("mine".utf8)])
            // An empty folder is taken, with the rights that it has.
            try FileManager.default.removeItem(atPath: "\(export.path)/1-User.ndjson")
            _ = try export.write()
            let mode = try FileManager.default.attributesOfItem(atPath: "\(export.path)/1-User.ndjson")[
                .posixPermissions]
            #expect(mode as? Int == 0o600)
        }
    }

    @Test func anExportThatIsCancelledLeavesNothing() throws {
        try withExport(Self.script) { export in
            _ = try TestMigration().prepare(export.source, state: "\(export.folder)/source-state")
            let preparation = try TestMigration().prepare(
                export.source, state: "\(export.folder)/source-state")
            let cancellation = Cancellation()
            cancellation.cancel()
            let exporter = Exporter(
                preparation, hints: nil, form: .ndjson, isCompressed: false, workers: 2,
                cancellation: cancellation, progress: RunProgress())
            let error = #expect(throws: MigrationError.self) { try exporter.write(to: export.path) }
            #expect(error?.code == .cancelled)
            #expect(!FileManager.default.fileExists(atPath: export.path))
        }
    }

    /// What a crash leaves has no digest of its manifest, and is neither taken nor written over.
    @Test func whatACrashLeavesIsNoExport() throws {
        try withExport(Self.script) { export in
            _ = try export.write()
            try FileManager.default.removeItem(atPath: "\(export.path)/manifest.sha256")
            try FileManager.default.moveItem(
                atPath: "\(export.path)/1-User.ndjson", toPath: "\(export.path)/1-User.ndjson.part")
            try expectRefusal(export, ["manifest.sha256", "did not end"])
            let again = #expect(throws: MigrationError.self) { try export.write() }
            #expect(again?.message.contains("did not end") == true)
        }
    }

    @Test(.enabled(if: getuid() != 0)) func aFolderThatCannotBeMadeIsSaid() throws {
        try withExport(Self.script) { export in
            chmod(export.folder, 0o500)
            let error = #expect(throws: (any Error).self) { try export.write() }
            #expect(error is MigrationError)
        }
    }

    @Test func aFolderBelowAFileIsSaid() throws {
        try withExport(Self.script) { export in
            let error = #expect(throws: MigrationError.self) {
                try export.write(to: "\(export.source)/export")
            }
            #expect(error?.message.contains("cannot be written") == true)
        }
    }

    /// An import reads a folder that nobody may write to.
    @Test func theFolderIsNeverWrittenTo() throws {
        try withExport(Self.script) { export in
            _ = try export.write()
            let before = try export.files()
            chmod(export.path, 0o500)
            let first = try export.rebuild()
            #expect(!first.isReused)
            #expect(try export.rebuild().isReused)
            #expect(try export.files() == before)
        }
    }

    @Test func anExportIsRemovedOnlyAsItWasWritten() throws {
        try withExport(Self.script) { export in
            _ = try export.write()
            let path = "\(export.path)/1-User.ndjson"
            let before = try Data(contentsOf: URL(fileURLWithPath: path))
            try (before + Data("x".utf8)).write(to: URL(fileURLWithPath: path))
            #expect(throws: MigrationError.self) {
                try ExportFolder(path: export.path).remove(cancellation: Cancellation())
            }
            #expect(try export.files().count == 5)
            try before.write(to: URL(fileURLWithPath: path))
            try ExportFolder(path: export.path).remove(cancellation: Cancellation())
            #expect(!FileManager.default.fileExists(atPath: export.path))
        }
    }
}
