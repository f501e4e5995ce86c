import MigrationEngine

/// Changes a schema file for PostgreSQL: the provider, the URL, defaults that are SQLite's, and types where the data asked
/// for others. All other bytes stay, comments, blanks and line ends among them.
///
/// What was changed is read again: unless it says exactly what was meant, nothing is changed and the operator is told.
struct PrismaSchemaEditor {
    /// nil before there is one: types and defaults then stay.
    let plan: MigrationPlan?
    /// The name of the variable that has the URL from now on.
    let variable: String
    /// Prisma 7 takes the URL from prisma.config, and refuses it in a schema.
    let keepsURLElsewhere: Bool

    struct Result {
        var bytes: [UInt8]
        /// What was changed, one line each.
        var changes: [String] = []
        var notes: [String] = []
        /// Whether the URL was written there, and comes from the environment now.
        var movesURL = false
    }

    private typealias Edits = (edits: [TextEdit], result: Result)

    /// A schema's file, changed; `models` are those of all files, with their names in the database.
    func edited(_ bytes: [UInt8], models: [PrismaSchema.Model]) -> Result {
        let lexer = PrismaLexer(bytes)
        let parser = PrismaParser(bytes)
        var work: Edits = ([], Result(bytes: bytes))
        for block in parser.blocks {
            switch block.keyword {
            case "datasource": edit(datasource: block, &work)
            case "model": edit(model: block, models, lexer.tokens, &work)
            case "generator": look(at: block, &work)
            default: break
            }
        }
        guard !work.edits.isEmpty else { return work.result }
        let edited = work.edits.applied(to: bytes)
        guard PrismaParser(edited).problems.map(\.text) == parser.problems.map(\.text) else {
            var result = Result(bytes: bytes)
            result.notes = ["it cannot be changed without breaking it: set provider = \"postgresql\" by hand"]
            return result
        }
        work.result.bytes = edited
        return work.result
    }

    // MARK: Datasource and generator

    private func edit(datasource block: PrismaBlock, _ work: inout Edits) {
        for entry in block.entries {
            switch (entry.name, entry.value) {
            case ("provider", .string("sqlite")?):
                work.edits.append(TextEdit(entry.range, "\"postgresql\""))
                work.result.changes.append("provider is postgresql")
            case ("provider", .string(let provider)?) where !["postgresql", "postgres"].contains(provider):
                work.result.notes.append("provider is \(provider), and stays")
            case ("url", .string(let url)?) where DatabaseURL(url) != nil && !keepsURLElsewhere:
                work.edits.append(TextEdit(entry.range, "env(\"\(variable)\")"))
                work.result.changes.append("url comes from \(variable)")
                work.result.movesURL = true
            case ("relationMode", .string("prisma")?):
                work.result.notes.append(
                    "relationMode is prisma: foreign keys stay the application's business")
            default: break
            }
        }
    }

    private func look(at generator: PrismaBlock, _ work: inout Edits) {
        guard case .string(let provider)? = generator.entries.first(where: { $0.name == "provider" })?.value
        else { return }
        work.result.notes.append("generator \(generator.name) makes \(provider), and stays")
    }

    // MARK: Models

    private func edit(
        model block: PrismaBlock, _ models: [PrismaSchema.Model], _ tokens: [PrismaToken],
        _ work: inout Edits
    ) {
        guard let plan, let model = models.first(where: { $0.name == block.name }),
            let table = plan.tables.first(where: { $0.name.lowercased() == model.table.lowercased() })
        else { return }
        let fields = Dictionary(model.fields.map { ($0.name, $0) }) { first, _ in first }
        for entry in block.entries {
            guard let field = fields[entry.name], let type = entry.type, !field.isList,
                let column = table.columns.first(where: { $0.name.lowercased() == field.column.lowercased() })
            else { continue }
            let place = "\(block.name).\(entry.name)"
            editDefault(entry, column, place, tokens, &work)
            editType(entry, type, column, place, &work)
        }
    }

    /// `@default(dbgenerated("…"))` holds SQL of SQLite's; the plan has PostgreSQL's.
    private func editDefault(
        _ entry: PrismaEntry, _ column: MigrationPlan.Column, _ place: String, _ tokens: [PrismaToken],
        _ work: inout Edits
    ) {
        guard let attribute = entry.attributes.named("default"),
            case .call("dbgenerated", let arguments)? = attribute.argument("value"),
            case .string(let before)? = arguments.first?.value,
            let token = tokens.first(where: {
                if case .string = $0.kind { attribute.range.contains($0.range.lowerBound) } else { false }
            })
        else { return }
        guard let after = column.defaultValue else {
            work.result.notes.append(
                "\(place) has the default \(before), for which the plan has none: take it out of the schema by hand"
            )
            return
        }
        guard after != before, after != Self.bare(before) else { return }
        work.edits.append(TextEdit(token.range, Self.quoted(after)))
        work.result.changes.append("\(place): its default is \(after)")
    }

    private func editType(
        _ entry: PrismaEntry, _ type: PrismaType, _ column: MigrationPlan.Column, _ place: String,
        _ work: inout Edits
    ) {
        guard PrismaFieldTypes.scalars.contains(type.name),
            !entry.attributes.contains(where: { $0.name.hasPrefix("db.") })
        else { return }
        guard let spelling = PrismaFieldTypes.spelling(of: column.postgresType, field: type.name) else {
            if case .enumeration = column.postgresType { return }
            work.result.notes.append("\(place) is \(column.type) by the plan, which Prisma has no word for")
            return
        }
        var words: [String] = []
        if spelling.type != type.name {
            // The name alone: what follows it, `?` among that, stays.
            let start = entry.range.lowerBound
            work.edits.append(TextEdit(start..<start + type.name.utf8.count, spelling.type))
            words.append("is \(spelling.type), for the data needs it")
        }
        if let native = spelling.native {
            work.edits.append(TextEdit(entry.range.upperBound..<entry.range.upperBound, " @\(native)"))
            words.append("has @\(native)")
        }
        if !words.isEmpty {
            work.result.changes.append(
                "\(place) \(words.joined(separator: " and ")): \(column.reason ?? column.type)")
        }
    }

    /// An expression without the parentheses around all of it, which SQLite asks for.
    private static func bare(_ expression: String) -> String {
        expression.hasPrefix("(") && expression.hasSuffix(")")
            ? String(expression.dropFirst().dropLast()) : expression
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
