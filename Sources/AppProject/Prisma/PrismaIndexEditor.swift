/// An index of the database, by the names that it has there.
public struct DatabaseIndex: Sendable, Equatable {
    public let name: String
    public let table: String
    public let columns: [String]

    public init(name: String, table: String, columns: [String]) {
        self.name = name
        self.table = table
        self.columns = columns
    }
}

/// Adds `@@index` lines to the models of a schema file, so that Prisma keeps indexes that it did not make. All other bytes stay.
///
/// (https://www.prisma.io/docs/orm/reference/prisma-schema-reference#index). What was added is read again: unless it says
/// exactly what was meant, nothing is changed.
struct PrismaIndexEditor {
    struct Result: Equatable {
        var bytes: [UInt8]
        /// Indexes that the schema names now, or did before, by name.
        var known: Set<String> = []
        var notes: [String] = []
    }

    /// The line for an index; nil where the model lacks one of its columns.
    static func line(_ index: DatabaseIndex, _ model: PrismaSchema.Model) -> String? {
        fields(index, model).map { "@@index([\($0.joined(separator: ", "))], map: \(quoted(index.name)))" }
    }

    func edited(_ bytes: [UInt8], models: [PrismaSchema.Model], adding indexes: [DatabaseIndex]) -> Result {
        let parser = PrismaParser(bytes)
        var result = Result(bytes: bytes)
        var edits: [TextEdit] = []
        for block in parser.blocks where block.keyword == "model" {
            guard let model = models.first(where: { $0.name == block.name }) else { continue }
            var lines: [String] = []
            for index in indexes where Self.isSame(index.table, model.table) {
                guard let fields = Self.fields(index, model), let line = Self.line(index, model) else {
                    result.notes.append(
                        "\(model.name) has no fields for \(index.columns.joined(separator: ", "))")
                    continue
                }
                result.known.insert(index.name)
                if !Self.has(fields, block) { lines.append(line) }
            }
            guard !lines.isEmpty else { continue }
            guard let edit = edit(block, lines, bytes) else {
                result.notes.append("\(model.name): add by hand: \(lines.joined(separator: ", "))")
                continue
            }
            edits.append(edit)
        }
        guard !edits.isEmpty else { return result }
        let edited = edits.applied(to: bytes)
        let again = PrismaParser(edited)
        let count = { (parser: PrismaParser) in parser.blocks.reduce(0) { $0 + $1.attributes.count } }
        let added = edits.reduce(0) { sum, edit in
            sum + String(decoding: edit.replacement, as: UTF8.self).split(separator: "@@index(").count
                - (edit.replacement.isEmpty ? 0 : 1)
        }
        guard again.problems.map(\.text) == parser.problems.map(\.text),
            again.blocks.map(\.entries.count) == parser.blocks.map(\.entries.count),
            count(again) == count(parser) + added
        else {
            return Result(
                bytes: bytes, notes: ["it cannot be changed without breaking it: add the lines by hand"])
        }
        result.bytes = edited
        return result
    }

    /// The lines before the closing brace, which stands on a line of its own.
    private func edit(_ block: PrismaBlock, _ lines: [String], _ bytes: [UInt8]) -> TextEdit? {
        guard let end = block.end else { return nil }
        var start = end
        while start > 0, [UInt8(ascii: " "), UInt8(ascii: "\t")].contains(bytes[start - 1]) { start -= 1 }
        guard start > 0, [UInt8(ascii: "\n"), UInt8(ascii: "\r")].contains(bytes[start - 1]) else {
            return nil
        }
        let lineEnd = bytes.lineEnd
        let text = lines.map { "  \($0)\(lineEnd)" }.joined()
        return TextEdit(start..<start, (block.attributes.isEmpty ? lineEnd : "") + text)
    }

    private static func has(_ fields: [String], _ block: PrismaBlock) -> Bool {
        block.attributes.contains { attribute in
            ["index", "unique", "id"].contains(attribute.name)
                && attribute.argument("fields")?.names == fields
        }
    }

    private static func fields(_ index: DatabaseIndex, _ model: PrismaSchema.Model) -> [String]? {
        let fields = index.columns.compactMap { column in
            model.fields.first { isSame($0.column, column) }?.name
        }
        return fields.count == index.columns.count ? fields : nil
    }

    private static func isSame(_ name: String, _ other: String) -> Bool {
        name.utf8.elementsEqual(other.utf8)
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}

extension ProjectEditor {
    /// The schema's files with lines for indexes that they do not name yet. Prisma would drop those at its next `db push` or
    /// `migrate dev`.
    public func indexes(_ indexes: [DatabaseIndex]) -> ProjectEdit {
        var edit = ProjectEdit()
        guard let prisma, !indexes.isEmpty else { return edit }
        var known: Set<String> = []
        for path in SchemaFinder.schemaFiles(at: prisma.schemaPath) {
            guard let bytes = content(relative(path)) else { continue }
            let result = PrismaIndexEditor().edited(bytes, models: prisma.schema.models, adding: indexes)
            known.formUnion(result.known)
            edit.notes += result.notes.map { "\(relative(path)): \($0)" }
            if result.bytes != bytes {
                edit.changes.append(FileChange(relative(path), before: bytes, after: result.bytes))
            }
        }
        edit.notes += indexes.filter { !known.contains($0.name) }.map {
            "no model of schema.prisma is the table \($0.table): Prisma does not keep \($0.name)"
        }
        if !edit.changes.isEmpty, hasMigrations {
            edit.notes.append(
                "Prisma's migrations do not have them yet: npx prisma migrate dev --create-only, then npx prisma migrate resolve --applied NAME"
            )
        }
        return edit
    }

    /// Each model's lines for such indexes: what an operator adds by hand.
    public func indexLines(_ indexes: [DatabaseIndex]) -> [String] {
        (prisma?.schema.models ?? []).flatMap { model in
            indexes.filter { $0.table.utf8.elementsEqual(model.table.utf8) }.compactMap { index in
                PrismaIndexEditor.line(index, model).map { "model \(model.name):  \($0)" }
            }
        }
    }
}
