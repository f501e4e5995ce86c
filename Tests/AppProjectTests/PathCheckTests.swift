import Foundation
import MigrationEngine
import SQLite
import TestSupport
import Testing

@testable import AppProject

@Suite struct PathCheckTests {
    /// Makes a project with files and a database, and looks at its paths.
    private func check(
        _ script: String, files: [String] = [], texts: [String: String] = [:],
        _ body: (PathReport, _ folder: String) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            let project = "\(folder)/app"
            for path in files + texts.keys {
                let place = "\(project)/\(path)"
                try FileManager.default.createDirectory(
                    atPath: (place as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
                try (texts[path] ?? "x").write(toFile: place, atomically: true, encoding: .utf8)
            }
            try FileManager.default.createDirectory(atPath: project, withIntermediateDirectories: true)
            try makeDatabase("\(folder)/a.db", script)
            let prepared = try TestMigration(decide: ["recommended"]).prepare(
                "\(folder)/a.db", state: "\(folder)/state")
            let report = try PathCheck(
                snapshot: prepared.snapshot, folders: UploadFolders(project: project),
                file: "\(folder)/missing.tsv",
                cancellation: Cancellation()
            ).run()
            try body(report, folder)
        }
    }

    /// A table with one column `path` of these values.
    private static func paths(_ values: [String], column: String = "path") -> String {
        let rows = values.map { "(\"\($0.replacing("'", with: "''"))\")".replacing("\"", with: "'") }
        return
            "CREATE TABLE f (id INTEGER PRIMARY KEY, \"\(column)\" TEXT); INSERT INTO f (\"\(column)\") VALUES "
            + rows.joined(separator: ", ")
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let value: String
        let files: [String]
        let verdict: PathVerdict
        var texts: [String: String] = [:]
        var testDescription: String { value }
    }

    static let cases = [
        Case(value: "uploads/a.png", files: ["uploads/a.png"], verdict: .found),
        Case(value: "/uploads/a.png", files: ["uploads/a.png"], verdict: .found),
        Case(value: "a.png", files: ["uploads/a.png"], verdict: .found),
        Case(value: "2024/05/a b.png", files: ["uploads/2024/05/a b.png"], verdict: .found),
        Case(value: "/uploads/a%20b.png?v=2#x", files: ["server/uploads/a b.png"], verdict: .found),
        Case(value: "uploads\\a.png", files: ["uploads/a.png"], verdict: .found),
        Case(value: "/img/logo.svg", files: ["public/img/logo.svg"], verdict: .found),
        Case(value: "avatars/1.jpg", files: ["media/avatars/1.jpg"], verdict: .found),
        Case(value: "/media/avatars/1.jpg", files: ["media/avatars/1.jpg"], verdict: .found),
        Case(value: "http://localhost:3000/uploads/a.png", files: ["uploads/a.png"], verdict: .found),
        Case(
            value: "https://chat.example.org/uploads/a.png", files: ["uploads/a.png"], verdict: .found,
            texts: [".env": "APP_URL=https://chat.example.org"]),
        Case(
            value: "x/a.png", files: ["var/store/x/a.png"], verdict: .found,
            texts: [".env": "UPLOAD_DIR=./var/store"]),
        Case(
            value: "p/a.png", files: ["files of users/p/a.png"], verdict: .found,
            texts: ["settings.py": "MEDIA_ROOT = os.path.join(BASE_DIR, 'files of users')"]),
        Case(value: "uploads/b.png", files: ["uploads/a.png"], verdict: .missing),
        Case(value: "https://localhost/uploads/b.png", files: ["uploads/a.png"], verdict: .missing),
        Case(value: "uploads/A.PNG", files: ["uploads/a.png"], verdict: .otherCase("uploads/a.png")),
        Case(
            value: "/Uploads/Sub/a.png", files: ["uploads/sub/a.png"],
            verdict: .otherCase("uploads/sub/a.png")),
        Case(
            value: "../../../../../../etc/passwd", files: ["uploads/a.png"], verdict: .outside(isThere: true)),
        Case(value: "/etc/passwd", files: ["uploads/a.png"], verdict: .outside(isThere: true)),
        Case(
            value: "../../../../../../nothing/here.png", files: ["uploads/a.png"],
            verdict: .outside(isThere: false)),
        Case(value: "%2e%2e/%2e%2e/%2e%2e/etc/passwd", files: ["uploads/a.png"], verdict: .missing),
        Case(value: "https://elsewhere.example/a.png", files: [], verdict: .elsewhere),
        Case(value: "//cdn.example/a.png", files: [], verdict: .elsewhere),
        Case(value: "s3://bucket/a.png", files: [], verdict: .elsewhere),
        Case(value: "data:image/png;base64,AAAA", files: [], verdict: .data),
        Case(value: "uploads", files: ["uploads/a.png"], verdict: .missing),
        Case(value: String(repeating: "a/", count: 3000), files: [], verdict: .noPath),
    ]

    @Test(arguments: cases) func aValueIsFollowedToItsFile(example: Case) throws {
        try withTemporaryFolder { folder in
            for path in example.files + example.texts.keys {
                let place = "\(folder)/\(path)"
                try FileManager.default.createDirectory(
                    atPath: (place as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
                try (example.texts[path] ?? "x").write(toFile: place, atomically: true, encoding: .utf8)
            }
            var resolver = PathResolver(UploadFolders(project: folder))
            #expect(resolver.verdict(example.value) == example.verdict)
        }
    }

    @Test func everyMissingFileIsListedAndOthersAreCounted() throws {
        let script =
            Self.paths([
                "uploads/a.png", "uploads/gone.png", "uploads/B.png", "../../../../../../etc/passwd",
                "https://cdn.example/x.png",
                "data:image/png;base64,AA",
            ]) + "; INSERT INTO f (path) VALUES (NULL), ('')"
        try check(script, files: ["uploads/a.png", "uploads/b.png"]) { report, folder in
            let column = try #require(report.columns.first)
            #expect(report.columns.count == 1)
            let counts =
                "\(column.values) \(column.found) \(column.missing) \(column.otherCase) \(column.outside)"
            #expect(counts == "6 1 1 1 1")
            #expect("\(column.elsewhere) \(column.data) \(column.noPath)" == "1 1 0")
            #expect(
                report.misses.map(\.words) == [
                    "f 2 path: uploads/gone.png — no such file",
                    "f 3 path: uploads/B.png — the file is called uploads/b.png",
                    "f 4 path: ../../../../../../etc/passwd — it leads out of the project, to something that is there",
                ])
            #expect(report.broken == 2)
            #expect(report.file == nil && !FileManager.default.fileExists(atPath: "\(folder)/missing.tsv"))
        }
    }

    @Test func manyMissingFilesAreInAFileWhoseLinesHoldWhateverTheValuesDo() throws {
        let script = """
            CREATE TABLE "f\t1" (a TEXT, b INTEGER, avatar TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
            INSERT INTO "f\t1" SELECT 'k' || i, i, 'uploads/y' || i || '.png' FROM n;
            INSERT INTO "f\t1" SELECT 'l' || b, b, 'uploads/x' || char(9) || b || char(13, 10) || '.png' FROM "f\t1";
            """
        try check(script, files: ["uploads/a.png"]) { report, folder in
            #expect(report.missesInAll == 6000 && report.misses.count == 20 && report.broken == 6000)
            #expect(report.file == "\(folder)/missing.tsv")
            let lines = try String(contentsOfFile: "\(folder)/missing.tsv", encoding: .utf8)
                .split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count == 6002 && lines.last == "")
            #expect(lines[1] == "f\\t1\tk1, 1\tavatar\tuploads/y1.png\tno such file")
            #expect(lines.contains("f\\t1\tl1, 1\tavatar\tuploads/x\\t1\\r\\n.png\tno such file"))
            #expect(lines.dropFirst().dropLast().allSatisfy { $0.split(separator: "\t").count == 5 })
        }
    }

    @Test func keysOfActiveStorageAndGiteaLieWhereThoseKeepThem() throws {
        let script = """
            CREATE TABLE active_storage_blobs (id INTEGER PRIMARY KEY, key TEXT NOT NULL, filename TEXT NOT NULL);
            INSERT INTO active_storage_blobs (key, filename) VALUES ('abcdwxyz', 'photo.png'), ('efghwxyz', 'letter.pdf');
            CREATE TABLE attachment (id INTEGER PRIMARY KEY, uuid TEXT, name TEXT);
            INSERT INTO attachment (uuid, name) VALUES ('9f8e7d6c-0000-4000-8000-000000000000', 'a.txt'), ('../../../../etc/passwd', 'b');
            """
        try check(
            script,
            files: ["storage/ab/cd/abcdwxyz", "data/attachments/9/f/9f8e7d6c-0000-4000-8000-000000000000"]
        ) { report, _ in
            let counts = report.columns.map {
                ["\($0.table).\($0.column)", "\($0.found)", "\($0.missing)", "\($0.outside)"]
            }
            #expect(
                counts == [["active_storage_blobs.key", "1", "1", "0"], ["attachment.uuid", "1", "1", "0"]])
            #expect(report.misses.first?.value == "efghwxyz")
            #expect(
                report.passedOver == [
                    "active_storage_blobs.filename: it holds names of files without a folder, and none of them is in an upload folder"
                ])
        }
    }

    struct Column: Sendable, CustomTestStringConvertible {
        let name: String
        let values: [String]
        let isTaken: Bool
        var testDescription: String { "\(name): \(values.first ?? "")" }
    }

    static let columns = [
        Column(name: "avatarUrl", values: ["uploads/a.png"], isTaken: true),
        Column(name: "avatar_url", values: ["https://x.example/a.png"], isTaken: true),
        Column(name: "blob", values: ["files/a.pdf", "files/b.pdf", "files/c.pdf"], isTaken: true),
        Column(name: "thumb", values: ["a.png"], isTaken: true),
        Column(name: "originalFileName", values: ["invoice.pdf"], isTaken: false),
        Column(name: "fileType", values: ["image/png", "application/pdf"], isTaken: false),
        Column(
            name: "mediaKey", values: ["q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQ+/8=", "AAAA/BBBBCCCCDDDDEEEE="],
            isTaken: false),
        Column(name: "path", values: ["/about", "/blog/first"], isTaken: false),
        Column(name: "body", values: ["see uploads/a.png", "and/or", "hello"], isTaken: false),
        Column(name: "profile", values: ["Ann works here."], isTaken: false),
        Column(name: "file", values: [], isTaken: false),
    ]

    @Test(arguments: columns) func columnsAreToldByNameAndContent(example: Column) throws {
        let script =
            example.values.isEmpty
            ? "CREATE TABLE f (id INTEGER PRIMARY KEY, file TEXT)"
            : Self.paths(example.values, column: example.name)
        try check(script, files: ["uploads/z.png"]) { report, _ in
            #expect(
                report.columns.map(\.column) == (example.isTaken ? [example.name] : []),
                "\(report.passedOver)")
        }
    }

    @Test func aFileIsNeverOpened() throws {
        try withTemporaryFolder { folder in
            try FileManager.default.createDirectory(
                atPath: "\(folder)/uploads", withIntermediateDirectories: true)
            // Who opened a pipe that nobody writes to would wait for ever.
            mkfifo("\(folder)/uploads/a.png", 0o600)
            var resolver = PathResolver(UploadFolders(project: folder))
            #expect(resolver.verdict("uploads/a.png") == .missing)
        }
    }

    @Test func aWishToStopIsHeard() throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", Self.paths(["uploads/a.png"]))
            let prepared = try TestMigration(decide: ["recommended"]).prepare(
                "\(folder)/a.db", state: "\(folder)/state")
            let cancellation = Cancellation()
            cancellation.cancel()
            let error = #expect(throws: MigrationError.self) {
                try PathCheck(
                    snapshot: prepared.snapshot, folders: UploadFolders(project: folder), file: "\(folder)/m",
                    cancellation: cancellation
                ).run()
            }
            #expect(error?.code == .cancelled)
        }
    }
}
