import Foundation
import MigrationEngine
import Testing

@testable import AppProject

struct ChangeWriterTests {
    private func makeWriter(_ project: Workspace) throws -> ChangeWriter {
        let state = try StateFolder.open(
            source: "", project: nil, override: project[".howdah"], environment: [:])
        return try ChangeWriter(root: project.path, state: state)
    }

    private func change(_ path: String, _ before: String?, _ after: String?) -> FileChange {
        FileChange(path, before: before.map { Array($0.utf8) }, after: after.map { Array($0.utf8) })
    }

    private func text(_ project: Workspace, _ path: String) -> String? {
        FileManager.default.contents(atPath: project[path]).map { String(decoding: $0, as: UTF8.self) }
    }

    private var changes: [FileChange] {
        [change("a", "1", "2"), change("new/b", nil, "3"), change("old/c", "4", nil), change("d", "5", "6")]
    }

    private func makeProject() throws -> Workspace { try Workspace(["a": "1", "old/c": "4", "d": "5"]) }

    private func expectOriginal(_ project: Workspace) {
        #expect(["a", "old/c", "d"].map { text(project, $0) } == ["1", "4", "5"])
        let names = (try? FileManager.default.contentsOfDirectory(atPath: project.path)) ?? []
        #expect(names.sorted() == [".howdah", "a", "d", "old"])
    }

    @Test func whatIsWrittenComesBack() throws {
        let project = try makeProject()
        chmod(project["a"], 0o640)
        chmod(project["old/c"], 0o750)
        let writer = try makeWriter(project)
        var records: [ChangeRecord] = []
        try writer.write(changes) { records = $0 }
        #expect(["a", "new/b", "old/c", "d"].map { text(project, $0) } == ["2", "3", nil, "6"])
        _ = try writer.undo(records)
        expectOriginal(project)
        for (path, mode) in [("a", 0o640), ("old/c", 0o750)] {
            let attributes = try FileManager.default.attributesOfItem(atPath: project[path])
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == mode)
        }
    }

    /// A kill after any number of writes, then an undo; also one that is itself killed and done again.
    @Test(arguments: 0...4)
    func whatWasStoppedComesBack(written: Int) throws {
        let project = try makeProject()
        let writer = try makeWriter(project)
        var records: [ChangeRecord] = []
        struct Kill: Error {}
        #expect(throws: Kill.self) {
            try writer.write(changes) {
                records = $0
                throw Kill()
            }
        }
        for change in changes.prefix(written) {
            if let after = change.after {
                try project.write(change.path, String(decoding: after, as: UTF8.self))
            } else {
                try FileManager.default.removeItem(atPath: project[change.path])
            }
        }
        try project.write("a.howdah-tmp", "part")
        _ = try writer.undo(records)
        expectOriginal(project)
        #expect(try writer.undo(records) == ["every file is as it was"])
    }

    @Test func twoRunsAreUndoneToWhatWasThereBeforeTheFirst() throws {
        let project = try Workspace(["a": "1"])
        let writer = try makeWriter(project)
        var records: [ChangeRecord] = []
        try writer.write([change("a", "1", "2")]) { records += $0 }
        try writer.write([change("a", "2", "3")]) { records += $0 }
        _ = try writer.undo(records)
        #expect(text(project, "a") == "1")
    }

    @Test func whatTheUserHasWrittenSinceIsNotOverwrittenUnasked() throws {
        let project = try makeProject()
        let writer = try makeWriter(project)
        var records: [ChangeRecord] = []
        try writer.write(changes) { records = $0 }
        try project.write("a", "mine")
        #expect(try writer.reversals(records).filter(\.isConflict).map(\.path) == ["a"])
        #expect(throws: MigrationError.self) { try writer.undo(records) }
        #expect(["a", "d"].map { text(project, $0) } == ["mine", "6"])
        _ = try writer.undo(records, overwriting: Set(writer.reversals(records).map(\.identity)))
        #expect(text(project, "a") == "1")
        #expect(text(project, ".howdah/originals/\(sha256(of: Array("mine".utf8)))") == "mine")
    }

    @Test func aFileThatChangedSinceThePreviewStopsAllOfIt() throws {
        let project = try makeProject()
        try project.write("d", "other")
        #expect(throws: MigrationError.self) {
            try makeWriter(project).write(changes) { _ in Issue.record("nothing is to be noted") }
        }
        #expect(text(project, "a") == "1")
    }

    @Test func aLinkStaysALink() throws {
        let project = try Workspace(["real": "1"])
        try FileManager.default.createSymbolicLink(atPath: project["a"], withDestinationPath: "real")
        let writer = try makeWriter(project)
        var records: [ChangeRecord] = []
        try writer.write([change("a", "1", "2")]) { records = $0 }
        #expect(text(project, "real") == "2")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: project["a"]) == "real")
        _ = try writer.undo(records)
        #expect(text(project, "real") == "1")
    }

    @Test func originalsAreForTheirOwnerAlone() throws {
        let project = try makeProject()
        try makeWriter(project).write([change("a", "1", "2")]) { _ in }
        let path = project[".howdah/originals/\(sha256(of: Array("1".utf8)))"]
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
    }
}
