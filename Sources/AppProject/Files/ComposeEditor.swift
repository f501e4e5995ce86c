import Foundation
import Yams

/// A compose file whose services get the database's URL from the .env beside it.
///
/// The URL itself goes into no compose file: compose puts `${NAME}` in from .env
/// (https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/).
struct ComposeEditor {
    let variable: String
    /// The name of the SQLite file that is migrated: what leads to another one stays.
    let database: String

    struct Outcome: Equatable {
        var bytes: [UInt8]
        /// Lines that were changed, from 1.
        var lines: [Int] = []
        /// Lines that name a SQLite file and could not be changed.
        var byHand: [Int] = []
    }

    /// Whether a file of this name is one that compose reads.
    static func isCompose(_ name: String) -> Bool {
        name.wholeMatch(of: /(docker-)?compose[A-Za-z0-9._-]*\.ya?ml/) != nil
    }

    /// Changes values of the variable that name a SQLite file; all other bytes stay.
    func edited(_ bytes: [UInt8]) -> Outcome {
        var outcome = Outcome(bytes: bytes)
        guard let text = String(bytes: bytes, encoding: .utf8) else { return outcome }
        var edits: [TextEdit] = []
        var start = 0
        var others: [Int] = []
        for (index, line) in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            defer { start += line.count + 1 }
            guard let line = String(line) else { continue }
            guard let range = value(in: line) else {
                if isMentioned(in: line) { others.append(index + 1) }
                continue
            }
            edits.append(TextEdit(start + range.lowerBound..<start + range.upperBound, "${\(variable)}"))
            outcome.lines.append(index + 1)
        }
        outcome.byHand = others
        guard !edits.isEmpty else { return outcome }
        let changed = edits.applied(to: bytes)
        // YAML has many ways to write a text: what is meant must be what is read.
        let after = String(decoding: changed, as: UTF8.self)
        if let one = try? Yams.compose(yaml: text), let other = try? Yams.compose(yaml: after),
            differ(one, other, isVariable: false)
        {
            outcome.bytes = changed
        } else {
            (outcome.lines, outcome.byHand) = ([], (others + outcome.lines).sorted())
        }
        return outcome
    }

    /// The bytes of a line that are the variable's value, without quotes: `NAME: file:x`, `- NAME=file:x`, `- "NAME=file:x"`.
    private func value(in line: String) -> Range<Int>? {
        let name = NSRegularExpression.escapedPattern(for: variable)
        guard
            let expression = try? Regex(
                "^\\s*(?:-\\s+)?[\"']?\(name)[\"']?\\s*(?:=|:\\s)\\s*[\"']?((?:file|sqlite)[^\"'\\s#]+)"),
            let match = try? expression.firstMatch(in: line), let range = match.output[1].range,
            leads(line[range])
        else { return nil }
        let start = line.utf8.distance(from: line.startIndex, to: range.lowerBound)
        return start..<start + line[range].utf8.count
    }

    /// By the file's name alone: folders are the container's own.
    private func leads(_ value: Substring) -> Bool {
        let path = value.prefix { $0 != "?" }
        return DatabaseURL(String(value)) != nil
            && path.split(whereSeparator: { "/:".contains($0) }).last.map(String.init) == database
    }

    private func isMentioned(in line: String) -> Bool {
        let words = line.trimmingCharacters(in: .whitespaces).replacing("_\(variable)", with: "")
        return !words.hasPrefix("#") && words.contains(variable)
            && (words.contains("file:") || words.contains("sqlite:"))
    }

    /// Whether two documents differ in values of the variable, and in nothing else.
    private func differ(_ one: Node, _ other: Node, isVariable: Bool) -> Bool {
        switch (one, other) {
        case (.mapping(let one), .mapping(let other)):
            guard one.count == other.count else { return false }
            return zip(one, other).allSatisfy { left, right in
                left.key == right.key
                    && differ(left.value, right.value, isVariable: left.key.string == variable)
            }
        case (.sequence(let one), .sequence(let other)):
            return one.count == other.count
                && zip(one, other).allSatisfy { differ($0, $1, isVariable: false) }
        case (.scalar(let one), .scalar(let other)):
            if one.string == other.string { return true }
            if isVariable { return other.string == "${\(variable)}" }
            return one.string.hasPrefix("\(variable)=") && other.string == "\(variable)=${\(variable)}"
        default: return one == other
        }
    }
}
