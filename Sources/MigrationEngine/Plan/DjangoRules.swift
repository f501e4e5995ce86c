/// What Django's fields are in SQLite, and what the same fields are in PostgreSQL.
///
/// From `data_types` of both backends:
/// https://github.com/django/django/blob/stable/5.2.x/django/db/backends/sqlite3/base.py,
/// https://github.com/django/django/blob/stable/5.2.x/django/db/backends/postgresql/base.py.
/// Booleans, reals, dates, times of day, texts and bytes are as for any application. Numbered keys: `KeyRules`.
extension TypeRule {
    static let django: [TypeRule] = [
        TypeRule(
            .django, .declared(["CHAR(32)"]), [.type(.uuid), .varcharAsDeclared, .type(.text)],
            "Django's UUIDField"),
        TypeRule(
            .django, .declared(["CHAR(39)", "CHAR(15)"]),
            [.type(.other("inet")), .varcharAsDeclared, .type(.text)], "Django's GenericIPAddressField"),
        TypeRule(.django, .checkedAsJSON, [.type(.jsonb), .type(.text)], "Django's JSONField"),
        // https://docs.djangoproject.com/en/5.2/topics/i18n/timezones/
        TypeRule(
            .django, .named(["DATETIME"]),
            [.type(.timestamptz(6)), .type(.timestamp(nil)), .type(.bigint), .type(.double)],
            "Django's DateTimeField; a time without a zone is UTC, as Django writes it under USE_TZ = True"),
        TypeRule(
            .django, .named(["DECIMAL"]), [.type(.numeric(precision: nil, scale: nil))],
            "Django's DecimalField; SQLite does not tell max_digits and decimal_places, "
                + "which numeric(max_digits,decimal_places) in the plan gives back"),
        TypeRule(
            .django, .named(["SMALLINT", "SMALLINT UNSIGNED"]),
            [.type(.smallint), .type(.integer), .type(.bigint)], "Django's SmallIntegerField"),
        TypeRule(
            .django, .named(["INTEGER", "INTEGER UNSIGNED"]), [.type(.integer), .type(.bigint)],
            "Django's IntegerField"),
        TypeRule(.django, .named(["BIGINT UNSIGNED"]), [.type(.bigint)], "Django's PositiveBigIntegerField"),
        TypeRule(
            .django, .named(["BIGINT"]), [.type(.bigint)],
            "Django's BigIntegerField; a DurationField looks the same in SQLite, as microseconds, and is an "
                + "interval in PostgreSQL: say type: interval where the model has one"),
        TypeRule(
            .django, .named(["VARCHAR"]), [.varcharAsDeclared, .type(.varchar(nil))], "Django's CharField"),
    ]
}
