import Foundation
import MigrationEngine
import Testing

@testable import AppProject

/// What programs find in the copy of a project that a rehearsal changes.
@Suite struct ProjectCopyTests {
    private func copy(_ workspace: Workspace) throws {
        try ProjectCopy(of: workspace["app"], at: workspace["copy"]).refresh(
            except: [], cancellation: Cancellation())
    }

    private func link(_ path: String) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: path)
    }

    @Test func packagesAreLinkedAsOne() throws {
        let workspace = try Workspace(["app/package.json": "{}", "app/node_modules/left-pad/index.js": "x"])
        try copy(workspace)
        #expect(link(workspace["copy/node_modules"]) == workspace["app/node_modules"])
    }

    @Test func aWorkspacesOwnPackagesAreThoseOfTheCopy() throws {
        let workspace = try Workspace([
            "app/packages/db/index.js": "sqlite", "app/packages/api/index.js": "api",
            "app/node_modules/left-pad/index.js": "x", "app/node_modules/.bin/tool": "x",
            "app/node_modules/@scope/other/index.js": "x", "elsewhere/index.js": "x",
        ])
        for (name, target) in [
            ("db", "../packages/db"), ("@scope/api", "../../packages/api"), ("far", "../../elsewhere"),
        ] {
            try FileManager.default.createSymbolicLink(
                atPath: workspace["app/node_modules/\(name)"], withDestinationPath: target)
        }
        try copy(workspace)
        let modules = workspace["copy/node_modules"]
        #expect(link("\(modules)/db") == workspace["copy/packages/db"])
        #expect(link("\(modules)/@scope/api") == workspace["copy/packages/api"])
        #expect(link("\(modules)/@scope/other") == workspace["app/node_modules/@scope/other"])
        #expect(link("\(modules)/left-pad") == workspace["app/node_modules/left-pad"])
        #expect(link("\(modules)/.bin") == workspace["app/node_modules/.bin"])
        #expect(link("\(modules)/far") == workspace["app/node_modules/far"])
        // What the rehearsal changes is what runs.
        try workspace.write("copy/packages/db/index.js", "postgresql")
        #expect(Files.text("\(modules)/db/index.js") == "postgresql")
        #expect(Files.text(workspace["app/node_modules/db/index.js"]) == "sqlite")
        // A package that was taken out goes, and one link is enough again.
        for name in ["db", "@scope/api"] { unlink(workspace["app/node_modules/\(name)"]) }
        try copy(workspace)
        #expect(link(modules) == workspace["app/node_modules"])
    }

    @Test func aBuildInTheCopyDoesNotReachTheProject() throws {
        let workspace = try Workspace(["app/dist/main.js": "old", "app/src/main.ts": "x"])
        // As an earlier copy left it.
        try FileManager.default.createDirectory(atPath: workspace["copy"], withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: workspace["copy/dist"], withDestinationPath: workspace["app/dist"])
        try copy(workspace)
        #expect(link(workspace["copy/dist"]) == nil)
        try workspace.write("copy/dist/main.js", "new")
        #expect(Files.text(workspace["app/dist/main.js"]) == "old")
    }
}
