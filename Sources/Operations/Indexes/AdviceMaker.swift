import MigrationEngine
import Postgres

/// Writes advice with its SQL out of what was found.
struct AdviceMaker {
    let catalog: IndexCatalog
    let limits: IndexLimits

    private func qualified(_ name: String) -> String { quoteIdentifier(catalog.schema, name) }

    private func obstacle(_ table: IndexCatalog.Table?) -> String? {
        guard let table, !table.isOwned else { return nil }
        return "\(table.owner) owns \(table.name), and only an owner may: run the SQL as that role"
    }

    // MARK: New indexes

    func create(_ candidate: IndexCandidate, taken: inout Set<String>) -> IndexAdvice {
        let table = catalog.table(candidate.table)
        let name = Self.name(candidate.table, candidate.columns, &taken)
        let columns = candidate.columns.map(quoteIdentifier).joined(separator: ", ")
        let isPartitioned = table?.isPartitioned ?? false
        var evidence = candidate.evidence
        if let table, table.rows > 0 {
            evidence.append(
                "\(table.name): about \(IndexWords.rows(table.rows)), \(Format.bytes(table.bytes ?? 0))")
        }
        if let bytes = catalog.estimatedBytes(candidate.columns, of: candidate.table) {
            evidence.append("the index: about \(Format.bytes(bytes))")
        }
        let sql =
            isPartitioned
            ? partitioned(candidate, name, columns, &taken)
            : [
                "CREATE INDEX CONCURRENTLY \(quoteIdentifier(name)) ON \(qualified(candidate.table)) (\(columns))"
            ]
        let drop = isPartitioned ? "DROP INDEX" : "DROP INDEX CONCURRENTLY"
        return IndexAdvice(
            id: "index:\(candidate.table).\(candidate.columns.joined(separator: "+"))",
            rules: candidate.rules,
            action: .create, schema: catalog.schema, table: candidate.table, index: name,
            columns: candidate.columns, evidence: evidence, sql: sql, undo: ["\(drop) \(qualified(name))"],
            isRecommended: false,
            obstacle: obstacle(table)
                ?? (isPartitioned
                    ? "\(candidate.table) is partitioned, and PostgreSQL builds no index on it CONCURRENTLY: run the SQL by hand, "
                        + "a partition at a time" : nil))
    }

    /// An index of the parent alone, one of each partition, and each attached: nobody waits for it
    /// (https://www.postgresql.org/docs/current/ddl-partitioning.html).
    private func partitioned(
        _ candidate: IndexCandidate, _ name: String, _ columns: String, _ taken: inout Set<String>
    ) -> [String] {
        var sql = [
            "CREATE INDEX \(quoteIdentifier(name)) ON ONLY \(qualified(candidate.table)) (\(columns))"
        ]
        for partition in catalog.tables where partition.parent == candidate.table {
            let own = Self.name(partition.name, candidate.columns, &taken)
            let build = partition.isPartitioned ? "CREATE INDEX" : "CREATE INDEX CONCURRENTLY"
            sql.append("\(build) \(quoteIdentifier(own)) ON \(qualified(partition.name)) (\(columns))")
            sql.append("ALTER INDEX \(qualified(name)) ATTACH PARTITION \(qualified(own))")
        }
        return sql
    }

    /// A name as Prisma and Django's tools would expect one, that nothing else has.
    private static func name(_ table: String, _ columns: [String], _ taken: inout Set<String>) -> String {
        let base = ([table] + columns).joined(separator: "_")
        var name = cut(base, suffix: "_idx")
        var number = 1
        while !taken.insert(name).inserted {
            name = cut(base, suffix: "_idx\(number)")
            number += 1
        }
        return name
    }

    /// PostgreSQL keeps 63 bytes of a name: the beginning, cut between characters, and the suffix.
    private static func cut(_ base: String, suffix: String) -> String {
        var text = ""
        for character in base.unicodeScalars {
            guard text.utf8.count + String(character).utf8.count + suffix.utf8.count <= 63 else { break }
            text.unicodeScalars.append(character)
        }
        return text + suffix
    }

    // MARK: Statistics

    /// Tables that were never analysed, or have changed by much since.
    var statistics: [IndexAdvice] {
        catalog.tables.filter { !$0.isPartition }.compactMap { table in
            let parts = catalog.tables.filter { $0.parent == table.name }
            let rows =
                table.isPartitioned ? parts.reduce(0) { $0 + $1.rows } : max(table.rows, table.live ?? 0)
            let pages = table.pages ?? 0
            let evidence: String
            if !table.isAnalysed, rows > 0 {
                evidence = "never analysed, with about \(IndexWords.rows(rows))"
            } else if pages >= limits.grownPages, pages > (1 + limits.grown) * max(table.pagesThen, 1) {
                // Counters of changed rows would tell less: those of a load often come in after its ANALYZE.
                evidence =
                    "grown from \(Format.count(Int(table.pagesThen), "page", "pages")) to \(Format.count(Int(pages))) since the statistics were made"
            } else {
                return nil
            }
            return IndexAdvice(
                id: "analyze:\(table.name)", rules: [.statistics], action: .analyze, schema: catalog.schema,
                table: table.name, index: "", columns: [], evidence: [evidence],
                sql: ["ANALYZE \(qualified(table.name))"], undo: [], isRecommended: table.isOwned,
                obstacle: obstacle(table))
        }
    }

    // MARK: Indexes that go

    /// Those that serve nothing: howdah's own by its journal, or somebody's.
    func invalid(_ records: [IndexRecord]) -> [IndexAdvice] {
        let indexes = catalog.indexes.values.flatMap(\.self).filter { !$0.isValid && !$0.isPinned }
        return indexes.sorted { $0.name < $1.name }.compactMap { index in
            let isOwn = records.contains { record in
                record.isLeftover && record.schema == catalog.schema && record.name == index.name
                    && record.table == index.table
            }
            // What somebody is building is not broken yet.
            if index.isBuilding, !isOwn { return nil }
            let words =
                isOwn ? "begun by howdah, and never finished" : "its definition: \(index.definition)"
            return drop(
                .init(index: index, rule: isOwn ? .leftover : .invalid, evidence: [words]))
        }
    }

    func drop(_ finding: SuperfluousIndexes.Finding) -> IndexAdvice {
        let index = finding.index
        let table = catalog.table(index.table)
        var evidence = finding.evidence
        if let bytes = index.bytes { evidence.append("it takes \(Format.bytes(bytes))") }
        let isLeftover = finding.rule == .leftover
        return IndexAdvice(
            id: "drop:\(index.name)", rules: [finding.rule], action: .drop, schema: catalog.schema,
            table: index.table, index: index.name, columns: index.leading, evidence: evidence,
            sql: ["DROP INDEX CONCURRENTLY \(qualified(index.name))"],
            undo: isLeftover ? [] : [IndexBuild.concurrently(index.definition)],
            isRecommended: isLeftover && table?.isOwned ?? false, obstacle: obstacle(table))
    }
}
