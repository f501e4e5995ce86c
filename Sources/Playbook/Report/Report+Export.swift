import Foundation
import MigrationEngine

extension Report {
    /// The forms of the document; a file's ending says which.
    public enum Form: String, CaseIterable, Sendable {
        case html, markdown

        /// nil where the ending is that of no form.
        public init?(path: String) {
            switch (path as NSString).pathExtension.lowercased() {
            case "html", "htm": self = .html
            case "md", "markdown": self = .markdown
            default: return nil
            }
        }
    }

    public func text(_ form: Form) -> String {
        form == .html ? document.html : document.markdown
    }

    /// Throws where `path` is of no form, or is there already and `overwrites` is not said: before any long work.
    @discardableResult
    public static func check(_ path: String, overwrites: Bool) throws -> Form {
        guard let form = Form(path: path) else {
            throw MigrationError(
                .state, "\(path) says no form of a report", remedy: "Call it FILE.html or FILE.md.",
                exit: .usage)
        }
        var status = stat()
        // A link that leads nowhere is there too.
        if !overwrites, lstat(path, &status) == 0 {
            throw MigrationError(
                .state, "\(path) is there already", remedy: "Name another file, or add --force.", exit: .usage
            )
        }
        return form
    }
}

extension Playbook {
    /// The subject under which the journal has the reports that were written.
    static let reportSubject = "report"

    /// Writes a report into a file, and notes that in the journal where this howdah may write it.
    public func write(_ report: Report, to path: String, overwrites: Bool = false) throws {
        let form = try Report.check(path, overwrites: overwrites)
        let text = report.text(form)
        do {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        } catch {
            throw MigrationError(
                .state, "\(path) cannot be written: \(error.localizedDescription)",
                remedy: "Name a file in a folder that can be written.", exit: .usage)
        }
        guard isWriter else { return }
        let absolute = absolutePath(path)
        try journal.add(
            .done, Self.reportSubject, report.mode, report.sentence,
            evidence: [absolute, "sha256 \(sha256(of: Data(text.utf8)))", report.sentence], data: absolute)
    }

    /// The report as a step that speaks for the checklist: written, and still where it was written to.
    func reportLine(_ mode: Mode) -> BookState.StepLine {
        let entry = journal.last(Self.reportSubject, mode) { $0.kind == .done }
        let state: StepState =
            if let entry {
                access(entry.data ?? "", F_OK) == 0
                    ? .done : .stale("\(entry.data ?? "") is not there any more", blocks: false)
            } else { .ready }
        return BookState.StepLine(
            step: Self.reportSubject, title: "of the migration", state: state,
            evidence: entry?.evidence ?? [], when: entry?.time ?? "", who: entry?.who ?? "", note: "",
            isManual: false, canSkip: false, byHand: [], undoObstacle: nil)
    }
}
