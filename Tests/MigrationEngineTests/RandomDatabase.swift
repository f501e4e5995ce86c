@testable import DemoProject

/// A script that makes a small database with a random schema and rows of which some fit nowhere.
struct RandomDatabase {
    struct Table {
        var name: String
        var columns: [String] = []
    }

    var random: SeededGenerator
    var script = ""
    var tables: [Table] = []

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        for number in 0...random.below(3) { addTable(number) }
    }

    private mutating func pick<T>(_ items: [T]) -> T { items[random.below(items.count)] }

    private func quoted(_ name: String) -> String { "\"" + name.replacing("\"", with: "\"\"") + "\"" }

    private mutating func addTable(_ number: Int) {
        var table = Table(name: "\(pick(["t", "Table ", "größe", "sel\"ect", "UPPER"]))\(number)")
        let parent = tables.last
        var definitions: [String] = []
        var types: [String] = []
        let key = random.below(4)
        for index in 0...(1 + random.below(5)) {
            let name = "\(pick(["a", "B", "c d", "e\"f", "ü"]))\(index)"
            let type = pick([
                "INTEGER", "TEXT", "REAL", "BLOB", "NUMERIC", "BOOLEAN", "DATETIME", "VARCHAR(5)", "BIGINT",
                "",
            ])
            var definition = "\(quoted(name)) \(type)"
            if index == 0, key == 0 { definition = "\(quoted(name)) INTEGER PRIMARY KEY" }
            if index == 0, key == 1 { definition = "\(quoted(name)) TEXT PRIMARY KEY" }
            if index == 1, let parent, let first = parent.columns.first, random.chance(60) {
                definition += " REFERENCES \(quoted(parent.name)) (\(quoted(first)))"
            }
            if index > 1, random.chance(15) { definition += " UNIQUE" }
            if index > 1, random.chance(15) { definition += " CHECK (\(quoted(name)) IS NOT 7)" }
            table.columns.append(name)
            types.append(index == 0 && key == 0 ? "KEY" : index == 0 && key == 1 ? "TEXT" : type)
            definitions.append(definition)
        }
        if key == 2 {
            definitions.append("PRIMARY KEY (\(quoted(table.columns[0])), \(quoted(table.columns[1])))")
        }
        let isWithoutRowid = key == 2 && random.chance(50)
        script +=
            "CREATE TABLE \(quoted(table.name)) (\(definitions.joined(separator: ", ")))\(isWithoutRowid ? " WITHOUT ROWID" : "");\n"
        let isDirty = random.chance(70)
        for row in 0..<random.below(30) {
            let values = types.map { value($0, row: row, isDirty: isDirty) }
            script +=
                "INSERT OR IGNORE INTO \(quoted(table.name)) VALUES (\(values.joined(separator: ", ")));\n"
        }
        tables.append(table)
    }

    private mutating func value(_ type: String, row: Int, isDirty: Bool) -> String {
        if type == "KEY" { return "\(row * 3 - 4)" }
        if random.chance(12) { return "NULL" }
        if isDirty, random.chance(6) {
            return pick([
                "'a' || char(0) || 'b'", "CAST(x'ff41' AS TEXT)", "x'00ff'", "'text'", "9223372036854775807",
                "0.1", "9e999", "-0.0",
                "''", "7", "'2024-02-30'", "1e300",
            ])
        }
        switch type {
        case "INTEGER", "BIGINT": return "\(random.below(40) - 10)"
        case "TEXT": return pick(["'a\(row)'", "'é\(row) 👩‍👩‍👧'", "'it''s \\ \(row)'", "'\(row)'", "''"])
        case "REAL": return pick(["\(row).5", "0.1", "-1e-7", "\(row)"])
        case "BLOB": return pick(["x''", "x'00'", "x'ff\(row % 10)a'", "zeroblob(3)"])
        case "NUMERIC": return pick(["\(row)", "0.25", "-3", "1e20"])
        case "BOOLEAN": return pick(["0", "1"])
        case "DATETIME":
            return "'20\(10 + row % 80)-0\(1 + row % 9)-1\(row % 10) 0\(row % 10):59:0\(row % 7)'"
        case "VARCHAR(5)": return pick(["'abc'", "'äöüßé'", "'\(row)'"])
        default: return pick(["\(row)", "'x\(row)'", "NULL"])
        }
    }
}
