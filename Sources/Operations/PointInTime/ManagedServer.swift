/// A provider that keeps base backups and WAL itself: there the way back to a moment is its own, and none of the server's
/// settings for it can be changed.
public struct ManagedServer: Sendable, Equatable {
    public let name: String
    /// Where the provider's way is.
    public let place: String
    public let source: String
    /// A role that only its servers have.
    let role: String
    /// What the names of settings begin with that only its servers have.
    var settings: String?

    /// The first that fits is taken: some are made of another's parts.
    static let table: [ManagedServer] = [
        ManagedServer(
            name: "Amazon RDS or Aurora",
            place:
                "RDS console: Actions, Restore to point in time; needs a backup retention period over 0 days",
            source: "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIT.html",
            role: "rds_superuser", settings: "rds."),
        ManagedServer(
            name: "Google AlloyDB", place: "Continuous backup and recovery of the cluster",
            source: "https://cloud.google.com/alloydb/docs/backup/overview", role: "alloydbsuperuser",
            settings: "alloydb."),
        ManagedServer(
            name: "Google Cloud SQL",
            place: "the instance's Backups: Enable point-in-time recovery; then clone it to a moment",
            source: "https://cloud.google.com/sql/docs/postgres/backup-recovery/pitr",
            role: "cloudsqlsuperuser", settings: "cloudsql."),
        ManagedServer(
            name: "Azure Database for PostgreSQL",
            place: "the server's Overview: Restore, to a custom restore point",
            source: "https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-backup-restore",
            role: "azure_pg_admin", settings: "azure."),
        ManagedServer(
            name: "Neon", place: "the project's Restore: any moment of its history window",
            source: "https://neon.tech/docs/introduction/branch-restore", role: "neon_superuser",
            settings: "neon."),
        ManagedServer(
            name: "Supabase", place: "Database, Backups, Point in Time: an add-on that must be on",
            source: "https://supabase.com/docs/guides/platform/backups", role: "supabase_admin"),
        ManagedServer(
            name: "DigitalOcean",
            place: "the cluster's Actions: Restore from backup, at a moment of the last 7 days",
            source:
                "https://docs.digitalocean.com/products/databases/postgresql/how-to/restore-from-backups/",
            role: "doadmin"),
        ManagedServer(
            name: "Aiven", place: "the service's Backups: Fork and restore, at a moment",
            source: "https://aiven.io/docs/products/postgresql/concepts/pg-backups", role: "avnadmin"),
    ]

    /// The provider of a server with such roles and settings; nil for a server of one's own.
    static func of(roles: Set<String>, settings: some Collection<String>) -> ManagedServer? {
        table.first { provider in
            roles.contains(provider.role)
                || provider.settings.map { start in settings.contains { $0.hasPrefix(start) } } ?? false
        }
    }
}
