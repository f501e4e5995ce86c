import Foundation

/// A test runner, or a server, of another kind than a script of package.json, with the signs by which it is known.
struct RunnerRule: Sendable {
    let name: String
    let kind: AppCommand.Kind
    /// The file, relative to the folder, that says that it is there; nil where it is not.
    let evidence: @Sendable (_ folder: String) -> String?
    /// What is started in the folder.
    let words: @Sendable (_ folder: String) -> [String]

    static let all: [RunnerRule] = [
        RunnerRule(
            name: "pytest", kind: .test, evidence: pytest, words: { [python($0), "-m", "pytest"] }),
        RunnerRule(
            name: "django", kind: .test,
            evidence: { has("manage.py", $0) && pytest($0) == nil ? "manage.py" : nil },
            words: { [python($0), "manage.py", "test"] }),
        RunnerRule(
            name: "runserver", kind: .service, evidence: { has("manage.py", $0) ? "manage.py" : nil },
            words: { [python($0), "manage.py", "runserver"] }),
        RunnerRule(
            name: "rspec", kind: .test,
            evidence: { folder in
                has(".rspec", folder) ? ".rspec" : first(in: "spec", of: folder) { $0.hasSuffix("_spec.rb") }
            },
            words: { has("Gemfile", $0) ? ["bundle", "exec", "rspec"] : ["rspec"] }),
        RunnerRule(
            name: "rails", kind: .test,
            evidence: { has("bin/rails", $0) && Files.isFolder("\($0)/test") ? "bin/rails" : nil },
            words: { _ in ["bin/rails", "test"] }),
        RunnerRule(
            name: "server", kind: .service, evidence: { has("bin/rails", $0) ? "bin/rails" : nil },
            words: { _ in ["bin/rails", "server"] }),
        // With -v each test is told, and can be counted.
        RunnerRule(
            name: "go", kind: .test, evidence: { has("go.mod", $0) ? "go.mod" : nil },
            words: { _ in ["go", "test", "-v", "./..."] }),
        RunnerRule(
            name: "cargo", kind: .test, evidence: { has("Cargo.toml", $0) ? "Cargo.toml" : nil },
            words: { _ in ["cargo", "test"] }),
        RunnerRule(
            name: "composer", kind: .test, evidence: composer, words: { _ in ["composer", "test"] }),
    ]

    @Sendable private static func has(_ name: String, _ folder: String) -> Bool {
        Files.isFile("\(folder)/\(name)")
    }

    /// pytest's own settings, or tests that it would find.
    @Sendable private static func pytest(_ folder: String) -> String? {
        let settings = [
            ("pytest.ini", ""), ("pyproject.toml", "[tool.pytest"), ("setup.cfg", "[tool:pytest]"),
            ("tox.ini", "[pytest]"), ("conftest.py", ""),
        ]
        for (name, sign) in settings {
            if let text = Files.text("\(folder)/\(name)"), sign.isEmpty || text.contains(sign) { return name }
        }
        let isPython = ["pyproject.toml", "requirements.txt", "setup.py"].contains { has($0, folder) }
        // Django's own runner finds these too, and makes its database.
        guard isPython, !has("manage.py", folder) else { return nil }
        return first(in: "tests", of: folder) { $0.hasPrefix("test_") && $0.hasSuffix(".py") }
    }

    @Sendable private static func composer(_ folder: String) -> String? {
        guard let data = FileManager.default.contents(atPath: "\(folder)/composer.json"),
            let manifest = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
            (manifest["scripts"] as? [String: Any])?["test"] != nil
        else { return nil }
        return "composer.json"
    }

    @Sendable private static func first(in inner: String, of folder: String, _ isSign: (String) -> Bool)
        -> String?
    {
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: "\(folder)/\(inner)")) ?? []
        return names.sorted().prefix(2000).first { isSign(Files.name($0)) }.map { "\(inner)/\($0)" }
    }

    /// The environment's own Python, where the project has one.
    @Sendable private static func python(_ folder: String) -> String {
        [".venv/bin/python", "venv/bin/python"].first { Files.isFile("\(folder)/\($0)") } ?? "python3"
    }
}

/// Programs that commands begin with.
public enum Programs {
    /// What brings a program that is missing, by its name.
    private static let remedies: [String: String] = [
        "npm": "Install Node.js, which brings npm: https://nodejs.org, or apt-get install nodejs npm.",
        "npx": "Install Node.js, which brings npx: https://nodejs.org, or apt-get install nodejs npm.",
        "node": "Install Node.js: https://nodejs.org, or apt-get install nodejs.",
        "pnpm": "Install pnpm: npm install -g pnpm, or corepack enable.",
        "yarn": "Install yarn: npm install -g yarn, or corepack enable.",
        "bun": "Install Bun: https://bun.sh.",
        "python3": "Install Python 3, with the project's requirements.",
        "bundle": "Install Ruby and Bundler: gem install bundler, then bundle install.",
        "rspec": "Install Ruby and RSpec: gem install rspec.",
        "go": "Install Go: https://go.dev/dl.",
        "cargo": "Install Rust: https://rustup.rs.",
        "composer": "Install PHP and Composer: https://getcomposer.org.",
    ]

    /// What to do about the program of a command that is not there; nil where it is.
    ///
    /// `folder` is where the command runs. A script of npm's runs by node, which must be there too.
    public static func missing(
        _ command: AppCommand, folder: String, environment: [String: String]
    ) -> (program: String, remedy: String)? {
        guard let program = command.words.first else { return nil }
        let needed = ["npm", "npx", "pnpm", "yarn"].contains(program) ? ["node", program] : [program]
        guard let absent = needed.first(where: { !isThere($0, folder, environment) }) else { return nil }
        return (absent, remedies[absent] ?? "Install \(absent), or put it into PATH.")
    }

    private static func isThere(_ program: String, _ folder: String, _ environment: [String: String]) -> Bool
    {
        if program.contains("/") {
            return FileManager.default.isExecutableFile(atPath: Files.join(folder, program))
        }
        return (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":").contains {
            Files.isFile("\($0)/\(program)")
                && FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
        }
    }
}
