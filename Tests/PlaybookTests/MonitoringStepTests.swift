import Foundation
import MigrationEngine
import Operations
import Postgres
import TestSupport
import Testing

@testable import Playbook

/// Step 6.7 on a live target: it installs on the operator's word, and takes back what is still its own.
@Suite struct MonitoringStepTests {
    private func withLiveBook(_ body: (Playbook, _ folder: String, StepContext) throws -> Void) throws {
        try withTemporaryFolder { folder in
            try TestServer.withDatabase { target in
                try makeDatabase("\(folder)/a.db", "CREATE TABLE t (id INTEGER PRIMARY KEY)")
                let book = try Playbook(
                    try Workspace("\(folder)/a.db", state: nil),
                    target: target.setting("password", to: "topsecret"), who: "ann")
                try book.setMode(.live)
                let activity = try #require(book.begin("6.7"))
                defer { book.end(activity) }
                try FileManager.default.createDirectory(
                    atPath: "\(folder)/cron.d", withIntermediateDirectories: true)
                try body(book, folder, book.context(activity))
            }
        }
    }

    private func texts(below folder: String) throws -> String {
        try FileManager.default.subpathsOfDirectory(atPath: folder).map {
            String(decoding: FileManager.default.contents(atPath: "\(folder)/\($0)") ?? Data(), as: UTF8.self)
        }.joined()
    }

    @Test func aLineOfCronIsInstalledAndGoesWithTheUndo() throws {
        try withLiveBook { _, folder, context in
            let step = MonitoringStep(place: .cron(folder: "\(folder)/cron.d"))
            let preview = try step.preview(context)
            #expect(preview.sections.first?.title == "First readings")
            #expect(
                preview.sections.contains {
                    $0.title.hasPrefix("Installs \(folder)/cron.d/howdah-monitor-test-")
                })
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/cron.d").isEmpty)
            let outcome = try step.run(context)
            #expect(
                outcome.failure == nil && outcome.evidence.first?.contains("not known") ?? false,
                "\(outcome.evidence)")
            let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/cron.d")
            let path = "\(folder)/cron.d/\(names.first ?? "")"
            let line = try String(contentsOfFile: path, encoding: .utf8)
            #expect(line.contains("*/5 * * * * \(NSUserName()) ") && line.contains("'--once' '--quiet'"))
            #expect(
                try !texts(below: folder).contains("topsecret"), "a password is nowhere, the journal included"
            )
            #expect(try step.undo(context).contains("removed \(path)"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/cron.d").isEmpty)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: context.book.monitorFolder(.live)).isEmpty
            )
        }
    }

    @Test func whatWasThereComesBackAndWhatWasChangedStays() throws {
        try withLiveBook { _, folder, context in
            let step = MonitoringStep(place: .systemd(folder: "\(folder)/units", isUser: false))
            let database = try #require(context.book.liveTarget?["dbname"])
            let name = MonitorTimer(database: database, command: []).name
            let own = "\(context.book.monitorFolder(.live))/\(name).service"
            try FileManager.default.createDirectory(
                atPath: (own as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try "the operator's\n".write(toFile: own, atomically: true, encoding: .utf8)
            // There is no systemd here: the units are written, and the failure is told.
            let outcome = try step.run(context)
            #expect(outcome.failure?.contains("systemctl daemon-reload") ?? false)
            #expect(access("\(folder)/units/\(name).timer", F_OK) == 0)
            let rules = "\(context.book.monitorFolder(.live))/howdah-alerts.yaml"
            try "mine\n".write(toFile: rules, atomically: true, encoding: .utf8)
            let shown = try #require(try step.undoPreview(context))
            #expect(
                shown.sections.contains { $0.title == "Stays, since it was changed" && $0.lines == [rules] })
            let done = try step.undo(context)
            #expect(done.contains("changed since, and kept: \(rules)") && done.contains("\(own) is back"))
            #expect(try String(contentsOfFile: own, encoding: .utf8) == "the operator's\n")
            #expect(try String(contentsOfFile: rules, encoding: .utf8) == "mine\n")
            #expect(access("\(folder)/units/\(name).timer", F_OK) != 0)
        }
    }
}
