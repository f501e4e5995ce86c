import Foundation
import MigrationEngine

/// The checklist as a document to keep.
extension Checklist {
    /// The forms of the document; a file's ending says which.
    enum Form {
        case markdown, html

        init(path: String) {
            let ending = (path as NSString).pathExtension.lowercased()
            self = ["html", "htm"].contains(ending) ? .html : .markdown
        }

        /// What every such document begins with, by which an earlier one is known.
        var mark: String {
            switch self {
            case .markdown: "# Checklist: "
            case .html: "<!DOCTYPE html>\n<!-- howdah: checklist -->\n"
            }
        }
    }

    /// Writes the checklist as HTML where the file is called so, otherwise as Markdown. An earlier one is replaced; any other
    /// file is left alone, and the write refused.
    public static func export(_ state: BookState, to path: String) throws {
        func refused(_ why: String) -> MigrationError {
            MigrationError(
                .state, "\(path) \(why)", remedy: "Name another file, in a folder that can be written.",
                exit: .usage)
        }
        let form = Form(path: path)
        var status = stat()
        // A link that leads nowhere is there too.
        if lstat(path, &status) == 0 {
            let start = isFile(path) ? beginning(of: path) : Data()
            guard start.starts(with: Data(form.mark.utf8)) else {
                throw refused("is there already, and is no checklist")
            }
        }
        let lines = form == .html ? html(state) : markdown(state)
        do {
            try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        } catch {
            throw refused("cannot be written: \(error.localizedDescription)")
        }
    }

    /// Only of a file: what is none (a pipe) could keep its reader waiting.
    private static func isFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    private static func beginning(of path: String) -> Data {
        guard let file = FileHandle(forReadingAtPath: path) else { return Data() }
        defer { try? file.close() }
        return (try? file.read(upToCount: 100)) ?? Data()
    }

    // MARK: Markdown

    static func markdown(_ state: BookState) -> [String] {
        [
            Form.markdown.mark + escaped(state.title), "",
            "\(escaped(state.sourcePath)) → \(escaped(state.target)), \(state.mode == .live ? "live" : "rehearsal")",
            "",
        ]
            + state.checklist.flatMap { item -> [String] in
                let who = item.isTicked ? " (\(escaped(item.who)), \(item.when))" : ""
                return ["- [\(item.isTicked ? "x" : " ")] \(escaped(item.title))\(who)"]
                    + (item.note.isEmpty ? [] : ["  - note: \(escaped(item.note))"])
                    + item.doubts.map { "  - **\(escaped($0))**" }
                    + (item.isTicked ? [] : item.obstacles.map { "  - \(escaped($0))" })
                    + item.links.flatMap { link -> [String] in
                        let who = link.when.isEmpty ? "" : " (\(link.who), \(link.when))"
                        return ["  - \(escaped(link.words + who))"]
                            + link.evidence.map { "    - \(escaped($0))" }
                    }
            }
    }

    private static func escaped(_ text: String) -> String {
        shown(text).map { "\\`*_[]<>#|&~".contains($0) ? "\\\($0)" : String($0) }.joined()
    }

    /// Without what breaks a line, or turns the direction of writing.
    static func shown(_ text: String) -> String {
        var shown = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: shown.append(" ")
            case .format where scalar != "\u{200D}": shown.append("\u{FFFD}")
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }
}
