import Foundation
import SQLite
import Testing

@testable import DemoProject

struct DemoProjectTests {
    private func make(
        _ directory: String, messages: Int = 1000, seed: UInt64 = 1, isCancelled: () -> Bool = { false }
    ) throws -> DemoProject.Made {
        try DemoProject.make(
            in: directory, options: .init(messages: messages, seed: seed), progress: { _ in },
            isCancelled: isCancelled)
    }

    @Test("A project has what a Prisma application has")
    func files() throws {
        let scratch = try Scratch()
        let made = try make(scratch["new/chat"])
        #expect(made.databasePath == scratch["new/chat/prisma/dev.db"])
        let content = scratch.content(of: "new/chat")
        for name in [
            ".env", "README.md", "package.json", "prisma/dev.db", "prisma/schema.prisma",
            "prisma/migrations/migration_lock.toml", "prisma/migrations/20250101000000_init/migration.sql",
        ] { #expect(content.contains(name)) }
        #expect(content.contains { $0.hasPrefix("src/") && $0.hasSuffix(".ts") })
        #expect(content.filter { $0.hasPrefix("prisma/dev.db") } == ["prisma/dev.db"])
        #expect(DemoProject.isDemo(scratch["new/chat"]))
        #expect(!DemoProject.isDemo(scratch.path))
    }

    @Test("The test commands name files that are there")
    func testCommands() throws {
        let scratch = try Scratch()
        _ = try make(scratch["chat"], messages: 1)
        let manifest = try String(contentsOfFile: scratch["chat/package.json"], encoding: .utf8)
        let folders = Set(manifest.matches(of: /(test\/[a-z\/]*)\*\.test\.js/).map { String($0.1) })
        #expect(folders == ["test/", "test/conversations/", "test/encryption/", "test/history/"])
        let tests = scratch.content(of: "chat").filter { $0.hasSuffix(".test.js") }
        for folder in folders {
            #expect(
                tests.contains { $0.hasPrefix(folder) && !$0.dropFirst(folder.count).contains("/") },
                "\(folder)")
        }
    }

    @Test("The same seed gives the same database, another seed another one")
    func seeds() throws {
        let scratch = try Scratch()
        func bytes(_ name: String, _ seed: UInt64) throws -> Data {
            try Data(contentsOf: URL(fileURLWithPath: make(scratch[name], seed: seed).databasePath))
        }
        let first = try bytes("a", 7)
        #expect(try bytes("b", 7) == first)
        #expect(try bytes("c", 8) != first)
    }

    @Test("An empty folder is taken")
    func emptyFolder() throws {
        let scratch = try Scratch()
        _ = try make(scratch.path, messages: 1)
        #expect(scratch.content().contains("prisma/dev.db"))
    }

    @Test("Nothing of the user's is overwritten")
    func occupied() throws {
        let scratch = try Scratch()
        try Data("mine".utf8).write(to: URL(fileURLWithPath: scratch["package.json"]))
        let error = #expect(throws: DemoError.self) { try make(scratch.path) }
        #expect(error?.description.contains(scratch.path) == true)
        #expect(throws: DemoError.self) { try make(scratch["package.json"]) }
        #expect(scratch.content() == ["package.json"])
        #expect(try String(contentsOfFile: scratch["package.json"], encoding: .utf8) == "mine")
    }

    @Test("A folder that cannot be made is told")
    func impossible() throws {
        let scratch = try Scratch()
        try Data().write(to: URL(fileURLWithPath: scratch["file"]))
        let error = #expect(throws: DemoError.self) { try make(scratch["file/below"]) }
        #expect(error?.description.contains(scratch["file/below"]) == true)
        #expect(error?.isCancelled == false)
    }

    @Test("A cancelled project leaves nothing behind but what others put there")
    func cancelled() throws {
        let scratch = try Scratch()
        let cancelledAtOnce = #expect(throws: DemoError.self) {
            try make(scratch["chat"], messages: 20_000, isCancelled: { true })
        }
        #expect(cancelledAtOnce?.isCancelled == true)
        #expect(scratch.content() == [])
        #expect(throws: DemoError.self) {
            try make(scratch["chat"], messages: 20_000) {
                FileManager.default.createFile(atPath: scratch["chat/note.txt"], contents: nil)
            }
        }
        #expect(scratch.content() == ["chat", "chat/note.txt"])
    }

    @Test("Progress goes up to the number of messages")
    func progress() throws {
        let scratch = try Scratch()
        var seen: [Int] = []
        _ = try DemoProject.make(
            in: scratch["chat"], options: .init(messages: 40_000), progress: { seen.append($0) })
        #expect(seen.count >= 2)
        #expect(seen == seen.sorted())
        #expect(seen.allSatisfy { (1...40_000).contains($0) })
    }
}
