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

    /// Throws where `path` is of no form, cannot be written, or is there already and `overwrites` is not said: before any long work.
    /// `forced` is how the asker says so.
    @discardableResult
    public static func check(_ path: String, overwrites: Bool, forced: String = "add --force") throws -> Form
    {
        guard let form = Form(path: path) else {
            throw MigrationError(
                .state, "\(path) says no form of a report", remedy: "Call it FILE.html or FILE.md.",
                exit: .usage)
        }
        var status = stat()
        // A link that leads nowhere is there too.
        if !overwrites, lstat(path, &status) == 0 {
            throw MigrationError(
                .state, "\(path) is there already", remedy: "Name another file, or \(forced).", exit: .usage)
        }
        var isFolder: ObjCBool = false
        let folder = (absolutePath(path) as NSString).deletingLastPathComponent
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            throw unwritable(path, "it is a folder")
        }
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
            throw unwritable(path, "there is no folder \(folder)")
        }
        guard isFolder.boolValue else { throw unwritable(path, "\(folder) is no folder") }
        // The file is made beside the old one and takes its place.
        guard access(folder, W_OK | X_OK) == 0 else {
            throw unwritable(path, "nothing can be written into \(folder)")
        }
        return form
    }

    fileprivate static func unwritable(_ path: String, _ why: String) -> MigrationError {
        MigrationError(
            .state, "\(path) cannot be written: \(why)",
            remedy: "Name a file in a folder that can be written.", exit: .usage)
    }
}

extension Playbook {
    /// The subject under which the journal has the reports that were written.
    static let reportSubject = "report"

    /// Writes a report into a file, and notes that in the journal where this howdah may write it.
    public func write(
        _ report: Report, to path: String, overwrites: Bool = false, forced: String = "add --force"
    ) throws {
        let form = try Report.check(path, overwrites: overwrites, forced: forced)
        let text = report.text(form)
        do {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        } catch {
            let cause = ((error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError) ?? error as NSError
            let isSystem = cause.domain == NSPOSIXErrorDomain
            throw Report.unwritable(
                path,
                isSystem
                    ? String(cString: strerror(Int32(truncatingIfNeeded: cause.code)))
                    : "the disk is full, or the folder is not what it was")
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
