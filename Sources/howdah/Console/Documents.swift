import MigrationEngine

/// What `inspect --json` prints.
struct InspectDocument: Encodable {
    struct Column: Encodable {
        let name: String
        let declared: String
        let type: String
        let reason: String?
        let integers: Int
        let reals: Int
        let texts: Int
        let blobs: Int
        let nulls: Int
    }

    struct Table: Encodable {
        let name: String
        let rows: Int
        let bytes: Int
        let columns: [Column]
    }

    let command = "inspect"
    let outcome = "answered"
    let exit = 0
    let style: String
    let evidence: [String]
    let snapshot: Snapshot
    let assessment: Assessment
    let tables: [Table]
    let objects: [ObjectState]
    let findings: [Finding]

    init(_ preparation: Preparation, evidence: [String]) {
        style = preparation.plan.style.rawValue
        self.evidence = evidence + [preparation.styleEvidence]
        snapshot = preparation.snapshot
        assessment = Assessment(preparation)
        objects = preparation.objects
        findings = preparation.findings
        tables = preparation.plan.tables.map { table in
            let profile = preparation.profiles[table.name] ?? TableProfile()
            let source = preparation.catalog.tables.first { $0.name == table.name }
            let columns = (source?.columns ?? []).enumerated().map { index, column in
                let planned = table.columns.first { $0.name == column.name }
                let values = index < profile.columns.count ? profile.columns[index] : ColumnProfile()
                return Column(
                    name: column.name, declared: column.declaredType, type: planned?.type ?? "",
                    reason: planned?.reason, integers: values.integers, reals: values.reals,
                    texts: values.texts,
                    blobs: values.blobs, nulls: values.nulls)
            }
            return Table(name: table.name, rows: profile.rows, bytes: profile.bytes, columns: columns)
        }
    }
}

/// What `plan --json` prints.
struct PlanDocument: Encodable {
    let command = "plan"
    let outcome: String
    let exit: Int32
    let path: String
    let plan: MigrationPlan
    let objects: [ObjectState]
    let findings: [Finding]

    init(_ preparation: Preparation, path: String) {
        outcome = preparation.blocking.isEmpty ? "answered" : "undecided"
        exit = preparation.blocking.isEmpty ? 0 : 3
        self.path = path
        plan = preparation.plan
        objects = preparation.objects
        findings = preparation.findings
    }
}

/// What `schema --json` prints.
struct SchemaDocument: Encodable {
    let command = "schema"
    let outcome = "answered"
    let exit = 0
    let sql: String
    let objects: [ObjectState]
}
