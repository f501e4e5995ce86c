import AppProject
import Foundation
import MigrationEngine

/// The application's code: what was found in it, and what is decided about each place.
extension Playbook {
    /// Places of the last scan, the worst first, and then those that are gone since; none before a scan.
    public func codePlaces() -> [CodePlace] {
        guard let record = codeRecord() else { return [] }
        let settled = settledPlaces()
        func place(_ finding: CodeFinding, isGone: Bool) -> CodePlace? {
            guard let rule = CodeScan.rule(finding.rule) else { return nil }
            let entry = settled[finding.key]
            let verdict = finding.statement.flatMap { record.verdicts[$0] }
            return CodePlace(
                finding: finding, title: rule.title, equal: rule.equal, why: rule.why, link: rule.link,
                state: isGone ? .fixed : entry?.state ?? .open,
                note: entry?.note ?? (isGone ? "gone from the code" : ""), isGone: isGone,
                verdict: verdict?.words)
        }
        return record.findings.compactMap { place($0, isGone: false) }
            + record.gone.compactMap { place($0, isGone: true) }
    }

    /// How many places somebody must decide about; nil before a scan.
    var openPlaces: Int? {
        codeRecord().map { _ in codePlaces().count(where: \.isOpen) }
    }

    /// Decisions hold for what stands at a place, whichever mode they were made in.
    private func settledPlaces() -> [String: (state: CodePlace.State, note: String)] {
        var places: [String: (state: CodePlace.State, note: String)] = [:]
        for entry in journal.entries where entry.subject.hasPrefix(Self.codeSubject) {
            let key = String(entry.subject.dropFirst(Self.codeSubject.count))
            switch entry.kind {
            case .settled:
                places[key] = entry.data.flatMap(CodePlace.State.init).map { ($0, entry.text) }
            case .reopened: places[key] = nil
            default: break
            }
        }
        return places
    }

    private static let codeSubject = "code:"

    /// Decides about a place, by its key or the beginning of one; `open` takes a decision back. Throws where no such
    /// place is known, or it is gone from the code.
    public func settle(_ key: String, as state: CodePlace.State, note: String) throws {
        let place = try codePlace(key)
        let subject = Self.codeSubject + place.id
        if state == .open {
            try journal.add(.reopened, subject, mode, note)
        } else {
            try journal.add(.settled, subject, mode, note, data: state.rawValue)
        }
        try updateReview()
    }

    /// What was decided about places in statements that were translated since holds for the same places in what they became.
    func carry(_ before: [CodePlace], to translations: [CodeTranslation]) throws {
        let became = Dictionary(
            translations.map { ($0.statement.key, $0.after.key) }
        ) { first, _ in first }
        let now = codePlaces().filter { $0.state == .open }
        for place in before where place.state == .accepted || place.state == .notApplicable {
            guard let statement = place.finding.statement, let after = became[statement],
                let same = now.first(where: {
                    $0.finding.statement == after && $0.finding.rule == place.finding.rule
                })
            else { continue }
            try settle(same.id, as: place.state, note: place.note)
        }
    }

    /// Whether the target holds a run that went to its end, whichever command made it: then its tables are there.
    func hasEndedRun(_ mode: Mode) -> Bool {
        guard case .some(.some(let status)) = status(mode) else { return false }
        return status.stage == .ended
    }

    /// Says of step 4.3 what it comes to now, where it was run already.
    private func updateReview() throws {
        guard let entry = entry(of: "4.3", mode), [.done, .undecided].contains(entry.kind),
            let open = openPlaces, entry.kind == .done ? open > 0 : entry.text != "\(open)"
        else { return }
        try journal.add(
            open > 0 ? .undecided : .done, "4.3", mode, open > 0 ? "\(open)" : "",
            evidence: ReviewStep.evidence(codePlaces()), basis: entry.basis)
    }

    /// A place by its key, or by a beginning that only it has.
    public func codePlace(_ key: String) throws -> CodePlace {
        let places = codePlaces()
        let found =
            places.filter { $0.id == key }.isEmpty
            ? places.filter { $0.id.hasPrefix(key) } : places.filter { $0.id == key }
        guard !key.isEmpty, found.count == 1, let place = found.first else {
            throw MigrationError(
                .state,
                found.isEmpty
                    ? "no place of the code has the key \(key)"
                    : "several places have a key that begins with \(key)",
                remedy: "howdah review lists them with their keys; step 4.1 scans the code.", exit: .usage)
        }
        return place
    }

    /// The lines around a place, as they are now.
    public func source(of key: String) throws -> CodeSource {
        let finding = try codePlace(key).finding
        let path = try codeScan(schema: nil).place(of: finding.path)
        guard let data = FileManager.default.contents(atPath: path) else {
            throw MigrationError(
                .projectFile, "\(path) cannot be read", remedy: "Scan again with r: the file may be gone.")
        }
        let lines = String(decoding: data, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
        let first = max(0, min(finding.line - 1, lines.count) - Self.linesAround)
        let last = min(lines.count, finding.line + Self.linesAround)
        return CodeSource(
            key: key, path: finding.path, first: first + 1,
            lines: lines[first..<max(first, last)].map { String($0.prefix(400)) })
    }

    private static let linesAround = 40

    /// The project's own file of a place: what is edited by hand is edited there, and a rehearsal's copy follows it.
    public func sourcePath(of key: String) throws -> String {
        "\(try codeFolder())/\(try codePlace(key).finding.path)"
    }

    public var hasScannedCode: Bool { codeRecord() != nil }

    /// A path as a user names it, relative to the project. Throws where there is no such file.
    public func codePath(_ path: String) throws -> String {
        let folder = try codeFolder()
        let candidates = [absolutePath(path), absolutePath("\(folder)/\(path)")]
        let top = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path + "/"
        let found = candidates.map { URL(fileURLWithPath: $0).resolvingSymlinksInPath().path }.first {
            $0.hasPrefix(top) && FileManager.default.fileExists(atPath: $0)
        }
        guard let found else {
            throw MigrationError(
                .projectFile, "there is no file \(path) in \(folder)",
                remedy: "Name it as howdah scan does, relative to the project.", exit: .usage)
        }
        return String(found.dropFirst(top.count))
    }

    // MARK: Scans

    /// The folder with the application's code.
    func codeFolder() throws -> String {
        guard let directory = workspace.location.projectDirectory else {
            throw MigrationError(
                .projectFile, "no project belongs to \(workspace.source.path)",
                remedy:
                    "Name the project's folder instead of the file; without code there is nothing to scan: settle it with -.",
                exit: .undecided)
        }
        return directory
    }

    /// A rehearsal scans its copy, where there is one.
    private func codeScan(schema: SchemaNames?) throws -> CodeScan {
        let folder = try codeFolder()
        let isCopy = mode == .rehearsal && FileManager.default.fileExists(atPath: rehearsalFolder)
        return CodeScan(root: isCopy ? rehearsalFolder : folder, schema: schema)
    }

    /// Brings the copy up to date: where a source of the project itself has changed since it was translated in the copy, it
    /// is copied anew, and its statements are to be translated again.
    private func refreshCode(_ cancellation: Cancellation) throws {
        guard mode == .rehearsal else { return }
        let folder = try codeFolder()
        let writer = try ChangeWriter(root: rehearsalFolder, state: workspace.state)
        let records = changes(of: "4.3", mode)
        for path in Set(records.map(\.path)).sorted() {
            let own = records.filter { $0.path == path }
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(path)"),
                sha256(of: data) != own.first?.before,
                try !writer.reversals(own).contains(where: \.isConflict)
            else { continue }
            try note(changes: writer.reversed(own), of: "4.3", mode)
            _ = try writer.undo(own)
            try journal.add(
                .note, "4.3", mode,
                "\(path) has changed in the project: the copy follows, and its translation is gone")
        }
        try ProjectCopy(of: folder, at: rehearsalFolder).refresh(
            except: Set(changedFiles(mode)), cancellation: cancellation)
    }

    func codeScan() throws -> CodeScan {
        // The snapshot's catalog knows collations, which the plan does not.
        let catalog = try cachedPreparation?.catalog ?? snapshot(mode)?.catalog()
        return try codeScan(schema: try planIfAny().map { SchemaNames($0, catalog: catalog) })
    }

    /// Scans the code and keeps what was found.
    func scanCode(_ cancellation: Cancellation) throws -> CodeScanResult {
        try refreshCode(cancellation)
        let result = try codeScan().run(workers: Self.workers, cancellation: cancellation)
        try keep(CodeRecord(result, after: try? CodeRecord.read(workspace.state)))
        return result
    }

    /// What a project's plan says of names; nil without one. Writes nothing. Throws where the plan cannot be read.
    public static func names(project: String, state override: String?) throws -> SchemaNames? {
        let folders = [override, "\(project)/.howdah"].compactMap(\.self)
        let path = folders.map { "\($0)/plan.yaml" }.first { FileManager.default.fileExists(atPath: $0) }
        return try path.map { SchemaNames(try PlanFile(path: $0).plan) }
    }
}
