/// What Rails' column types are in SQLite, and what the same types are in PostgreSQL.
///
/// From NATIVE_DATABASE_TYPES of both adapters, sqlite3_adapter.rb and postgresql_adapter.rb in
/// https://github.com/rails/rails/tree/8-0-stable/activerecord/lib/active_record/connection_adapters;
/// limits of integers from `type_to_sql` in postgresql/schema_statements.rb there. Booleans, decimals, floats, dates, JSON,
/// texts and bytes are as for any application. Primary keys and references: `KeyRules`.
extension TypeRule {
    static let rails: [TypeRule] = [
        TypeRule(
            .rails, .named(["DATETIME", "TIMESTAMP"]),
            [
                .timestampAsDeclared, .type(.timestamp(nil)), .type(.timestamptz(6)), .type(.bigint),
                .type(.double),
            ],
            "Rails' datetime, which is UTC"),
        TypeRule(
            .rails, .named(["TIME"]), [.type(.time(6)), .type(.timestamp(nil)), .type(.text)],
            "Rails' time, which SQLite keeps behind 2000-01-01"),
        TypeRule(
            .rails, .named(["INTEGER", "INT"]),
            [.integerAsDeclared, .type(.smallint), .type(.integer), .type(.bigint)], "Rails' integer"),
        TypeRule(.rails, .named(["BIGINT"]), [.type(.bigint)], "Rails' bigint"),
        TypeRule(
            .rails, .named(["VARCHAR"]), [.varcharAsDeclared, .type(.varchar(nil))], "Rails' string"),
        // A text's limit chooses its kind on MySQL and means nothing to PostgreSQL.
        TypeRule(.rails, .named(["TEXT"]), [.type(.text)], "Rails' text"),
        TypeRule(.rails, .named(["UUID"]), [.type(.uuid), .type(.text)], "Rails' uuid"),
        TypeRule(.rails, .named(["JSONB"]), [.type(.jsonb), .type(.json), .type(.text)], "Rails' jsonb"),
    ]
}
