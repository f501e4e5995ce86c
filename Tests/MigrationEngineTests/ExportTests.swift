import DemoProject
import Foundation
import MigrationEngine
import SQLite
import TestSupport
import Testing

/// What is written is what SQLite holds: rebuilt from the files, it is the same to the storage class and the byte.
@Suite struct ExportTests {
    /// Values that lose their way elsewhere, each in a column of every kind.
    private static let values = [
        "NULL", "0", "1", "-1", "2", "9007199254740991", "9007199254740992", "-9007199254740992",
        "9223372036854775807", "-9223372036854775808", "0.1", "-0.0", "1.0", "100000.0", "1e308", "-1e308",
        "9e999",
        "-9e999", "5e-324", "2.2250738585072014e-308", "1.7976931348623157e308", "0.30000000000000004",
        "123456789012345680.0",
        "''", "' '", "'a'", "'5'", "'5.0'", "'null'", "'true'", "'$text:x'", "'$$'", "'$'", "'\"'", "'\"\"'",
        "'\\'", "'\\\"'",
        "'{\"$integer\":\"5\"}'", "','", "'a' || char(13, 10) || 'b'", "char(10)", "char(0)",
        "'a' || char(0) || 'b'", "char(1, 31, 127)",
        "'naïve 東京 👨‍👩‍👧‍👦'", "char(65279, 65533, 1114111, 8232)", "CAST(x'ff' AS TEXT)", "CAST(x'c0af61' AS TEXT)",
        "CAST(x'eda080' AS TEXT)", "x''", "x'00'", "x'0001'", "x'000102'", "x'ff00ff00'", "x'7b7d'", "'true'",
        "'t'",
        "1714979289123", "1714979289", "1714979289123456", "-62167219200000", "-62167219200001",
        "253402300799999", "253402300800000",
        "'2024-05-06 07:08:09'", "'2024-05-06T07:08:09Z'", "'2024-05-06T07:08:09.120Z'",
        "'2024-05-06 07:08:09.123456'",
        "'2024-05-06T07:08:09+00:00'", "'2024-05-06 07:08:09+02:00'", "'2024-02-30 00:00:00'", "'2024-05-06'",
        "'07:08'", "'2024-05-06 07:08:09.'",
    ]

    @Test(arguments: ExportWay.all)
    func everyValueInEveryColumnComesBack(_ way: ExportWay) throws {
        let types = [
            "INTEGER", "REAL", "TEXT", "BLOB", "", "NUMERIC", "DECIMAL(10,2)", "BOOLEAN", "DATETIME", "JSON",
        ]
        let columns = types.enumerated().map { "c\($0) \($1)" }.joined(separator: ", ")
        let rows = Self.values.map { value in
            "(" + types.map { _ in value }.joined(separator: ", ") + ")"
        }.joined(separator: ", ")
        try withExport("CREATE TABLE t (\(columns)); INSERT INTO t VALUES \(rows)") { export in
            let manifest = try export.write(way)
            #expect(manifest.tables.map(\.rows) == [Self.values.count])
            let rebuilt = try export.rebuild()
            #expect(try content(of: rebuilt.databasePath) == content(of: export.source))
        }
    }

    /// Each kind of column alone has its plain encoding: the others are tagged.
    @Test(arguments: ExportWay.all)
    func datesOfEveryFormComeBack(_ way: ExportWay) throws {
        let columns: [(String, [String])] = [
            ("ms", ["0", "-1", "1714979289123", "253402300799999", "-62167219200000", "1714979289000"]),
            ("s", ["1714979289", "1014979289", "1714979200"]),
            (
                "blank",
                ["'2024-05-06 07:08:09'", "'2024-05-06 07:08:09.5'", "'0001-01-01 00:00:00.123456789'"]
            ),
            ("iso", ["'2024-05-06T07:08:09Z'", "'2024-05-06T07:08:09.120Z'", "'9999-12-31T23:59:59.999Z'"]),
            ("prisma", ["'2024-05-06T07:08:09.120+00:00'", "'1969-05-06T07:08:09.000+00:00'"]),
            ("sqlalchemy", ["'2024-05-06 07:08:09.120000'", "'2024-05-06 07:08:09'"]),
            ("zoned", ["'2024-05-06 07:08:09 +00:00'", "'2024-05-06 07:08:09 +00:00'"]),
            ("other", ["'2024-05-06 07:08:09+02:00'", "'Mon, 06 May 2024 07:08:09 +0200'"]),
        ]
        var script = ""
        for (name, values) in columns {
            script += "CREATE TABLE \(name) (id INTEGER PRIMARY KEY, at DATETIME);"
            for value in values { script += "INSERT INTO \(name) (at) VALUES (\(value));" }
        }
        var migration = TestMigration()
        migration.style = .prisma
        try withExport(script, migration: migration) { export in
            let manifest = try export.write(way)
            #expect(try content(of: export.rebuild().databasePath) == content(of: export.source))
            guard way.form == .ndjson, !way.isCompressed else { return }
            for (index, (name, values)) in columns.enumerated() where name != "other" {
                let text = String(
                    decoding: try Data(
                        contentsOf: URL(fileURLWithPath: "\(export.path)/\(manifest.tables[index].file)")),
                    as: UTF8.self)
                let lines = text.split(separator: "\n")
                #expect(lines.count == values.count)
                let hasTag = text.contains("$")
                #expect(!hasTag || name == "ms" || name == "s", "\(name): \(text)")
                let isISO = lines.allSatisfy { $0.contains("T") && $0.hasSuffix("Z\"}") }
                #expect(isISO || name == "ms" || name == "s", "\(name): \(text)")
            }
        }
    }

    @Test(arguments: [
        "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT, b); INSERT INTO t VALUES (5, 1), (900, 2); DELETE FROM t WHERE a = 900",
        "CREATE TABLE t (a); INSERT INTO t (rowid, a) VALUES (-5, 'x'), (7, 'y'), (9223372036854775807, 'z')",
        "CREATE TABLE t (rowid, _rowid_, oid); INSERT INTO t VALUES (1, 2, 3), (4, 5, 6)",
        "CREATE TABLE t (rowid TEXT PRIMARY KEY, b); INSERT INTO t VALUES ('a', 1); INSERT INTO t (oid, rowid) VALUES (77, 'b')",
        "CREATE TABLE t (a TEXT, b INT, c REAL, PRIMARY KEY (b DESC, a COLLATE NOCASE)) WITHOUT ROWID; INSERT INTO t VALUES ('x', 1, 2), ('X', 2, 3), ('y', 1, 0.5); CREATE INDEX i ON t (c, a)",
        "CREATE TABLE t (a INT, b TEXT, c ANY, d REAL) STRICT; INSERT INTO t VALUES (1, 'x', '5', 2.0), (NULL, NULL, 5, 3.5)",
        "CREATE TABLE t (a INTEGER, b TEXT GENERATED ALWAYS AS (a || 'x'), c INT AS (a = '5') STORED, d); INSERT INTO t (a, d) VALUES (5, 1), (6, 2)",
        "CREATE TABLE \"a \"\"b\" (\"x \"\"y\" TEXT, [rw], `z,``` INT); INSERT INTO \"a \"\"b\" VALUES ('1', 2, 3)",
        "CREATE TABLE t (a INT UNIQUE, b TEXT UNIQUE ON CONFLICT REPLACE, c, UNIQUE (c, a), UNIQUE (a)); INSERT INTO t VALUES (1, 'x', 2), (2, 'y', 2), (NULL, NULL, NULL); CREATE UNIQUE INDEX u ON t (lower(b)) WHERE a > 0",
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, p INT NOT NULL REFERENCES p ON DELETE CASCADE, CHECK (p > 0)); PRAGMA ignore_check_constraints = ON; INSERT INTO c VALUES (1, -7)",
        "CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM t; CREATE VIEW broken AS SELECT lost FROM nowhere; CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM t; END; DROP TRIGGER g; INSERT INTO t VALUES (1); CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM t; END",
        "CREATE VIRTUAL TABLE docs USING fts5(title, body, tokenize = 'porter'); INSERT INTO docs VALUES ('Größe', 'it''s'), ('two', 'one two'); DELETE FROM docs WHERE rowid = 1",
        "CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1, +label TEXT); INSERT INTO boxes VALUES (1, 0.5, 2, 'a'), (5, 10, 11, NULL)",
        "CREATE TABLE t (a, b); CREATE INDEX i ON t (a); INSERT INTO t VALUES (1, 2), (2, 3); ANALYZE; PRAGMA user_version = 42; PRAGMA application_id = -7",
        "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('naïve 東京 👨‍👩‍👧‍👦'), ('')",
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); INSERT INTO t VALUES (1, 'x'); ALTER TABLE t ADD COLUMN c INT DEFAULT 7; ALTER TABLE t ADD COLUMN d NOT NULL DEFAULT 'y'",
        // Rows that the schema of today refuses or would change.
        "CREATE TABLE t (a TEXT, b INT, c REAL); INSERT INTO t VALUES ('5', 5, 2.5), (NULL, NULL, NULL); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE t (a INTEGER NOT NULL ON CONFLICT REPLACE DEFAULT 3, b TEXT NOT NULL, c TEXT)'",
        "CREATE TABLE empty (a); CREATE TABLE none (id INTEGER PRIMARY KEY)",
    ])
    func everyKindOfTableComesBack(_ script: String) throws {
        for way in ExportWay.all {
            try withExport(script) { export in
                _ = try export.write(way)
                let rebuilt = try export.rebuild()
                #expect(try content(of: rebuilt.databasePath) == content(of: export.source), "\(way)")
                let check = try SQLite.Connection(path: rebuilt.databasePath, mode: .readOnly).prepare(
                    "PRAGMA integrity_check")
                #expect(try check.step())
                // The broken rows of one of these are told as notes by SQLite.
                #expect(
                    check.text(0) == "ok" || script.contains("writable_schema")
                        || script.contains("ignore_check"))
                let before = try TestMigration().prepare(
                    export.source, state: "\(export.folder)/source-state")
                let after = try TestMigration().prepare(
                    rebuilt.databasePath, state: "\(export.folder)/import-state")
                #expect(after.catalog == before.catalog, "\(way)")
            }
        }
    }

    /// The files are what people and other programs can read.
    @Test func theFilesReadAsTheyAreDocumented() throws {
        let script = """
            CREATE TABLE Person (id INTEGER PRIMARY KEY, name TEXT, big INTEGER, score REAL, photo BLOB, ok BOOLEAN, born DATETIME);
            INSERT INTO Person VALUES (1, 'Ann "A"', 9007199254740993, 1.5, x'00ff', 1, 1714979289123), (2, '', -1, 2, x'', 0, NULL),
            (3, NULL, 'many', -0.0, 'text', 7, 'soon'), (4, '$5', 0, 9e999, NULL, NULL, 1714979289000)
            """
        var migration = TestMigration()
        migration.style = .prisma
        try withExport(script, migration: migration) { export in
            let manifest = try export.write()
            let json = String(
                decoding: try #require(try export.files()[manifest.tables[0].file]), as: UTF8.self)
            #expect(
                json.split(separator: "\n").map(String.init) == [
                    #"{"id":1,"name":"Ann \"A\"","big":"9007199254740993","score":1.5,"photo":"AP8=","ok":true,"born":"2024-05-06T07:08:09.123Z"}"#,
                    #"{"id":2,"name":"","big":-1,"score":2.0,"photo":"","ok":false,"born":null}"#,
                    #"{"id":3,"name":null,"big":{"$text":"many"},"score":0.0,"photo":{"$text":"text"},"ok":{"$integer":"7"},"born":{"$text":"soon"}}"#,
                    #"{"id":4,"name":"$5","big":0,"score":{"$real":"Infinity"},"photo":null,"ok":null,"born":"2024-05-06T07:08:09.000Z"}"#,
                ])
            for line in json.split(separator: "\n") {
                _ = try JSONSerialization.jsonObject(with: Data(line.utf8))
            }
            let second = "\(export.folder)/csv"
            _ = try export.write(ExportWay(form: .csv, isCompressed: false), to: second)
            let csv = try String(contentsOfFile: "\(second)/1-Person.csv", encoding: .utf8)
            #expect(
                csv.split(separator: "\n").map(String.init) == [
                    #""id","name","big","score","photo","ok","born""#,
                    #"1,"Ann ""A""","9007199254740993",1.5,AP8=,true,2024-05-06T07:08:09.123Z"#,
                    #"2,"",-1,2.0,"",false,"#,
                    #"3,,"$text:many",0.0,"$text:text",$integer:7,"$text:soon""#,
                    #"4,"$$5",0,$real:Infinity,,,2024-05-06T07:08:09.000Z"#,
                ])
        }
    }

    @Test func gunzipAndSha256sumReadWhatIsWritten() throws {
        try withExport("CREATE TABLE t (a); INSERT INTO t VALUES ('one'), ('two')") { export in
            let manifest = try export.write(ExportWay(form: .ndjson, isCompressed: true))
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = [
                "-c",
                "cd \"$0\" && sha256sum --quiet -c manifest.sha256 && [ \"$(gunzip -c 1-t.ndjson.gz | sha256sum | cut -c1-64)\" = \"$1\" ]",
                export.path, manifest.tables[0].sha256,
            ]
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
        }
    }

    /// Whoever has no howdah finds any changed file by the digests alone.
    @Test(arguments: ExportWay.all, [0, 1, 2]) func sha256sumFindsAFileThatWasChanged(
        _ way: ExportWay, _ file: Int
    ) throws {
        try withExport("CREATE TABLE t (a); INSERT INTO t VALUES ('one'), ('two')") { export in
            let manifest = try export.write(way)
            func check() throws -> Int32 {
                let process = Process()
                process.executableURL = URL(fileURLWithPath: "/bin/sh")
                process.arguments = [
                    "-c", "cd \"$0\" && sha256sum --strict --status -c manifest.sha256", export.path,
                ]
                try process.run()
                process.waitUntilExit()
                return process.terminationStatus
            }
            #expect(try check() == 0)
            let name = [manifest.tables[0].file, "plan.yaml", "manifest.json"][file]
            let url = URL(fileURLWithPath: "\(export.path)/\(name)")
            var bytes = try Data(contentsOf: url)
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: url)
            #expect(try check() != 0)
        }
    }

    @Test func manyBlocksKeepTheirOrderAndTheirLines() throws {
        let script = """
            CREATE TABLE t (a TEXT); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25000)
            INSERT INTO t SELECT i || CASE i % 100 WHEN 0 THEN char(10) ELSE '' END FROM n
            """
        try withExport(script) { export in
            let lines = [ExportForm.ndjson: [1, 10_001, 20_001], .csv: [2, 10_102, 20_202]]
            for way in ExportWay.all {
                let folder = "\(export.folder)/\(way.testDescription)"
                let blocks = try export.write(way, to: folder).tables[0].blocks
                #expect(blocks.map(\.rows) == [10_000, 10_000, 5000])
                #expect(blocks.map(\.line) == lines[way.form])
            }
            _ = try export.write(ExportWay(form: .csv, isCompressed: true))
            #expect(try content(of: export.rebuild().databasePath) == content(of: export.source))
        }
    }

    @Test(arguments: ExportWay.all)
    func aRowOfManyMegabytesComesBack(_ way: ExportWay) throws {
        let script = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, a BLOB, b TEXT);
            INSERT INTO t VALUES (1, randomblob(5000000), hex(randomblob(1000000)) || char(10, 34, 92)), (2, x'00', replace(hex(zeroblob(200000)), '0', '"'))
            """
        try withExport(script) { export in
            _ = try export.write(way)
            #expect(try content(of: export.rebuild().databasePath) == content(of: export.source))
        }
    }

    @Test func theSameSnapshotGivesTheSameBytes() throws {
        try withExport("CREATE TABLE t (a); INSERT INTO t VALUES (1), ('x'); CREATE TABLE u (b)") { export in
            let way = ExportWay(form: .csv, isCompressed: true)
            _ = try export.write(way)
            let first = try export.files()
            try FileManager.default.removeItem(atPath: export.path)
            _ = try export.write(way)
            #expect(try export.files() == first)
        }
    }
}
