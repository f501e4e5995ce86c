import Crypto
import Foundation
import Yams

/// A plan as a YAML file: readable, with a reason for each column, to be edited and fed back.
///
/// The last line carries a checksum of what is above it, by which an edited file is told from one as it was made.
public struct PlanFile: Sendable {
    public let plan: MigrationPlan
    /// Whether somebody has changed the file since it was made.
    public let isEdited: Bool

    /// Reads a plan; throws `.plan` with the place in the file.
    public init(path: String) throws {
        var isFolder: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        guard !isFolder.boolValue, let data = FileManager.default.contents(atPath: path) else {
            let code = isFolder.boolValue ? EISDIR : isThere ? EACCES : ENOENT
            throw MigrationError(
                .plan, "\(FileSystemError("reading the plan", path, code: code))",
                remedy: "Make one with howdah plan SOURCE -o FILE.", exit: .usage)
        }
        let text = String(decoding: data, as: UTF8.self)
        do {
            let version = try YAMLDecoder().decode(Version.self, from: text).version
            guard version == 1 else {
                throw Self.unreadable(path, "its version is \(version), and this howdah reads version 1")
            }
            plan = try YAMLDecoder().decode(MigrationPlan.self, from: text)
            if let unknown = PlanKeys.unknown(in: try Yams.compose(yaml: text)) {
                throw Self.unreadable(path, unknown)
            }
        } catch let error as MigrationError {
            throw error
        } catch {
            throw Self.unreadable(path, Self.explain(error))
        }
        isEdited = !Self.hasOwnChecksum(text)
    }

    /// A plan as an operator's own, that lies in no file.
    init(_ plan: MigrationPlan) {
        self.plan = plan
        isEdited = true
    }

    private struct Version: Decodable {
        let version: Int
    }

    private static func unreadable(_ path: String, _ why: String) -> MigrationError {
        MigrationError(
            .plan, "the plan \(path) cannot be read: \(why)",
            remedy: "Correct the file, or make a new one with howdah plan SOURCE -o FILE.", exit: .usage)
    }

    private static func explain(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        func place(_ context: DecodingError.Context) -> String {
            let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }
                .joined()
            return path.isEmpty ? "the plan" : path.hasPrefix(".") ? String(path.dropFirst()) : path
        }
        switch error {
        case .keyNotFound(let key, let context): return "\(place(context)) lacks \(key.stringValue)"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return "\(place(context)): \(context.debugDescription)"
        case .dataCorrupted(let context):
            let detail = context.underlyingError.map { "\($0)" } ?? context.debugDescription
            return context.codingPath.isEmpty ? detail : "\(place(context)): \(detail)"
        @unknown default: return "\(error)"
        }
    }

    // MARK: Checksum

    private static let checksumLabel = "# unchanged since it was made: "

    /// Tells one text of a plan from another.
    public static func digest(_ text: String) -> String { checksum(text) }

    /// Tells one plan from another by what is to be done, whatever the reasons are.
    static func digest(_ plan: MigrationPlan) -> String {
        var plan = plan
        for table in plan.tables.indices {
            for column in plan.tables[table].columns.indices {
                plan.tables[table].columns[column].reason = nil
            }
        }
        return digest(text(plan, rows: [:], findings: [], objects: [], isEdited: true))
    }

    private static func checksum(_ body: String) -> String {
        SHA256.hash(data: Data(body.utf8)).prefix(16).hexadecimal
    }

    private static func hasOwnChecksum(_ text: String) -> Bool {
        guard let range = text.range(of: checksumLabel, options: .backwards) else { return false }
        let given = text[range.upperBound...].trimmingCharacters(in: .whitespacesAndNewlines)
        return given == checksum(String(text[..<range.lowerBound]))
    }

    // MARK: Writing

    /// The text of a plan, with what was found beside each column.
    public static func text(
        _ plan: MigrationPlan, rows: [String: Int], findings: [Finding], objects: [ObjectState],
        isEdited: Bool = false
    ) -> String {
        var writer = Writer()
        writer.header(plan)
        writer.findings(findings)
        writer.leftOut(objects)
        writer.decisions(plan.decisions ?? [])
        writer.line(0, "tables:" + (plan.tables.isEmpty ? " []" : ""))
        for table in plan.tables { writer.table(table, rows: rows[table.name] ?? 0) }
        writer.views(plan.views ?? [])
        writer.triggers(plan.triggers ?? [])
        if isEdited { return writer.text }
        return writer.text + checksumLabel + checksum(writer.text) + "\n"
    }

    private struct Writer {
        var text = ""

        mutating func line(_ depth: Int, _ content: String) {
            text += String(repeating: "  ", count: depth) + content + "\n"
        }

        mutating func comment(_ content: String) {
            // A line break in a name or a value would end the comment.
            let line = content.split(whereSeparator: \.isNewline).joined(separator: " ")
            text += "# "
            for scalar in line.unicodeScalars {
                if isPrintable(scalar) { text.unicodeScalars.append(scalar) } else { text += escaped(scalar) }
            }
            text += "\n"
        }

        mutating func header(_ plan: MigrationPlan) {
            comment(
                "The plan by which howdah carries a SQLite database over to PostgreSQL. Edit it, then run:")
            comment("  howdah migrate SOURCE TARGET --plan FILE")
            comment(
                "A column's type may be any type of PostgreSQL's; values that do not fit stop the run before any"
            )
            comment(
                "data moves. `skip: true` leaves a table out. A key or index that is taken out is not made.")
            line(0, "version: \(plan.version)")
            line(0, "snapshot: \(scalar(plan.snapshot))")
            if let digest = plan.sourceSchema { line(0, "source_schema: \(scalar(digest))") }
            line(0, "style: \(plan.style.rawValue)")
            line(0, "schema: \(scalar(plan.schema))")
            if plan.adopt ?? false {
                line(0, "adopt: true # the tables are there already: types, keys and enums are the target's")
            }
            line(0, "enums:" + (plan.enums.isEmpty ? " []" : ""))
            for enumeration in plan.enums {
                line(1, "- name: \(scalar(enumeration.name))")
                line(1, "  labels: \(list(enumeration.labels))")
            }
        }

        mutating func findings(_ findings: [Finding]) {
            for finding in findings {
                comment(
                    "\(finding.blocking ? "TO DECIDE" : "note") \(finding.id.rawValue) \(finding.place): \(finding.message)"
                )
                if let decision = finding.decision {
                    comment("  decided: \(decision)")
                } else {
                    for choice in finding.choices {
                        comment("  choice: --decide '\(finding.key)=\(choice.word)': \(choice.consequence)")
                    }
                }
            }
        }

        mutating func decisions(_ decisions: [Decision]) {
            guard !decisions.isEmpty else { return }
            line(0, "decisions:")
            for decision in decisions {
                var parts = ["finding: \(scalar(decision.finding.rawValue))"]
                if let place = decision.place { parts.append("place: \(scalar(place))") }
                parts.append("choice: \(scalar(decision.choice))")
                line(1, "- {\(parts.joined(separator: ", "))}")
            }
        }

        mutating func views(_ views: [MigrationPlan.View]) {
            guard !views.isEmpty else { return }
            text += "\n"
            line(0, "views:")
            for view in views {
                line(1, "- name: \(scalar(view.name))")
                if let target = view.target { line(2, "target: \(scalar(target))") }
                line(2, "columns:")
                for column in view.columns { line(3, "- \(inline(column))") }
                block(2, "select", view.select)
                if let approximate = view.approximate { line(2, "approximate: \(list(approximate))") }
            }
        }

        mutating func triggers(_ triggers: [MigrationPlan.Trigger]) {
            guard !triggers.isEmpty else { return }
            text += "\n"
            line(0, "triggers:")
            for trigger in triggers {
                line(1, "- name: \(scalar(trigger.name))")
                line(2, "table: \(scalar(trigger.table))")
                block(2, "function", trigger.function)
                block(2, "trigger", trigger.trigger)
            }
        }

        mutating func leftOut(_ objects: [ObjectState]) {
            for object in objects where object.state == .leftOut {
                comment("left out: \(object.kind.rawValue) \(object.name): \(object.reason ?? "")")
            }
        }

        mutating func table(_ table: MigrationPlan.Table, rows: Int) {
            text += "\n"
            line(1, "# \(rows) rows")
            line(1, "- name: \(scalar(table.name))")
            if let target = table.target { line(2, "target: \(scalar(target))") }
            if table.isSkipped { line(2, "skip: true") }
            if table.make ?? false { line(2, "make: true") }
            line(2, "columns:")
            for column in table.columns { self.column(column) }
            if let key = table.primaryKey { line(2, "primary_key: \(inline(key))") }
            section("uniques", table.uniques?.map(inline))
            section("indexes", table.indexes?.map(inline))
            section("foreign_keys", table.foreignKeys?.map(inline))
            section("checks", table.checks?.map(inline))
        }

        private mutating func section(_ name: String, _ items: [String]?) {
            guard let items, !items.isEmpty else { return }
            line(2, "\(name):")
            for item in items { line(3, "- \(item)") }
        }

        private mutating func column(_ column: MigrationPlan.Column) {
            line(3, "- name: \(scalar(column.name))")
            if let target = column.target { line(4, "target: \(scalar(target))") }
            line(4, "type: \(scalar(column.type))")
            if column.notNull ?? false { line(4, "not_null: true") }
            if let value = column.defaultValue { line(4, "default: \(scalar(value))") }
            if let numbering = column.numbering { line(4, "numbering: \(numbering.rawValue)") }
            if let unit = column.integers { line(4, "integers: \(unit.rawValue)") }
            if let expression = column.generated { line(4, "generated: \(scalar(expression))") }
            if let reason = column.reason { line(4, "reason: \(scalar(reason))") }
        }

        private func inline(_ column: MigrationPlan.Column) -> String {
            var parts = ["name: \(scalar(column.name))"]
            if let target = column.target { parts.append("target: \(scalar(target))") }
            parts.append("type: \(scalar(column.type))")
            if let unit = column.integers { parts.append("integers: \(unit.rawValue)") }
            return "{\(parts.joined(separator: ", "))}"
        }

        private func inline(_ key: MigrationPlan.Key) -> String {
            "{name: \(scalar(key.name)), columns: \(list(key.columns))}"
        }

        private func inline(_ index: MigrationPlan.Index) -> String {
            var parts = ["name: \(scalar(index.name))", "columns: \(list(index.columns))"]
            if index.unique ?? false { parts.append("unique: true") }
            if let descending = index.descending { parts.append("descending: \(list(descending))") }
            if let terms = index.terms { parts.append("terms: \(list(terms))") }
            if let predicate = index.predicate { parts.append("predicate: \(scalar(predicate))") }
            if let method = index.method { parts.append("method: \(scalar(method))") }
            return "{\(parts.joined(separator: ", "))}"
        }

        private func inline(_ key: MigrationPlan.ForeignKey) -> String {
            var parts = [
                "name: \(scalar(key.name))", "columns: \(list(key.columns))", "parent: \(scalar(key.parent))",
                "parent_columns: \(list(key.parentColumns))",
            ]
            if let action = key.onDelete { parts.append("on_delete: \(scalar(action))") }
            if let action = key.onUpdate { parts.append("on_update: \(scalar(action))") }
            if let deferrable = key.deferrable { parts.append("deferrable: \(scalar(deferrable))") }
            if key.notValid ?? false { parts.append("not_valid: true") }
            return "{\(parts.joined(separator: ", "))}"
        }

        private func inline(_ check: MigrationPlan.Check) -> String {
            var parts = ["name: \(scalar(check.name))", "expression: \(scalar(check.expression))"]
            if let source = check.source { parts.append("source: \(scalar(source))") }
            if check.notValid ?? false { parts.append("not_valid: true") }
            return "{\(parts.joined(separator: ", "))}"
        }

        private func list(_ items: [String]) -> String {
            "[" + items.map(scalar).joined(separator: ", ") + "]"
        }

        /// A text of several lines as YAML's literal block, where it reads back as it is.
        private mutating func block(_ depth: Int, _ key: String, _ value: String) {
            let lines = value.split(separator: "\n", omittingEmptySubsequences: false)
            let isLiteral =
                lines.count > 1 && value.first != " " && value.last != "\n"
                && value.unicodeScalars.allSatisfy { $0 == "\n" || isPrintable($0) }
            guard isLiteral else { return line(depth, "\(key): \(scalar(value))") }
            line(depth, "\(key): |-")
            for content in lines { line(content.isEmpty ? 0 : depth + 1, String(content)) }
        }

        /// A text as YAML reads it back: bare where that is safe, else in double quotes with JSON's escapes.
        private func scalar(_ value: String) -> String {
            let plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"
            let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            let isBare =
                value.first.map { $0.isASCII && $0.isLetter } ?? false
                && value.allSatisfy { plain.contains($0) || $0 == " " } && !value.hasSuffix(" ")
                && !reserved.contains(value.lowercased())
            if isBare { return value }
            var quoted = "\""
            for scalar in value.unicodeScalars {
                switch scalar {
                case "\"": quoted += "\\\""
                case "\\": quoted += "\\\\"
                case "\n": quoted += "\\n"
                case "\t": quoted += "\\t"
                case _ where isPrintable(scalar): quoted.unicodeScalars.append(scalar)
                default: quoted += escaped(scalar)
                }
            }
            return quoted + "\""
        }

        /// Whether YAML lets a character stand as it is (https://yaml.org/spec/1.1/#id868524), and an editor shows it.
        private func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar.value {
            case 0x20...0x7E, 0xA1...0x2027, 0x202A...0xFEFE, 0xFF00...0xFFFD, 0x10000...: true
            default: false
            }
        }

        private func escaped(_ scalar: Unicode.Scalar) -> String {
            let digits = String(scalar.value, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
    }
}
