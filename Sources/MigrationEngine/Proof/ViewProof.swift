import Postgres

/// What the proof reads of a view: its rows on both sides, as of a table without a key.
///
/// Columns whose last digits depend on the order of the rows stay out of it.
enum ViewProof {
    static func table(
        _ view: MigrationPlan.View, _ preparation: Preparation, _ target: TargetColumns
    ) -> ProofTable? {
        let columns = view.columns.filter { !(view.approximate ?? []).contains($0.name) }
        var source = Catalog.Table(name: view.name, sql: "")
        // A view has no rowid to read.
        source.isWithoutRowid = true
        source.columns = columns.map { column in
            Catalog.Column(
                name: column.name, declaredType: "", isNotNull: false, defaultSQL: nil, collation: "BINARY")
        }
        var codes: [ColumnCode] = []
        var foreign: [String: ForeignForm] = [:]
        let types = target.types
        for column in columns {
            guard let type = types[column.targetName] else { return nil }
            var actual = column
            actual.type = type.sql
            foreign[column.name] = actual.foreignForm
            codes.append(
                ColumnCode(
                    actual, enums: preparation.plan.enums,
                    dates: DateReading(style: preparation.plan.style, isDecided: true)))
        }
        return ProofTable(
            source: source, target: view.targetName, profile: TableProfile(), columns: columns.map(\.name),
            targetColumns: columns.map(\.targetName), codes: codes, foreign: foreign,
            counters: RunProgress.Table(name: view.name, rows: 0))
    }
}
