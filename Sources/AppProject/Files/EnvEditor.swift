/// Changes the values of a variable in an .env file that lead to SQLite; every other byte stays.
struct EnvEditor {
    let variable: String
    /// The new value.
    let url: String

    struct Result: Equatable {
        var bytes: [UInt8]
        /// Lines that were changed or added, from 1.
        var lines: [Int] = []
        /// Why something was left as it is.
        var notes: [String] = []
    }

    /// A file with every value that `isOurs` changed; where the variable is not set at all and `adds`, a line is added.
    ///
    /// Read again, the new file says the new value and all others as before; where it does not, nothing is changed.
    func edited(_ bytes: [UInt8], adds: Bool, isOurs: (String) -> Bool) -> Result {
        let before = EnvFile(bytes)
        var edits: [TextEdit] = []
        var result = Result(bytes: bytes)
        for entry in before.entries where entry.name == variable {
            guard isOurs(before.expandedValue(of: entry)) else {
                if entry.value != url {
                    result.notes.append("line \(entry.line) sets \(variable) to another database, and stays")
                }
                continue
            }
            guard let text = written(in: entry.quote) else {
                result.notes.append("line \(entry.line): no way to quote the new value")
                continue
            }
            edits.append(TextEdit(entry.range, text))
            result.lines.append(entry.line)
        }
        if edits.isEmpty, adds, before[variable] == nil, let text = written(in: UInt8(ascii: "\"")) {
            let end = bytes.lineEnd
            let isOpen = bytes.last.map { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") } ?? false
            let line = (isOpen ? end : "") + "\(variable)=\(text)" + end
            edits.append(TextEdit(bytes.count..<bytes.count, line))
        }
        guard !edits.isEmpty else { return result }
        let edited = edits.applied(to: bytes)
        guard says(edited, all: before, adds: result.lines.isEmpty) else {
            return Result(
                bytes: bytes,
                notes: ["it cannot be changed without changing more: set \(variable) by hand"])
        }
        if result.lines.isEmpty { result.lines = [EnvFile(edited).entries.last?.line ?? 1] }
        result.bytes = edited
        return result
    }

    /// The new value in the quotes of the old one, or in others where it cannot stand in those.
    private func written(in quote: UInt8?) -> String? {
        func fits(_ quote: UInt8?) -> Bool {
            guard let quote else {
                return !url.utf8.contains { " \t#'\"`\\\n\r".utf8.contains($0) }
            }
            return !url.utf8.contains(quote) && !url.contains("\\") && !url.contains("\n")
        }
        let choices = [quote, UInt8(ascii: "\""), UInt8(ascii: "'")]
        guard let choice = choices.first(where: fits) else { return nil }
        let sign = choice.map { String(Unicode.Scalar($0)) } ?? ""
        return sign + url + sign
    }

    /// Whether the edited file has the entries of the one before, but for the new value.
    private func says(_ bytes: [UInt8], all before: EnvFile, adds: Bool) -> Bool {
        let after = EnvFile(bytes).entries
        guard after.count == before.entries.count + (adds ? 1 : 0) else { return false }
        if adds { return after.last?.name == variable && after.last?.value == url }
        return zip(before.entries, after).allSatisfy { old, new in
            old.name == new.name && (old.value == new.value || (old.name == variable && new.value == url))
        }
    }
}
