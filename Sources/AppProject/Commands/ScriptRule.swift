import Foundation

/// Which scripts of a package.json are tests, and which are services: by their names.
enum ScriptRule {
    private static let tests: Set = ["test", "tests", "e2e", "spec", "integration"]
    private static let testParts: Set = ["test", "tests", "e2e", "spec"]
    /// Said of types, formats and links as well: it means tests where a test runner is started.
    private static let check = "check"
    private static let services: Set = ["dev", "start", "serve", "start:dev", "dev:server", "develop"]
    /// Parts of names of what does not end by itself, or changes files.
    private static let endless: Set = [
        "watch", "ui", "open", "debug", "update", "headed", "inspect", "dev", "fix", "snapshot", "codegen",
    ]

    /// nil for a script that is neither.
    static func kind(_ name: String, _ body: String) -> AppCommand.Kind? {
        // The name becomes a word of a command line: nothing that a package manager could take for an option.
        guard name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_.:@\/+-]{0,79}/) != nil else { return nil }
        if services.contains(name) { return .service }
        let parts = name.lowercased().split { ":-_.".contains($0) }.map(String.init)
        let ends = [parts.first, parts.last].compactMap(\.self)
        guard
            tests.contains(name) || ends.contains(where: testParts.contains)
                || ends.contains(check) && startsRunner(body)
        else { return nil }
        if parts.contains(where: endless.contains) || isPlaceholder(body) || watches(body) { return nil }
        return .test
    }

    /// What npm init writes.
    private static func isPlaceholder(_ body: String) -> Bool { body.contains("no test specified") }

    /// Whether a script starts a test runner, or another script that says test.
    private static func startsRunner(_ body: String) -> Bool {
        let runner =
            /(?:^|[\s\/&;])(?:jest|vitest|mocha|ava|tap|tape|uvu|playwright|cypress|karma|jasmine|pytest|phpunit|rspec)(?:\s|$)/
        let tester =
            /(?:^|[\s\/&;])(?:node|tsx|go|cargo|bun|deno|ng|react-scripts|npm|pnpm|yarn|turbo|nx|rails|manage\.py)\s(?:[^&|;]*\s)?(?:--)?tests?(?:[\s:]|$)/
        return body.firstMatch(of: runner) != nil || body.firstMatch(of: tester) != nil
    }

    private static func watches(_ body: String) -> Bool {
        body.firstMatch(of: /(?:^|\s)--watch(?:All)?(?:\s|$|=true)|(?:^|\s)(?:nodemon|vitest watch)\s/) != nil
    }

    /// `test` first, then by name.
    static func order(_ one: String, _ other: String) -> Bool {
        (one == "test" ? 0 : 1, one) < (other == "test" ? 0 : 1, other)
    }
}

/// The program that runs a project's scripts.
enum PackageManager: String, CaseIterable {
    case npm, pnpm, yarn, bun

    private var lockFiles: [String] {
        switch self {
        case .npm: ["package-lock.json", "npm-shrinkwrap.json"]
        case .pnpm: ["pnpm-lock.yaml", "pnpm-workspace.yaml"]
        case .yarn: ["yarn.lock"]
        case .bun: ["bun.lockb", "bun.lock"]
        }
    }

    func words(script: String) -> [String] { [rawValue, "run", script] }

    /// What package.json says, or a lock file, here or in a folder above that belongs to the same repository.
    static func of(folder: String, manifest: [String: Any]) -> PackageManager {
        var folder = folder
        var manifest: [String: Any]? = manifest
        for _ in 0..<6 {
            if let text = manifest?["packageManager"] as? String,
                let known = PackageManager(rawValue: String(text.prefix { $0 != "@" }))
            {
                return known
            }
            if let found = allCases.first(where: { $0.lockFiles.contains { Files.isFile("\(folder)/\($0)") } }
            ) {
                return found
            }
            guard Files.kind("\(folder)/.git") == .missing, Files.parent(folder) != folder else { break }
            folder = Files.parent(folder)
            manifest = FileManager.default.contents(atPath: "\(folder)/package.json").flatMap {
                try? JSONSerialization.jsonObject(with: $0) as? [String: Any]
            }
        }
        return .npm
    }
}
