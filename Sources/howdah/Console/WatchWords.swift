import MigrationEngine

/// What `validate --watch --json` prints.
struct WatchDocument: Encodable {
    struct Table: Encodable {
        let name: String
        let never_right: Int
        let came: Int
        let changed: Int
        let went: Int
        let came_right: Int
        let samples: [String]
        let reason: String?
    }

    let command = "validate"
    let watch = true
    let since: String
    let outcome: String
    let exit: Int
    let seconds: Double
    let tables: [Table]

    init(_ report: Watch.Report) {
        since = report.since
        outcome = report.isRight ? "proven" : "differs"
        exit = report.isRight ? 0 : 4
        seconds = report.seconds
        tables = report.tables.map {
            Table(
                name: $0.name, never_right: $0.neverRight, came: $0.came, changed: $0.changed, went: $0.went,
                came_right: $0.cameRight, samples: $0.samples, reason: $0.obstacle)
        }
    }
}

extension Describe {
    static func watch(_ report: Watch.Report) -> [String] {
        let head = [["Table", "Never right", "Came", "Changed", "Went", "Came right"]]
        let rows = report.tables.map { table in
            [table.name]
                + [table.neverRight, table.came, table.changed, table.went, table.cameRight].map {
                    Format.count($0)
                }
        }
        var lines = Format.table(head + rows, right: [1, 2, 3, 4, 5])
        for table in report.tables {
            if let obstacle = table.obstacle { lines.append("  \(table.name): \(obstacle)") }
            if !table.samples.isEmpty {
                lines.append("  \(table.name), never right: \(table.samples.joined(separator: "; "))")
            }
        }
        let changes = report.tables.reduce(0) { $0 + $1.changedSince }
        lines.append(
            "\(Format.count(changes, "row has", "rows have")) changed in PostgreSQL since the proof of \(report.since)"
        )
        let never = report.tables.reduce(0) { $0 + $1.neverRight }
        let unknown = report.tables.count { $0.obstacle != nil }
        if report.isRight {
            lines.append("proven: every other row is equal to the last bit")
        } else if never > 0 {
            lines.append("differs: \(Format.count(never, "row was", "rows were")) never right (exit 4)")
            lines.append(
                "howdah repair SOURCE TARGET --all --never-right carries them again, and leaves alone what the application has changed"
            )
        } else {
            lines.append(
                "differs: \(Format.count(unknown, "table", "tables")) could not be told apart (exit 4)")
        }
        return lines
    }
}
