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
                note: entry?.note ?? (isGone ? "gone from the code" : ""),
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
        let path = try sourcePath(of: key)
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

    /// The file of a place: the project's own, or the copy's where the rehearsal has changed it.
    public func sourcePath(of key: String) throws -> String {
        let finding = try codePlace(key).finding
        return try codeScan(schema: nil).place(of: finding.path)
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

    private func codeScan(schema: SchemaNames?) throws -> CodeScan {
        let copies = (root: rehearsalFolder, paths: Set(changedFiles(.rehearsal)))
        return CodeScan(
            root: try codeFolder(), schema: schema, copies: mode == .rehearsal ? copies : nil)
    }

    func codeScan() throws -> CodeScan { try codeScan(schema: try planIfAny().map(SchemaNames.init)) }

    /// Scans the code and keeps what was found.
    func scanCode(_ cancellation: Cancellation) throws -> CodeScanResult {
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
