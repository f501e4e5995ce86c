/// What a schema of the target holds that somebody else has made, as `pg_catalog` tells.
struct TargetCatalog: Sendable {
    var tables: [Table] = []
    /// Names of views, foreign tables and the like, with what each is.
    var others: [String: String] = [:]
    var enums: [String: [String]] = [:]
    /// Names of triggers that belong to no constraint.
    var triggers: Set<String> = []
    /// Whether we may set session_replication_role.
    var mayReplicate = false

    struct Table: Sendable {
        let name: String
        let owner: String
        /// Whether we may alter it.
        let isOwned: Bool
        /// Whether a policy hides rows from us, or refuses them.
        let hidesRows: Bool
        /// Of SELECT, INSERT and DELETE those that we lack.
        let missingRights: [String]
        var columns: [Column] = []
        var keys: [Key] = []
        var foreignKeys: [ForeignKey] = []
        var triggers: [Trigger] = []

        /// Whether its rows can be counted and taken out again.
        var isOpen: Bool { missingRights.isEmpty && !hidesRows }

        func column(named name: String) -> Column? { columns.first { $0.name == name } }
    }

    struct Column: Sendable {
        let name: String
        /// As a plan has it; a domain's base.
        let type: String
        /// The domain's name.
        let domain: String?
        let isNotNull: Bool
        let hasDefault: Bool
        /// The expression of a column that PostgreSQL computes.
        let generated: String?
        let isIdentity: Bool
        /// What numbers it, as `regclass` reads it.
        let sequence: String?
        /// Whether we may set the sequence.
        let maySetSequence: Bool

        /// Whether a row may come without a value for it.
        var mayBeLeftOut: Bool { !isNotNull || hasDefault || isIdentity || generated != nil }
    }

    struct Key: Sendable {
        let name: String
        let isPrimary: Bool
        let columns: [String]
    }

    struct ForeignKey: Sendable {
        let name: String
        let columns: [String]
        /// The parent's name where it lies in the same schema.
        let parent: String?
        let parentColumns: [String]
        let onDelete: String?
        let onUpdate: String?
    }

    struct Trigger: Sendable {
        let name: String
        /// O fires as ever, D never, R in replicas alone, A always.
        let state: String
        let firesOnInsert: Bool
        let firesOnDelete: Bool
    }

    func table(named name: String) -> Table? { tables.first { $0.name == name } }
}
