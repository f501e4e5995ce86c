import Foundation
import MigrationEngine

/// A file of pg_dump's custom format, as pg_restore reads it.
struct DumpArchive {
    let path: String
    private let programs: ClientPrograms
    private let cancellation: Cancellation

    init(_ path: String, programs: ClientPrograms, cancellation: Cancellation) {
        self.path = path
        self.programs = programs
        self.cancellation = cancellation
    }

    /// Why it cannot be read to its end; nil where it can.
    func unreadable() throws -> String? {
        let outcome = try run(["-f", "/dev/null", path])
        return outcome.status == 0 ? nil : Self.words(outcome.text)
    }

    /// Tables that are not in it, or whose rows are not.
    func missing(_ tables: [DatabaseFacts.Table]) throws -> [DatabaseFacts.Table] {
        let outcome = try run(["--list", path])
        guard outcome.status == 0 else { return tables }
        // Each line has number, two identifiers, what it is, schema, name and owner; a line end in a name is a blank there.
        var parts: [String: [String]] = [:]
        for line in outcome.text.split(separator: "\n") where !line.hasPrefix(";") {
            let words = line.split(separator: " ", maxSplits: 3)
            guard words.count == 4 else { continue }
            let rest = String(words[3])
            for kind in ["TABLE DATA ", "TABLE "] where rest.hasPrefix(kind) {
                parts[kind, default: []].append(String(rest.dropFirst(kind.count)))
                break
            }
        }
        let made = Self.sorted(parts["TABLE "] ?? [])
        let filled = Self.sorted(parts["TABLE DATA "] ?? [])
        return tables.filter { table in
            let beginning = "\(table.schema) \(table.name) ".replacing("\n", with: " ").replacing(
                "\r", with: " ")
            return !Self.has(beginning, in: made) || table.hasRows && !Self.has(beginning, in: filled)
        }
    }

    private static func sorted(_ lines: [String]) -> [[UInt8]] {
        lines.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// Whether a sorted list has a line with that beginning.
    private static func has(_ beginning: String, in lines: [[UInt8]]) -> Bool {
        let wanted = Array(beginning.utf8)
        var low = 0
        var high = lines.count
        while low < high {
            let middle = (low + high) / 2
            if lines[middle].lexicographicallyPrecedes(wanted) { low = middle + 1 } else { high = middle }
        }
        return low < lines.count && lines[low].starts(with: wanted)
    }

    private func run(_ arguments: [String]) throws -> (status: Int32, text: String) {
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("PG") }
        environment["LC_ALL"] = "C"
        var command = programs.command("pg_restore", arguments, environment: environment)
        command.timeout = .seconds(12 * 3600)
        var output: [UInt8] = []
        let ending = try command.stream(cancellation: cancellation) { bytes in
            if output.count < 64 << 20 { output.append(contentsOf: bytes) }
        }
        if ending.isCancelled { throw MigrationError.cancelled }
        return (ending.status, String(decoding: output, as: UTF8.self))
    }

    /// What pg_restore says, in one line, without the rows that it is about: details and contexts quote them, as do errors of
    /// a value that its type refuses.
    static func words(_ output: String) -> String {
        let quoting = ["DETAIL:", "CONTEXT:", "invalid input", "invalid value", "out of range"]
        let lines = output.split(separator: "\n").map { printable(String($0)) }
            .filter { !$0.hasPrefix(quoting[0]) && !$0.hasPrefix(quoting[1]) }
            .map { line in
                quoting.contains { line.contains($0) } ? line.replacing(/"[^"]*"/) { _ in "\"…\"" } : line
            }
        return lines.isEmpty ? "pg_restore says nothing" : lines.prefix(6).joined(separator: "; ")
    }
}
