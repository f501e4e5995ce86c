import Foundation
import MigrationEngine
import Testing

@testable import AppProject

@Suite struct CommandLogTests {
    private func state(_ workspace: Workspace) throws -> StateFolder {
        try StateFolder.open(source: "", project: nil, override: workspace["state"], environment: [:])
    }

    private func mode(_ path: String) -> mode_t {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
    }

    @Test func aLogIsTheOwnersAlone() throws {
        let workspace = try Workspace()
        let log = try CommandLog(state(workspace), name: "api:test/../../x")
        log.add("one")
        log.finish(last: ["one"])
        #expect(log.path.hasPrefix(workspace["state/log/tests/"]))
        #expect(Files.text(log.path) == "one\n")
        #expect(mode(log.path) == 0o600)
        #expect(mode(Files.parent(log.path)) == 0o700)
    }

    @Test func aFloodIsCutAndItsEndIsKept() throws {
        let workspace = try Workspace()
        let log = try CommandLog(state(workspace), name: "test", limit: 1000)
        for number in 0..<5000 { log.add("line \(number)") }
        log.finish(last: (4990..<5000).map { "line \($0)" })
        let lines = try #require(Files.text(log.path)).split(separator: "\n")
        #expect(lines.first == "line 0")
        #expect(lines.last == "line 4999")
        #expect(lines.contains { $0.hasPrefix("… ") && $0.hasSuffix(" lines left out …") })
        #expect(lines.joined().utf8.count < 3000)
        // No line that is there comes again, and none is lost without a word.
        let told = try #require(lines.first { $0.hasPrefix("…") }?.firstMatch(of: /([\d,]+) lines/)?.1)
        let left = Int(told.filter { $0 != "," }) ?? 0
        #expect(lines.count - 1 + left == 5000)
    }

    @Test func onlyTheNewestLogsOfACommandAreKept() throws {
        let workspace = try Workspace()
        let state = try state(workspace)
        for _ in 0..<30 { try CommandLog(state, name: "a:b").finish(last: []) }
        try CommandLog(state, name: "a_b").finish(last: [])
        #expect(Files.names(in: workspace["state/log/tests"]).count == 21)
    }
}
