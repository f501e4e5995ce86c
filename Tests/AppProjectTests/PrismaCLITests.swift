import Foundation
import MigrationEngine
import TestSupport
import Testing

@testable import AppProject

/// Prisma's command line, by a program that stands where it is installed.
struct PrismaCLITests {
    private func withProject(_ script: String, _ body: (String) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let project = "\(folder)/apps/chat"
            for path in ["\(project)/prisma/migrations", "\(folder)/node_modules/.bin"] {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            }
            try "datasource db {\n  provider = \"sqlite\"\n  url = env(\"CHAT_URL\")\n}\n".write(
                toFile: "\(project)/prisma/schema.prisma", atomically: true, encoding: .utf8)
            let program = "\(folder)/node_modules/.bin/prisma"
            try "#!/bin/sh\n\(script)\n".write(toFile: program, atomically: true, encoding: .utf8)
            chmod(program, 0o755)
            try body(project)
        }
    }

    private func run(_ run: PrismaCLI.Run, _ project: String, url: String? = nil) throws -> [String] {
        try #require(PrismaCLI(directory: project)).run(
            run, in: project, url: url, environment: ProcessInfo.processInfo.environment,
            cancellation: Cancellation())
    }

    @Test func itIsFoundAtTheTopOfTheWorkspaceAndToldTheURL() throws {
        try withProject("echo \"$PWD $1 $2 $CHAT_URL\"; printf '\\033[32mdone\\033[0m\\n\\n'") { project in
            let said = try run(PrismaCLI.status, project, url: "postgresql://u:p%40ss@localhost/x")
            let folder = URL(fileURLWithPath: project).resolvingSymlinksInPath().path
            #expect(said == ["\(folder) migrate status postgresql://u:••••@localhost/x", "done"])
        }
    }

    @Test func aFailureSaysWhatItSaidWithoutThePassword() throws {
        try withProject("echo 'no such thing: p@ss at u:p%40ss' >&2; exit 3") { project in
            let error = #expect(throws: MigrationError.self) {
                try run(PrismaCLI.generate, project, url: "postgresql://u:p%40ss@localhost/x")
            }
            #expect(error?.message == "npx prisma generate ended with 3")
            #expect(error?.remedy == "no such thing: •••• at u:••••")
        }
    }

    @Test func withoutAProgramOrASchemaThereIsNone() throws {
        try withProject("exit 0") { project in
            let top = URL(fileURLWithPath: "\(project)/../..").standardizedFileURL.path
            #expect(PrismaCLI(directory: project) != nil)
            // At the top there is no schema.
            #expect(PrismaCLI(directory: "\(top)/node_modules") == nil)
            try FileManager.default.removeItem(atPath: "\(top)/node_modules")
            #expect(PrismaCLI(directory: project) == nil)
        }
    }
}
