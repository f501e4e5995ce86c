import Testing

@testable import AppProject

struct FrameworkTests {
    @Test(
        arguments: [
            (["manage.py": "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'x')"], ["Django"]),
            (["shop/settings.py": "A = 1\nENGINE = 'django.db.backends.sqlite3'"], ["Django"]),
            (["config/database.yml": "default:\n  adapter: sqlite3"], ["Rails"]),
            (["package.json": "{\"dependencies\": {\"knex\": \"3\"}}"], ["Knex"]),
            (["package.json": "{\"dependencies\": {\"typeorm\": \"0.3\"}}"], ["TypeORM"]),
            (["package.json": "{\"dependencies\": {\"sequelize\": \"6\"}}"], ["Sequelize"]),
            (["drizzle.config.ts": "dialect: 'sqlite'"], ["Drizzle"]),
            (["conf/app.ini": "[database]\nDB_TYPE = sqlite3"], ["Gitea"]),
            (["grafana.ini": "[database]"], ["Grafana"]),
            (["configuration.yaml": "default_config:"], ["Home Assistant"]),
            (
                [
                    "package.json": "{\"dependencies\": {\"knexion\": \"3\"}}",
                    "settings.txt": "django.db.backends.sqlite3",
                ], []
            ), ([:], []),
        ] as [([String: String], [String])])
    func frameworksAreKnownByTheirFiles(files: [String: String], names: [String]) throws {
        let project = try Workspace(files)
        #expect(Framework.found(in: project.path).map(\.framework.name) == names)
    }

    @Test func whyIsToldWithThePlace() throws {
        let project = try Workspace(["shop/settings.py": "A = 1\nENGINE = 'django.db.backends.sqlite3'\n"])
        #expect(
            Framework.found(in: project.path).map(\.evidence) == [
                "Django: shop/settings.py:2 says django.db.backends.sqlite3"
            ])
    }

    @Test(arguments: Framework.all.map(\.name))
    func everyFrameworkSaysWhatToChange(name: String) {
        #expect(Framework.all.first { $0.name == name }?.advice["2.2"]?.isEmpty == false)
    }
}
