import AppProject
import ArgumentParser
import MigrationEngine
import Playbook

struct ReviewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "review",
        abstract: "List what was found in the application's code, and decide about each place.",
        discussion: """
            Without a key: every place with its state and its key, scanned anew with --scan. With a key, or the beginning of
            one, and --decide: the place is accepted, not-applicable, fixed, or open again. Decisions go by what stands at a
            place, not by its line, and hold for later scans.
            """)

    @Argument(help: "A project's folder.")
    var project: String = "."

    @Argument(help: "The key of a place, or the beginning of one.")
    var key: String?

    @Option(help: "accepted, not-applicable, fixed or open.")
    var decide: CodePlace.State?

    @Option(help: "Why; it goes into the journal.")
    var note = ""

    @Flag(help: "Scan the code first.")
    var scan = false

    @OptionGroup var book: BookOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if (key == nil) != (decide == nil) {
            throw ValidationError(
                "a decision takes both: the key of a place, and --decide accepted|not-applicable|fixed|open")
        }
    }

    func run() throws {
        CommandRunner.run(common) { cancellation in
            // To look needs no lock, so that it works beside the screens.
            let reader = try self.book.openForFiles(project, common, isWriter: false)
            let isLook = key == nil && !scan && reader.hasScannedCode
            let book = isLook ? reader : try self.book.openForFiles(project, common)
            defer { if !isLook { book.close() } }
            if !isLook { try book.scanCode(again: scan, cancellation) }
            if let key, let decide { try book.settle(key, as: decide, note: note) }
            let places = book.codePlaces()
            if common.json {
                Console.json(ReviewDocument(places))
            } else {
                Self.lines(places).forEach(Console.result)
            }
            return .success
        }
    }

    private static func lines(_ places: [CodePlace]) -> [String] {
        var lines: [String] = []
        for state in CodePlace.State.allCases {
            let these = places.filter { $0.state == state }
            guard !these.isEmpty else { continue }
            lines.append("\(state.words): \(Format.count(these.count, "place", "places"))")
            lines += these.map { place in
                "  \(place.id)  \(place.finding.path):\(place.finding.line)  \(place.finding.severity.rawValue)  \(place.title) → "
                    + place.equal + (place.note.isEmpty ? "" : "  (\(place.note))")
            }
        }
        let open = places.count(where: \.isOpen)
        return lines + [
            open == 0
                ? "nothing is left to decide"
                : "\(Format.count(open, "place waits", "places wait")) for a decision"
        ]
    }
}

extension CodePlace.State: ExpressibleByArgument {}

extension Playbook {
    /// Runs step 4.1, where it has not been run.
    fileprivate func scanCode(again: Bool, _ cancellation: Cancellation) throws {
        guard again || overview(isQuick: true).step("4.1")?.state != .done else { return }
        try working("4.1", cancellation) { try run("4.1", $0) }
    }
}

/// What `review --json` prints.
private struct ReviewDocument: Encodable {
    struct Place: Encodable {
        let key: String
        let state: String
        let note: String
        let rule: String
        let severity: String
        let path: String
        let line: Int
        let title: String
        let equal: String
        let server: String?
    }

    let command = "review"
    let outcome = "answered"
    let exit = 0
    let open: Int
    let places: [Place]

    private static func words(_ verdict: CodePlace.Verdict?) -> String? {
        switch verdict {
        case .prepared?: "prepared"
        case .refused(let reason)?: reason
        case nil: nil
        }
    }

    init(_ places: [CodePlace]) {
        open = places.count(where: \.isOpen)
        self.places = places.map { place in
            Place(
                key: place.id, state: place.state.rawValue, note: place.note, rule: place.finding.rule,
                severity: place.finding.severity.rawValue, path: place.finding.path, line: place.finding.line,
                title: place.title, equal: place.equal, server: Self.words(place.verdict))
        }
    }
}

struct TranslateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "translate",
        abstract:
            "Translate the SQL in the application's code for PostgreSQL, and write it into the source files.",
        discussion: """
            Each statement that needs it is changed where it must, tried on the target, and written into its string; what has
            no equal, or is refused, stays and is named, and the command ends with 3 while anything waits for a decision. Without --live a copy of the project is changed. --preview shows the
            changes as a diff. howdah rollback brings every byte back.
            """)

    @Option(help: ArgumentHelp("Only the statements of this file; may be given again.", valueName: "file"))
    var only: [String] = []

    @OptionGroup var edit: EditOptions
    @OptionGroup var book: BookOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        CommandRunner.run(common) { cancellation in
            let book = try book.openForFiles(edit.project, common)
            defer { book.close() }
            try book.scanCode(again: false, cancellation)
            let paths = only.isEmpty ? nil : Set(try only.map { try book.codePath($0) })
            let work = EditSteps(command: "translate", book: book, common: common, cancellation: cancellation)
            if edit.preview {
                return work.show([
                    (
                        "4.3",
                        try book.working(nil, cancellation) {
                            try book.previewTranslation(nil, paths: paths, $0)
                        }
                    )
                ])
            }
            try work.confirm(edit.yes)
            try book.working("4.3", cancellation) { try book.translate(nil, paths: paths, $0) }
            _ = work.report(["4.3"])
            // What it could not translate waits for somebody.
            return book.overview(isQuick: true).step("4.3")?.state == .done ? .success : .undecided
        }
    }
}
