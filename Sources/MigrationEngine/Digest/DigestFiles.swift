import Foundation

/// Writes a digest's queries as files that `sqlite3` and `psql` run, for who trusts neither howdah nor its results.
public struct DigestFiles {
    let preparation: Preparation
    let opening: DigestRun.Opening
    let targetURL: String

    public init(preparation: Preparation, opening: DigestRun.Opening, targetURL: String) {
        self.preparation = preparation
        self.opening = opening
        self.targetURL = targetURL
    }

    /// The copy of what decisions keep out of the target, beside the queries that read it.
    private static let decidedName = "decided.db"

    /// One table, or one of its columns, with the name of its two files.
    private struct Entry {
        let file: String
        let query: DigestQuery
        let column: String?
    }

    /// Writes everything into `folder`, which is made where it is not there; throws where one of the files is there.
    public func write(to folder: String) throws {
        let entries = entries
        var files = [("README", readme(entries))]
        for entry in entries {
            files.append(("\(entry.file).sqlite.sql", source(entry)))
            files.append(("\(entry.file).psql.sql", target(entry)))
        }
        let taken = (files.map(\.0) + [Self.decidedName]).first { access("\(folder)/\($0)", F_OK) == 0 }
        if let taken {
            throw MigrationError(
                .state, "\(folder)/\(taken) is there already", remedy: "Name an empty folder.", exit: .usage)
        }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            if let decided = preparation.data.decided {
                try FileManager.default.copyItem(
                    atPath: decided.path, toPath: "\(folder)/\(Self.decidedName)")
            }
            for (name, text) in files {
                try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
            }
        } catch {
            throw MigrationError(
                .state, "the queries cannot be written to \(folder): \(error.localizedDescription)",
                remedy: "Name a folder that can be written.", exit: .usage)
        }
    }

    /// Names of tables may hold anything; those of files do not.
    private var entries: [Entry] {
        var taken: Set<String> = []
        func file(_ names: [String]) -> String {
            let plain = names.map { name in
                String(
                    name.map {
                        $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") ? $0 : "_"
                    })
            }.joined(separator: ".").prefix(100)
            var name = "\(plain)"
            var number = 1
            while !taken.insert(name.lowercased()).inserted {
                number += 1
                name = "\(plain)~\(number)"
            }
            return name
        }
        return opening.queries.filter { !$0.cells.isEmpty }.flatMap { query in
            [Entry(file: file([query.table]), query: query, column: nil)]
                + query.binaryColumns.map {
                    Entry(file: file([query.table, $0]), query: query, column: $0)
                }
        }
    }

    private func source(_ entry: Entry) -> String {
        let attach =
            preparation.data.decided == nil
            ? "" : "ATTACH '\(Self.decidedName)' AS \(DecidedRows.schema);\n"
        return """
            .mode list
            .separator "|" "\\n"
            .headers off
            .nullvalue -
            \(attach)\(entry.query.source(entry.column));

            """
    }

    private func target(_ entry: Entry) -> String {
        "\(DigestRun.settings);\n\(entry.query.target(entry.column));\n"
    }

    private func readme(_ entries: [Entry]) -> String {
        let snapshot = preparation.snapshot
        let quoted = shellQuoted(snapshot.path)
        var lines = [
            "Digests of \(snapshot.source), as of the snapshot of \(snapshot.time), and of \(targetURL)", "",
            "The snapshot itself (sha256 \(snapshot.sha256)):", "", "    sha256sum \(quoted)", "",
            "In this folder, for each pair of files below; the two digests are to be the same:", "",
            "    sqlite3 -readonly \(quoted) < NAME.sqlite.sql | sha256sum",
            "    psql \(shellQuoted(targetURL)) -XqAt -f NAME.psql.sql | sha256sum", "",
            "Each query prints one line a row, cells joined by |: texts and bytes in hexadecimal digits, doubles as their eight",
            "bytes, integers in decimal digits, instants in microseconds since 1970, days since 1970, NULL as -. A value that has",
            "no equal in its column's type is ! in SQLite's lines and ? in PostgreSQL's, which are never the same.",
            "",
        ]
        for entry in entries {
            let what =
                entry.column.map { "the column \($0) of \(entry.query.table)" }
                ?? "the table \(entry.query.table)"
            lines.append(printable("\(entry.file): \(what), \(entry.query.orderWords)"))
            guard entry.column == nil else { continue }
            lines += entry.query.leftOut.map { printable("    without \($0.column): \($0.reason)") }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
