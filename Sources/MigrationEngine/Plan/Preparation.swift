/// Everything that is known before data moves: snapshot, catalog, profile, plan and findings.
public struct Preparation: Sendable {
    public internal(set) var snapshot: Snapshot
    public internal(set) var catalog: Catalog
    public let profiles: [String: TableProfile]
    public internal(set) var plan: MigrationPlan
    /// Where the plan comes from: a file that was named or edited, or nil for one made now.
    public let planPath: String?
    /// Whether a command has decided what the plan did not say before: the plan is then the operator's.
    public let hasNewDecisions: Bool
    public let styleEvidence: String
    public let findings: [Finding]
    public internal(set) var objects: [ObjectState]
    /// Whether the encoder must take dates of every form, by table and column.
    let decidedColumns: [String: Set<String>]
    /// What decisions make of single rows; nil where they are about none.
    public let decidedRows: DecidedRows?
    /// What the command decides, for findings that only the server brings up.
    let decisions: Decisions
    /// How triggers and keys of tables that are there already are held off; nil where howdah makes the tables.
    var hold: Hold?

    /// The snapshot as the target is to hold it.
    var data: SourceData { SourceData(snapshot: snapshot, decided: decidedRows) }

    /// Findings that stop a run.
    public var blocking: [Finding] { findings.filter(\.blocking) }

    public var rows: [String: Int] { profiles.mapValues(\.rows) }

    public var planText: String {
        PlanFile.text(
            plan, rows: rows, findings: findings, objects: objects, isEdited: hasNewDecisions)
    }
}
