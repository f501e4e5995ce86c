import SQLDialect
import SQLite

/// Reads a catalog from an open database, by the PRAGMAs and from the text of CREATE TABLE.
///
/// Called from one thread. Never runs a view, a trigger or a virtual table's module.
struct CatalogReader {
    static func read(_ connection: borrowing SQLite.Connection) throws -> Catalog {
        var catalog = Catalog()
        catalog.encoding = try text(connection, "PRAGMA encoding") ?? "UTF-8"
        catalog.userVersion = Int(try text(connection, "PRAGMA user_version") ?? "") ?? 0
        let sources = try sources(connection)
        let sequences = try sequences(connection, exists: sources["sqlite_sequence"] != nil)
        let list = try connection.prepare(
            """
            SELECT l.name, l.type, l.wr, l.strict FROM pragma_table_list AS l
            LEFT JOIN sqlite_schema AS s ON s.name = l.name AND s.type IN ('table', 'view')
            WHERE l.schema = 'main' AND l.name NOT IN ('sqlite_schema', 'sqlite_temp_schema') ORDER BY s.rowid
            """)
        while try list.step() {
            let name = list.text(0)
            let sql = sources[name] ?? ""
            switch list.text(1) {
            case "virtual": catalog.virtualTables.append(.init(name: name, table: name, sql: sql))
            case "shadow": catalog.shadowTables.append(name)
            case "view": catalog.views.append(try view(name, sql, connection))
            default:
                var table = Catalog.Table(name: name, sql: sql)
                table.isWithoutRowid = list.int64(2) != 0
                table.isStrict = list.int64(3) != 0
                table.sequence = sequences[name]
                try fill(&table, connection)
                catalog.tables.append(table)
            }
        }
        try resolveParents(&catalog)
        let triggers = try connection.prepare(
            "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid")
        while try triggers.step() {
            catalog.triggers.append(
                .init(name: triggers.text(0), table: triggers.text(1), sql: triggers.text(2)))
        }
        return catalog
    }

    /// Every table that has pages of its own, SQLite's and those of virtual tables included, in the order of the schema.
    static func storedTables(_ connection: borrowing SQLite.Connection) throws -> [Catalog.Table] {
        let list = try connection.prepare(
            """
            SELECT s.name, s.sql, l.wr, l.strict FROM sqlite_schema AS s
            JOIN pragma_table_list AS l ON l.schema = 'main' AND l.name = s.name
            WHERE s.type = 'table' AND s.rootpage > 0 ORDER BY s.rowid
            """)
        var tables: [Catalog.Table] = []
        while try list.step() {
            var table = Catalog.Table(name: list.text(0), sql: list.text(1))
            table.isWithoutRowid = list.int64(2) != 0
            table.isStrict = list.int64(3) != 0
            try fill(&table, connection)
            tables.append(table)
        }
        return tables
    }

    /// A view with the names of its columns, or why SQLite cannot read it.
    private static func view(
        _ name: String, _ sql: String, _ connection: borrowing SQLite.Connection
    ) throws -> Catalog.SchemaObject {
        do {
            let columns = try columns(ofView: name, connection)
            return Catalog.SchemaObject(name: name, table: name, sql: sql, columns: columns)
        } catch let error as SQLiteError {
            if error.isInterrupted { throw error }
            return Catalog.SchemaObject(name: name, table: name, sql: sql, problem: error.message)
        }
    }

    /// The view is prepared for that, and not run.
    private static func columns(
        ofView name: String, _ connection: borrowing SQLite.Connection
    ) throws -> [String] {
        var columns: [String] = []
        let statement = try connection.prepare("SELECT name FROM pragma_table_xinfo(?1)")
        try statement.bind(name, at: 1)
        while try statement.step() { columns.append(statement.text(0)) }
        return columns
    }

    private static func text(_ connection: borrowing SQLite.Connection, _ sql: String) throws -> String? {
        let statement = try connection.prepare(sql)
        return try statement.step() ? statement.optionalText(0) : nil
    }

    private static func sources(_ connection: borrowing SQLite.Connection) throws -> [String: String] {
        var sources: [String: String] = [:]
        let statement = try connection.prepare(
            "SELECT name, sql FROM sqlite_schema WHERE type IN ('table', 'view')")
        while try statement.step() { sources[statement.text(0)] = statement.text(1) }
        return sources
    }

    private static func sequences(
        _ connection: borrowing SQLite.Connection, exists: Bool
    ) throws -> [String: Int64] {
        guard exists else { return [:] }
        var sequences: [String: Int64] = [:]
        let statement = try connection.prepare("SELECT name, seq FROM sqlite_sequence")
        while try statement.step() {
            guard statement.storageClass(1) == .integer else { continue }
            sequences[statement.text(0)] = max(statement.int64(1), sequences[statement.text(0)] ?? .min)
        }
        return sequences
    }

    private static func fill(_ table: inout Catalog.Table, _ connection: borrowing SQLite.Connection) throws {
        let ddl = TableDDL(table.sql)
        table.checks = ddl.checks.map { .init(name: $0.name, expression: $0.expression) }
        table.conflictClauses = ddl.conflicts.map { clause in
            (clause.column.map { "\($0): " } ?? "") + "ON CONFLICT \(clause.resolution)"
        }
        table.primaryKeyName = ddl.primaryKeyName
        try fillColumns(&table, ddl, connection)
        try fillIndexes(&table, ddl, connection)
        try fillForeignKeys(&table, ddl, connection)
        // The key of a rowid table needs an index unless it is the rowid itself.
        if !table.isWithoutRowid, let key = table.primaryKey.first, table.primaryKey.count == 1,
            !table.indexes.contains(where: { $0.origin == .primaryKey })
        {
            table.rowidAlias = key
            table.isAutoincrement = try connection.columnMetadata(table: table.name, column: key)
                .isAutoincrement
        }
    }

    private static func fillColumns(
        _ table: inout Catalog.Table, _ ddl: TableDDL, _ connection: borrowing SQLite.Connection
    ) throws {
        let statement = try connection.prepare(
            "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?1)")
        try statement.bind(table.name, at: 1)
        var key: [(position: Int64, name: String)] = []
        while try statement.step() {
            let name = statement.text(0)
            if statement.int64(4) > 0 { key.append((statement.int64(4), name)) }
            var column = Catalog.Column(
                name: name, declaredType: statement.text(1), isNotNull: statement.int64(2) != 0,
                defaultSQL: statement.optionalText(3),
                collation: try connection.columnMetadata(table: table.name, column: name).collation)
            // 2 is virtual, 3 is stored: https://sqlite.org/pragma.html#pragma_table_xinfo
            if statement.int64(5) >= 2 { column.generation = ddl.generated[name] ?? "" }
            table.columns.append(column)
        }
        table.primaryKey = key.sorted { $0.position < $1.position }.map(\.name)
    }

    private static func fillIndexes(
        _ table: inout Catalog.Table, _ ddl: TableDDL, _ connection: borrowing SQLite.Connection
    ) throws {
        let list = try connection.prepare(
            """
            SELECT l.name, l."unique", l.origin, l.partial, s.sql FROM pragma_index_list(?1) AS l
            LEFT JOIN sqlite_schema AS s ON s.type = 'index' AND s.name = l.name ORDER BY l.seq DESC
            """)
        try list.bind(table.name, at: 1)
        var uniques = ddl.uniques
        while try list.step() {
            let name = list.text(0)
            var terms: [Catalog.Index.Term] = []
            let info = try connection.prepare(
                "SELECT cid, name, desc, coll FROM pragma_index_xinfo(?1) WHERE key = 1")
            try info.bind(name, at: 1)
            while try info.step() {
                terms.append(
                    .init(
                        column: info.int64(0) >= 0 ? info.optionalText(1) : nil,
                        isDescending: info.int64(2) != 0,
                        collation: info.text(3)))
            }
            var index = Catalog.Index(
                name: name, isUnique: list.int64(1) != 0,
                origin: .init(rawValue: list.text(2)) ?? .createIndex,
                isPartial: list.int64(3) != 0, terms: terms, sql: list.optionalText(4))
            let columns = terms.map(\.column?.foldedName)
            if index.origin == .unique,
                let match = uniques.firstIndex(where: { $0.columns.map(\.foldedName) == columns })
            {
                index.constraintName = uniques.remove(at: match).name
            }
            table.indexes.append(index)
        }
    }

    private static func fillForeignKeys(
        _ table: inout Catalog.Table, _ ddl: TableDDL, _ connection: borrowing SQLite.Connection
    ) throws {
        let statement = try connection.prepare(
            """
            SELECT id, "table", "from", "to", on_update, on_delete FROM pragma_foreign_key_list(?1) ORDER BY id DESC, seq
            """)
        try statement.bind(table.name, at: 1)
        var lastID: Int64?
        while try statement.step() {
            let id = statement.int64(0)
            let from = statement.text(2)
            let to = statement.optionalText(3)
            if id == lastID, let key = table.foreignKeys.popLast() {
                table.foreignKeys.append(
                    .init(
                        name: key.name, columns: key.columns + [from], parentTable: key.parentTable,
                        parentColumns: to.map { (key.parentColumns ?? []) + [$0] }, onUpdate: key.onUpdate,
                        onDelete: key.onDelete, isDeferrable: key.isDeferrable,
                        isInitiallyDeferred: key.isInitiallyDeferred))
                continue
            }
            lastID = id
            // SQLite numbers the keys from the last one of the text.
            let order = table.foreignKeys.count
            let declared = order < ddl.foreignKeys.count ? ddl.foreignKeys[order] : nil
            table.foreignKeys.append(
                .init(
                    name: declared?.name, columns: [from], parentTable: statement.text(1),
                    parentColumns: to.map { [$0] }, onUpdate: statement.text(4), onDelete: statement.text(5),
                    isDeferrable: declared?.isDeferrable ?? false,
                    isInitiallyDeferred: declared?.isInitiallyDeferred ?? false))
        }
    }

    /// Gives every foreign key the names as its parent spells them; SQLite compares names without case.
    private static func resolveParents(_ catalog: inout Catalog) throws {
        var byName: [[UInt8]: Catalog.Table] = [:]
        for table in catalog.tables { byName[table.name.foldedName] = table }
        for index in catalog.tables.indices {
            let own = catalog.tables[index]
            catalog.tables[index].foreignKeys = own.foreignKeys.map { key in
                let parent = byName[key.parentTable.foldedName]
                let named = key.parentColumns?.map { parent?.column(named: $0)?.name ?? $0 }
                let implied = parent.flatMap {
                    $0.primaryKey.count == key.columns.count ? $0.primaryKey : nil
                }
                return Catalog.ForeignKey(
                    name: key.name, columns: key.columns.map { own.column(named: $0)?.name ?? $0 },
                    parentTable: parent?.name ?? key.parentTable, parentColumns: named ?? implied,
                    onUpdate: key.onUpdate, onDelete: key.onDelete, isDeferrable: key.isDeferrable,
                    isInitiallyDeferred: key.isInitiallyDeferred)
            }
        }
    }
}
