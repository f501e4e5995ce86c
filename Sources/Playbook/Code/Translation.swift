import AppProject
import Foundation
import MigrationEngine

/// Statements of the code that are translated, tried on the target, and written into their files.
struct Translation {
    /// One statement with what the server says of the translation.
    struct Offer {
        let translation: CodeTranslation
        /// nil where the server could not be asked, or the statement cannot be tried by itself.
        let verdict: QueryTrial.Verdict?

        var isGood: Bool { translation.isOffered && verdict?.kind != .refused }
    }

    var offers: [Offer] = []
    /// What becomes of the files.
    var changes: [FileChange] = []
    /// Why the server was not asked.
    var unasked: String?

    /// Works out what becomes of the statements of these keys; of all of them where there are none.
    init(_ keys: Set<String>?, paths: Set<String>? = nil, _ context: StepContext) throws {
        let book = context.book
        guard try book.planIfAny() != nil else {
            throw MigrationError(
                .state, "there is no plan yet, which says what tables and columns are called and hold",
                remedy: "Run the steps to 1.7 first.", exit: .undecided)
        }
        let translator = CodeTranslator(try book.codeScan())
        let statements = try book.scanCode(context.cancellation).statements.filter(\.isQuery)
        // Where every place in a statement is settled, somebody wants it as it is.
        let places = Dictionary(grouping: book.codePlaces().filter { $0.finding.statement != nil }) {
            $0.finding.statement ?? ""
        }
        let wanted = statements.filter { statement in
            if let keys { return keys.contains(statement.key) }
            let isSettled = places[statement.key].map { $0.allSatisfy { $0.state != .open } } ?? false
            return !isSettled && (paths?.contains(statement.path) ?? true)
        }
        var order: [String] = []
        for statement in wanted where !order.contains(statement.path) { order.append(statement.path) }
        let chosen = Set(wanted.map(\.key))
        let translations = try order.flatMap { try translator.translations(of: $0) }.filter {
            chosen.contains($0.statement.key)
        }
        let asked = translations.map { $0.isOffered ? $0.after : $0.statement }
        let verdicts = try ask(asked, context)
        offers = translations.compactMap { translation in
            let verdict = verdicts[translation.isOffered ? translation.after.key : translation.statement.key]
            // What the server takes as it stands needs no translation, whatever is not understood in it.
            if !translation.isOffered, verdict?.kind == .prepared { return nil }
            return Offer(translation: translation, verdict: translation.isOffered ? verdict : nil)
        }
        for path in order {
            let good = offers.filter { $0.isGood && $0.translation.statement.path == path }
            if let change = try translator.change(path, Set(good.map(\.translation.statement.key))) {
                changes.append(change)
            }
        }
    }

    private mutating func ask(
        _ statements: [CodeStatement], _ context: StepContext
    ) throws -> [String: QueryTrial.Verdict] {
        guard !statements.isEmpty else { return [:] }
        let isMade = {
            context.book.stepState("1.8", context.mode).isSettled || context.book.hasEndedRun(context.mode)
        }
        // Another command may have made them.
        if !isMade() { context.book.lookAtTarget(context.activity) }
        guard isMade() else {
            unasked = "it has no tables yet; step 1.8 makes them"
            return [:]
        }
        do {
            let verdicts = try context.server().withConnection(purpose: "check") {
                try QueryTrial(schema: context.book.schema).verdicts(statements, $0)
            }
            return Dictionary(verdicts.map { ($0.statement.key, $0) }) { first, _ in first }
        } catch {
            try context.cancellation.check()
            unasked = Playbook.explained(error).message
            return [:]
        }
    }

    var refused: [Offer] { offers.filter { $0.verdict?.kind == .refused } }
    var impossible: [Offer] { offers.filter { !$0.translation.obstacles.isEmpty } }
}

/// Writes translations into the sources; a run of step 4.3.
struct TranslateStep: FileOperation {
    let id = "4.3"
    /// Statements by their keys; nil is all of them.
    let keys: Set<String>?
    let paths: Set<String>?

    func preview(_ context: StepContext) throws -> Preview {
        let folder = try ProjectFolder(context)
        let translation = try Translation(keys, paths: paths, context)
        var sections = translation.changes.map { Preview.Section("\($0.verb) \($0.path)", $0.diff, .diff) }
        if sections.isEmpty { sections.append(.init("Changes no file", Self.why(translation))) }
        if context.mode == .rehearsal, !translation.changes.isEmpty {
            sections.append(.init("In a copy of the project", [folder.root]))
        }
        let notes = Self.notes(translation)
        if !notes.isEmpty { sections.append(.init("To know", notes, .list)) }
        if !translation.changes.isEmpty { sections += Self.rest(translation) }
        return Preview(sections, warning: folder.uncommitted(translation.changes.map(\.path), context))
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let folder = try ProjectFolder(context)
        let translation = try Translation(keys, paths: paths, context)
        guard !translation.changes.isEmpty else {
            let places = context.book.codePlaces()
            return StepOutcome(
                evidence: ["nothing is left that can be translated"] + Self.rest(translation).flatMap(\.all)
                    + ReviewStep.evidence(places), open: places.count(where: \.isOpen))
        }
        let before = context.book.codePlaces()
        try folder.writer.write(translation.changes) {
            try context.book.note(changes: $0, of: id, context.mode)
        }
        _ = try context.book.scanCode(context.cancellation)
        try context.book.carry(before, to: translation.offers.filter(\.isGood).map(\.translation))
        let places = context.book.codePlaces()
        let good = translation.offers.filter(\.isGood)
        var evidence = [
            "\(Format.count(good.count, "statement", "statements")) translated in "
                + Format.count(translation.changes.count, "file", "files")
        ]
        evidence += translation.changes.map { "\($0.past) \($0.path)" }
        if context.mode == .rehearsal { evidence.append("in a copy of the project: \(folder.root)") }
        return StepOutcome(
            evidence: evidence + Self.notes(translation)
                + Self.rest(translation).flatMap(\.all)
                + ReviewStep.evidence(places),
            open: places.count(where: \.isOpen))
    }

    /// Why nothing is changed.
    private static func why(_ translation: Translation) -> [String] {
        let rest = rest(translation).flatMap { [$0.title] + $0.lines }
        return rest.isEmpty ? ["PostgreSQL takes the statements as they are"] : rest
    }

    /// Each note once, with the places that it is about.
    private static func notes(_ translation: Translation) -> [String] {
        var order: [String] = []
        var places: [String: [String]] = [:]
        func add(_ note: String, _ place: String) {
            if places[note] == nil { order.append(note) }
            if !places[note, default: []].contains(place) { places[note, default: []].append(place) }
        }
        for offer in translation.offers where offer.isGood {
            let place = offer.translation.statement.place
            for note in offer.translation.notes { add(note, place) }
            if let verdict = offer.verdict, verdict.kind == .untried {
                add("not tried on the server: \(verdict.reason ?? "")", place)
            }
        }
        let notes = order.map { note in
            let places = places[note] ?? []
            let more = places.count > 3 ? " and \(places.count - 3) more" : ""
            return "\(note)  (\(places.prefix(3).joined(separator: ", "))\(more))"
        }
        return notes + (translation.unasked.map { ["the server was not asked: \($0)"] } ?? [])
    }

    /// What stays as it is.
    private static func rest(_ translation: Translation) -> [Preview.Section] {
        var sections: [Preview.Section] = []
        if !translation.refused.isEmpty {
            sections.append(
                .init(
                    "The server refuses the translation of",
                    translation.refused.flatMap { offer in
                        ["\(offer.translation.statement.place)  \(offer.verdict?.reason ?? "")"]
                            + (offer.verdict?.marked ?? []).map { "    \($0)" }
                    }))
        }
        if !translation.impossible.isEmpty {
            sections.append(
                .init(
                    "Has no equal, and stays for your hand",
                    translation.impossible.map {
                        "\($0.translation.statement.place)  \($0.translation.obstacles.joined(separator: "; "))"
                    }, .list))
        }
        return sections
    }
}

extension Preview.Section {
    fileprivate var all: [String] { [title + ":"] + lines }
}

extension CodeStatement {
    var place: String { "\(path):\(line)" }
}

extension Playbook {
    private func translation(_ keys: Set<String>?, _ paths: Set<String>?) -> TranslateStep {
        TranslateStep(keys: keys, paths: paths)
    }

    /// What the translation of statements would change; of all statements where no keys are given.
    public func previewTranslation(
        _ keys: Set<String>?, paths: Set<String>? = nil, _ activity: Activity
    ) throws -> Preview {
        try preview("4.3", activity, by: translation(keys, paths))
    }

    /// Writes translations into the sources, as a run of step 4.3.
    public func translate(_ keys: Set<String>?, paths: Set<String>? = nil, _ activity: Activity) throws {
        try run("4.3", activity, by: translation(keys, paths))
    }
}
