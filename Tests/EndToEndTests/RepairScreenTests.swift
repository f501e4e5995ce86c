import DemoProject
import Foundation
import Postgres
import TestSupport
import Testing

/// Rows that differ, looked at and copied again by keys, on a real rehearsal.
@Suite struct RepairScreenTests {
    @Test func rowsThatDifferAreFilteredFoundAndCopiedAgain() throws {
        try withTemporaryFolder { folder in
            let project = "\(folder)/app"
            _ = try DemoProject.make(in: project, options: .init(messages: 300))
            for step in ["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8", "3.2", "3.3", "3.4"] {
                let outcome = try Howdah.run(["step", project, step, "run"])
                #expect(outcome.exit == 0, "\(step): \(outcome.errors)")
            }
            let url = try Howdah.run(["rehearsal", "start", project]).output.trimmingCharacters(
                in: .whitespacesAndNewlines)
            let target = try Conninfo(url)
            try TestServer.execute(
                """
                UPDATE "Message" SET "timestamp" = "timestamp" + interval '1 hour' WHERE id <= 20;
                UPDATE "Message" SET iv = set_byte(iv, 5, get_byte(iv, 5) # 1) WHERE id = 40; DELETE FROM "Message" WHERE id = 300
                """, in: target)
            _ = try Howdah.run(["step", project, "3.4", "run"])
            let script = """
                :wait-idle
                3
                Tab
                /
                :text Message
                Enter
                Enter
                :wait-idle
                :save-display \(folder)/rows
                f
                :save-display \(folder)/filters
                j
                j
                Enter
                :wait-idle
                :save-display \(folder)/missing
                f
                k
                k
                Enter
                :wait-idle
                /
                :text 40
                Enter
                :wait-idle
                Enter
                :save-display \(folder)/bytes
                Esc
                R
                :save-display \(folder)/choices
                Enter
                :wait-idle
                :save-display \(folder)/preview
                Enter
                :wait-idle
                :save-display \(folder)/after
                f
                j
                j
                Enter
                :wait-idle
                /
                :text 00
                Enter
                :wait-idle
                :save-display \(folder)/hidden

                """
            let file = "\(folder)/keys"
            try script.write(toFile: file, atomically: true, encoding: .utf8)
            let outcome = try Howdah.run(
                [project, "--script", file, "--size", "100x30"],
                environment: ["XDG_CONFIG_HOME": "\(folder)/c", "XDG_STATE_HOME": "\(folder)/s"])
            #expect(outcome.exit == 0, "\(outcome.errors)")
            for (name, words) in [
                (
                    "rows",
                    [
                        "Message — 22 of 300 rows differ", "1970-01-01 00:00:00 = 0",
                        "timestamp differs in 20 rows, always by +3,600 s",
                    ]
                ),
                ("filters", ["changed, 21", "missing in PostgreSQL, 1", "iv differs in 1 row, in one bit"]),
                ("missing", ["missing in PostgreSQL", "1 of 1"]),
                ("bytes", ["Message 40, iv", "first difference at byte 5"]),
                (
                    "choices",
                    ["copy again: the row 40", "copy again: 22 rows of Message, missing or changed"]
                ),
                ("preview", ["Copies these rows again, in one transaction", "Message"]),
                (
                    "after",
                    [
                        "Message — 21 of 300 rows differ", "copied again: Message (1 changed)",
                        "21 rows still differ", "u on 3.5 puts them back",
                    ]
                ),
                ("hidden", ["no key of the rows shown (missing in PostgreSQL) has “4000” in it"]),
            ] {
                let display = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
                for word in words { #expect(display.contains(word), "\(name): \(word)\n\(display)") }
            }
            // The one row is as it was, the others still differ.
            let diff = try Howdah.run([
                "diff", project, "rehearsal", "--table", "Message", "--limit", "0", "--json",
            ])
            let table = try #require((try diff.json()["tables"] as? [[String: Any]])?.first)
            #expect(table["differences"] as? Int == 21)
            let keys = (table["differing"] as? [[String: Any]] ?? []).compactMap { $0["key"] as? String }
            #expect(!keys.contains("40"))
            // The old row comes back with the step's undo.
            let undo = try Howdah.run(["step", project, "3.5", "undo"])
            #expect(undo.output.contains("put back: Message (1 changed)"), "\(undo.output)")
            #expect(undo.output.contains("step 3.4, run anew, has failed: 22 rows differ in Message"))
            _ = try Howdah.run(["step", project, "3.5", "run"])
            let whole = try Howdah.run(["step", project, "3.5", "undo", "--json"]).json()
            #expect((whole["done"] as? [String])?.first == "put back: Message (1 missing, 21 changed)")
            let back = try Howdah.run(["diff", project, "rehearsal", "--table", "Message", "--json"]).json()
            #expect((back["tables"] as? [[String: Any]])?.first?["differences"] as? Int == 22)
            _ = try Howdah.run(["rehearsal", "remove", project])
        }
    }
}
