import Foundation

/// What an application is made with, beside Prisma: how it is recognised, and what there must change for PostgreSQL.
public struct Framework: Sendable {
    public let name: String
    /// Files that tell, relative to the project, with a word that must be in them; `*` stands for one folder's name.
    let signs: [(path: String, holds: String)]
    /// What to change, by step: `1.5`, `2.2` and so on.
    public let advice: [String: [String]]

    /// A framework with the place that told.
    public struct Found: Sendable {
        public let framework: Framework
        /// In words: `Django: app/settings.py:12 says django.db.backends.sqlite3`.
        public let evidence: String
    }

    /// The frameworks of a project, with why each was taken for one. Reads a few small files.
    public static func found(in root: String) -> [Found] {
        all.compactMap { framework in
            for sign in framework.signs {
                for path in expand(sign.path, in: root) {
                    guard let text = Files.text(Files.join(root, path)) else { continue }
                    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
                    guard let index = lines.firstIndex(where: { $0.contains(sign.holds) }) else { continue }
                    return Found(
                        framework: framework,
                        evidence: "\(framework.name): \(path):\(index + 1) says \(sign.holds)")
                }
            }
            return nil
        }
    }

    private static func expand(_ pattern: String, in root: String) -> [String] {
        guard let star = pattern.range(of: "*/") else { return [pattern] }
        let rest = pattern[star.upperBound...]
        return Files.subfolders(of: root).map { "\(Files.name($0))/\(rest)" }
    }
}

extension Framework {
    static let all = [
        Framework(
            name: "Django",
            signs: [
                ("settings.py", "django.db.backends.sqlite3"),
                ("*/settings.py", "django.db.backends.sqlite3"),
                ("*/settings/base.py", "django.db.backends.sqlite3"),
                ("config/settings/base.py", "django.db.backends.sqlite3"),
                ("manage.py", "DJANGO_SETTINGS_MODULE"),
            ],
            advice: [
                "1.5": [
                    "pip install \"psycopg[binary]\", and the same in requirements.txt or pyproject.toml."
                ],
                "2.2": [
                    "In settings.py, DATABASES: ENGINE django.db.backends.postgresql, with NAME, USER, PASSWORD, HOST, PORT;",
                    "sorts and compares as SQLite did with OPTIONS: {\"options\": \"-c timezone=UTC\"} and a database of collation C.",
                ],
                "2.3": [
                    "Django's migrations stay: python manage.py migrate on the empty target, then plan with --adopt --to URL."
                ],
                "2.4": ["Nothing is built: python manage.py check --database default looks at the settings."],
            ]),
        Framework(
            name: "Rails", signs: [("config/database.yml", "sqlite3"), ("Gemfile", "sqlite3")],
            advice: [
                "1.5": ["In the Gemfile gem \"pg\" for gem \"sqlite3\", then bundle install."],
                "2.2": [
                    "In config/database.yml: adapter: postgresql, url: <%= ENV[\"DATABASE_URL\"] %>; encoding: unicode."
                ],
                "2.3": [
                    "Rails' migrations stay: bin/rails db:schema:load on the empty target, then plan with --adopt --to URL."
                ],
                "2.4": ["Nothing is built: bin/rails db:version asks the new database."],
            ]),
        Framework(
            name: "Drizzle",
            signs: [
                ("drizzle.config.ts", "sqlite"), ("drizzle.config.js", "sqlite"),
                ("package.json", "\"drizzle-orm\""),
            ],
            advice: [
                "2.2": [
                    "In drizzle.config: dialect: 'postgresql'; in the schema pgTable of drizzle-orm/pg-core for sqliteTable,",
                    "and drizzle() of drizzle-orm/node-postgres where the database is opened.",
                ],
                "2.3": [
                    "Move the drizzle folder aside, and npx drizzle-kit generate makes the first migration anew."
                ],
            ]),
        Framework(
            name: "Knex",
            signs: [("knexfile.js", "sqlite"), ("knexfile.ts", "sqlite"), ("package.json", "\"knex\"")],
            advice: [
                "2.2": [
                    "In knexfile: client: 'pg', connection: process.env.DATABASE_URL; useNullAsDefault goes."
                ],
                "2.3": [
                    "Knex's migrations stay: npx knex migrate:latest on the empty target, then plan with --adopt --to URL."
                ],
            ]),
        Framework(
            name: "TypeORM", signs: [("package.json", "\"typeorm\"")],
            advice: [
                "2.2": [
                    "In the DataSource: type: 'postgres', url: process.env.DATABASE_URL; column types datetime become timestamp."
                ],
                "2.3": [
                    "Migrations for SQLite go aside; npx typeorm migration:generate makes the first one anew."
                ],
            ]),
        Framework(
            name: "Sequelize", signs: [("package.json", "\"sequelize\"")],
            advice: [
                "2.2": ["new Sequelize(process.env.DATABASE_URL, { dialect: 'postgres' }); storage goes."]
            ]),
        Framework(
            name: "Gitea",
            signs: [("app.ini", "DB_TYPE"), ("conf/app.ini", "DB_TYPE"), ("custom/conf/app.ini", "DB_TYPE")],
            advice: [
                "1.5": ["Gitea brings its driver: nothing to do; settle it with -."],
                "2.2": [
                    "In app.ini, [database]: DB_TYPE = postgres, HOST, NAME, USER, PASSWD, SCHEMA; PATH goes."
                ],
                "2.3": [
                    "Start Gitea once on the empty database, so that it makes its tables, then plan with --adopt --to URL."
                ],
                "2.4": ["Nothing is built; settle it with -."],
            ]),
        Framework(
            name: "Grafana",
            signs: [
                ("grafana.ini", "[database]"), ("conf/grafana.ini", "[database]"),
                ("custom.ini", "[database]"),
            ],
            advice: [
                "1.5": ["Grafana brings its driver: nothing to do; settle it with -."],
                "2.2": ["In grafana.ini, [database]: type = postgres, host, name, user, password, ssl_mode."],
                "2.3": [
                    "Start Grafana once on the empty database, so that it makes its tables, then plan with --adopt --to URL."
                ],
                "2.4": ["Nothing is built; settle it with -."],
            ]),
        Framework(
            name: "Home Assistant",
            signs: [("configuration.yaml", "default_config"), ("configuration.yaml", "recorder:")],
            advice: [
                "1.5": ["Home Assistant brings its driver: nothing to do; settle it with -."],
                "2.2": [
                    "In configuration.yaml, recorder: db_url: !secret recorder_url, with the URL in secrets.yaml."
                ],
                "2.3": [
                    "Start Home Assistant once on the empty database, so that the recorder makes its tables, then plan with --adopt."
                ],
                "2.4": ["Nothing is built; settle it with -."],
            ]),
    ]
}
