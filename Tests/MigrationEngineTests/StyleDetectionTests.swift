import Testing

@testable import MigrationEngine

@Suite struct StyleDetectionTests {
    private static let djangoMigrations =
        "CREATE TABLE django_migrations (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, app varchar(255), name varchar(255), applied datetime)"
    private static let railsMigrations =
        "CREATE TABLE schema_migrations (version varchar NOT NULL PRIMARY KEY)"
    private static let railsMetadata =
        "CREATE TABLE ar_internal_metadata (\"key\" varchar NOT NULL PRIMARY KEY, value varchar, created_at datetime(6), updated_at datetime(6))"

    @Test(arguments: [
        (djangoMigrations, Style.django, "django_migrations"),
        ("CREATE TABLE django_content_type (id, app_label, model)", .django, "django_content_type"),
        ("\(djangoMigrations); CREATE TABLE _prisma_migrations (id)", .prisma, "_prisma_migrations"),
        ("\(railsMigrations); \(railsMetadata)", .rails, "ar_internal_metadata"),
        (
            "CREATE TABLE schema_migrations (version varchar(255) NOT NULL); CREATE UNIQUE INDEX unique_schema_migrations ON schema_migrations (version)",
            .rails, "named as Rails names them"
        ),
        (
            "\(railsMigrations); CREATE TABLE posts (user_id integer); CREATE INDEX index_posts_on_user_id ON posts (user_id)",
            .rails, "named as Rails names them"
        ),
        // Those of dbmate, Ecto and golang-migrate.
        (railsMigrations, .plain, "nothing"),
        (
            "CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, inserted_at TEXT); \(railsMetadata)",
            .plain, "nothing"
        ),
        ("CREATE TABLE schema_migrations (version uint64, dirty bool)", .plain, "nothing"),
        ("CREATE TABLE django_migrations (x)", .plain, "nothing"),
    ])
    func aStyleIsFoundByItsOwnTables(script: String, style: Style, evidence: String) throws {
        let detected = Style.detect(try readCatalog(script), hints: nil)
        #expect(detected.style == style)
        #expect(detected.evidence.contains(evidence))
    }

    @Test func aSchemaFileComesBeforeEverySign() throws {
        let catalog = try readCatalog(Self.djangoMigrations)
        #expect(Style.detect(catalog, hints: SchemaHints(style: .prisma, source: "s")).style == .prisma)
    }
}
