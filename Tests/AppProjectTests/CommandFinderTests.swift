import Foundation
import MigrationEngine
import Testing

@testable import AppProject

/// Which commands are found in a project, and what they are called.
@Suite struct CommandFinderTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let files: [String: String]
        /// `name kind: run @ folder`, in the order in which they are found.
        let expected: [String]

        init(_ name: String, _ files: [String: String], _ expected: [String]) {
            testDescription = name
            self.files = files
            self.expected = expected
        }
    }

    private static func manifest(_ scripts: [String: String], _ more: String = "") -> String {
        let list = scripts.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \"\($0.value)\"" }
        return "{\(more.isEmpty ? "" : more + ", ")\"scripts\": {\(list.joined(separator: ", "))}}"
    }

    private func words(_ commands: [AppCommand]) -> [String] {
        commands.map { "\($0.name) \($0.kind.rawValue): \($0.run) @ \($0.folder)" }
    }

    static let cases = [
        Case(
            "scripts that say test",
            [
                "app/package.json": manifest([
                    "test": "node --test", "test:encryption": "jest e", "e2e": "playwright test",
                    "check": "vitest run",
                    "unit:test": "vitest run", "lint": "eslint", "build": "tsc", "pretest": "tsc",
                    "latest": "echo", "contest": "echo",
                ])
            ],
            [
                "test test: npm run test @ ", "check test: npm run check @ ", "e2e test: npm run e2e @ ",
                "test:encryption test: npm run test:encryption @ ", "unit:test test: npm run unit:test @ ",
            ]),
        Case(
            "check is a test where a runner is started, and no look at types or formats",
            [
                "app/package.json": manifest([
                    "check": "tsc", "format:check": "prettier --check .", "type-check": "tsc --noEmit",
                    "lint:check": "eslint src/tests", "check:links": "node check.js --latest",
                    "check:unit": "cross-env A=1 jest", "check:all": "npm run lint && npm run test:unit",
                    "api:check": "node --test", "check:go": "go test ./...", "check-svelte": "svelte-check",
                    "check:contest": "npm run contest",
                ])
            ],
            [
                "api:check test: npm run api:check @ ", "check:all test: npm run check:all @ ",
                "check:go test: npm run check:go @ ", "check:unit test: npm run check:unit @ ",
            ]),
        Case(
            "what watches, shows a window or changes files is no test",
            [
                "app/package.json": manifest([
                    "test": "jest --watchAll", "test:watch": "jest", "test:ui": "vitest --ui",
                    "test:unit": "jest --watch",
                    "test:update": "jest -u", "test:once": "jest --watchAll=false",
                ])
            ], ["test:once test: npm run test:once @ "]),
        Case(
            "what npm init writes is no test",
            ["app/package.json": manifest(["test": "echo \\\"Error: no test specified\\\" && exit 1"])], []),
        Case(
            "services, and Expo's",
            [
                "app/package.json": manifest(
                    [
                        "dev": "tsx watch a", "start": "node a", "serve": "vite", "start:dev": "nest",
                        "started": "no",
                    ],
                    "\"dependencies\": {\"expo\": \"^52\"}")
            ],
            [
                "dev service: npm run dev @ ", "serve service: npm run serve @ ",
                "start service: npm run start @ ",
                "start:dev service: npm run start:dev @ ", "expo service: npx expo start --localhost @ ",
            ]),
        Case(
            "names of scripts that an option could be are left out",
            [
                "app/package.json": manifest([
                    "--test": "x", "test:$(id)": "x", "test; rm": "x", "test:a b": "x",
                ])
            ], []),
        Case(
            "pnpm by its lock file, of the folder above too",
            [
                "app/pnpm-lock.yaml": "", "app/package.json": manifest(["test": "x"]),
                "app/api/package.json": manifest(["test": "x"]),
            ], ["test test: pnpm run test @ ", "api:test test: pnpm run test @ api"]),
        Case(
            "yarn by packageManager, whatever lock file lies there",
            [
                "app/package-lock.json": "",
                "app/package.json": manifest(["test": "x"], "\"packageManager\": \"yarn@4.1.0+sha256.abc\""),
            ], ["test test: yarn run test @ "]),
        Case(
            "bun", ["app/bun.lock": "", "app/package.json": manifest(["test": "x"])],
            ["test test: bun run test @ "]),
        Case(
            "child folders, never node_modules nor what is made",
            [
                "app/chat-backend/package.json": manifest(["test:encryption": "x"]),
                "app/chat-frontend/package.json": manifest(["start": "x"]),
                "app/node_modules/package.json": manifest(["test": "x"]),
                "app/node_modules/left-pad/package.json": manifest(["test": "x"]),
                "app/dist/package.json": manifest(["test": "x"]),
                "app/chat-backend/deep/package.json": manifest(["test": "x"]),
            ],
            [
                "chat-backend:test:encryption test: npm run test:encryption @ chat-backend",
                "chat-frontend:start service: npm run start @ chat-frontend",
            ]),
        Case(
            "workspaces of npm, with what is taken out of them",
            [
                "app/package.json":
                    "{\"workspaces\": {\"packages\": [\"packages/*\", \"tools/**\", \"!packages/old\"]}}",
                "app/packages/api/package.json": manifest(["test": "x"]),
                "app/packages/old/package.json": manifest(["test": "x"]),
                "app/packages/api/node_modules/z/package.json": manifest(["test": "x"]),
                "app/tools/a/b/package.json": manifest(["test": "x"]),
            ],
            [
                "packages/api:test test: npm run test @ packages/api",
                "tools/a/b:test test: npm run test @ tools/a/b",
            ]),
        Case(
            "workspaces of pnpm",
            [
                "app/pnpm-workspace.yaml": "packages:\n  - 'apps/*'\n", "app/package.json": "{}",
                "app/apps/web/package.json": manifest(["test": "x"]),
            ], ["apps/web:test test: pnpm run test @ apps/web"]),
        Case(
            "a folder beside, where both are parts of one application",
            [
                "chat-backend/package.json": manifest(["test": "x"]),
                "chat-frontend/package.json": manifest(["test": "x"]),
                "other-frontend/package.json": manifest(["test": "x"]),
                "notes/package.json": manifest(["test": "x"]),
            ],
            ["test test: npm run test @ ", "chat-frontend:test test: npm run test @ ../chat-frontend"]),
        Case(
            "every folder beside in one repository",
            [
                ".git/HEAD": "", "chat-backend/package.json": manifest(["test": "x"]),
                "mobile/package.json": manifest(["test": "x"]),
            ],
            ["test test: npm run test @ ", "mobile:test test: npm run test @ ../mobile"]),
        Case(
            "a script that is called as another folder's is",
            [
                "app/package.json": manifest(["api:test": "x"]),
                "app/api/package.json": manifest(["test": "x"]),
            ],
            ["api:test test: npm run api:test @ ", "./api:test test: npm run test @ api"]),
        Case(
            "pytest by its settings",
            ["app/pyproject.toml": "[tool.pytest.ini_options]\n", "app/.venv/bin/python": ""],
            ["pytest test: .venv/bin/python -m pytest @ "]),
        Case(
            "pytest by its tests", ["app/requirements.txt": "flask\n", "app/tests/unit/test_a.py": ""],
            ["pytest test: python3 -m pytest @ "]),
        Case(
            "scripts and another runner in one folder",
            ["app/package.json": manifest(["test": "x"]), "app/pytest.ini": ""],
            ["test test: npm run test @ ", "pytest test: python3 -m pytest @ "]),
        Case("no pytest without tests", ["app/requirements.txt": "flask\n", "app/tests/readme.md": ""], []),
        Case(
            "Django's own runner and server",
            ["app/manage.py": "", "app/requirements.txt": "", "app/tests/test_a.py": ""],
            ["django test: python3 manage.py test @ ", "runserver service: python3 manage.py runserver @ "]),
        Case(
            "RSpec", ["app/Gemfile": "", "app/spec/models/user_spec.rb": ""],
            ["rspec test: bundle exec rspec @ "]),
        Case(
            "Rails", ["app/bin/rails": "", "app/test/models/a_test.rb": ""],
            ["rails test: bin/rails test @ ", "server service: bin/rails server @ "]),
        Case(
            "Go, Cargo and Composer, each in its folder",
            [
                "app/go.mod": "module x", "app/core/Cargo.toml": "",
                "app/web/composer.json": manifest(["test": "phpunit"]),
                "app/old/composer.json": "{}",
            ],
            [
                "go test: go test -v ./... @ ", "core:cargo test: cargo test @ core",
                "web:composer test: composer test @ web",
            ]),
        Case(
            "nothing where nothing is, and no trap at what is broken",
            ["app/package.json": "{\"scripts\": [1]", "app/composer.json": "x"], []),
    ]

    @Test(arguments: cases) func commandsAreFoundByTheirSigns(_ one: Case) throws {
        let workspace = try Workspace(one.files)
        let root = one.files.keys.contains { $0.hasPrefix("chat-backend/") } ? "chat-backend" : "app"
        let found = CommandFinder(root: workspace[root]).commands()
        #expect(words(found) == one.expected)
    }

    @Test func ownCommandsKeepTheirNamesAndFoundOnesMakeWay() throws {
        let workspace = try Workspace(["package.json": Self.manifest(["test": "x"])])
        let found = CommandFinder(root: workspace.path).commands(own: [
            OwnCommand(name: "test", run: "make check"),
            OwnCommand(name: "mock", run: "./mock", kind: .service),
        ])
        #expect(
            words(found) == [
                "./test test: npm run test @ ", "test test: make check @ ", "mock service: ./mock @ ",
            ])
        #expect(found[1].words == ["/bin/sh", "-c", "make check"])
    }

    @Test func aProgramThatIsMissingIsToldWithWhatBringsIt() throws {
        let workspace = try Workspace(["bin/npm": "", "bin/node": ""])
        let command = AppCommand(
            name: "test", kind: .test, run: "npm run test", words: ["npm", "run", "test"], folder: "",
            foundIn: "")
        let environment = ["PATH": workspace["bin"]]
        #expect(Programs.missing(command, folder: "/", environment: environment)?.program == "node")
        for name in ["bin/npm", "bin/node"] { chmod(workspace[name], 0o755) }
        #expect(Programs.missing(command, folder: "/", environment: environment) == nil)
        let none = Programs.missing(command, folder: "/", environment: ["PATH": "/nowhere"])
        #expect(none?.remedy.contains("nodejs") ?? false)
    }

    @Test(arguments: [
        "commands: [{name: a}]", "commands: [{name: a, run: ''}]", "commands: [{name: 'a b', run: x}]",
        "commands: [{name: a, run: x, place: y}]", "commands: [{name: a, run: x, folder: /etc}]",
        "commands: [{name: a, run: x, kind: daemon}]", "commands: [{name: a, run: x}, {name: a, run: y}]",
        "command: []", "commands: [{name: a, run: \"x\\ny\"}]", "[",
    ]) func aMistakeInTheFileIsAnErrorAndNotPassedOver(_ text: String) throws {
        let workspace = try Workspace(["commands.yaml": text])
        let state = try StateFolder.open(source: "", project: nil, override: workspace.path, environment: [:])
        let error = #expect(throws: MigrationError.self) { try CommandsFile.read(state) }
        #expect(error?.exit == .usage)
        #expect(error?.message.contains("commands.yaml") ?? false)
    }

    @Test func theFileComesBackAsItWasWritten() throws {
        let workspace = try Workspace()
        let state = try StateFolder.open(source: "", project: nil, override: workspace.path, environment: [:])
        #expect(try CommandsFile.read(state) == CommandsFile())
        let file = CommandsFile(
            commands: [
                OwnCommand(name: "a", run: "echo \"x: #y\" 'z'", folder: "api", kind: .service),
                OwnCommand(name: "b", run: "- true"),
            ], leftOut: ["test:lint"])
        try file.write(state)
        #expect(try CommandsFile.read(state) == file)
        try CommandsFile().write(state)
        #expect(!Files.isFile(workspace["commands.yaml"]))
    }
}
