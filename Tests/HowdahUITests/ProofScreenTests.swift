import MigrationEngine
import TerminalUI
import Testing

@testable import HowdahUI
@testable import Playbook

/// Rows that differ, what is done about them, and what is said where nothing is found.
@Suite struct ProofScreenTests {
    private let update = Update(keys: Bindings.standard)
    private static let look = Look(theme: Themes.shipped.standard, symbols: .unicode)

    private func press(_ names: String, _ model: inout AppModel) -> [Effect] {
        names.split(separator: " ").flatMap { name in
            Key(String(name)).map { update(&model, .event(.key($0), time: 0)) } ?? []
        }
    }

    private func screen(_ model: AppModel) -> String {
        Screen(model, Self.look, keys: Bindings.standard).draw().buffer.lines.joined(separator: "\n")
    }

    private func model(_ book: BookState, _ cells: [RowPair.Cell] = []) -> AppModel {
        var model = SampleBook.model(book, Size(100, 30))
        model.go(to: .phase(3))
        guard !cells.isEmpty else { return model }
        let kind: RowDifference.Kind = cells.allSatisfy { $0.target == nil } ? .missing : .changed
        let row = RowPair(
            difference: RowDifference(kind: kind, key: "7", columns: cells.map(\.column)), cells: cells)
        model.overlays = [
            .proof(
                DifferenceBox(table: "Message", differences: 3, kept: 3, rows: [row], isLoading: false))
        ]
        return model
    }

    private static let cell = RowPair.Cell(column: "content", source: .text("a"), target: .text("b"))

    // MARK: Digests

    @Test func digestsOfBeforeTheLastProofAreNoVerdict() {
        var book = SampleBook.digested
        for index in book.tables.indices { book.tables[index].digest?.isOutdated = true }
        var equal = model(book)
        _ = press("3 Tab Enter", &equal)
        for shown in [screen(model(book, [Self.cell])), screen(equal)] {
            #expect(shown.contains("digests of 2026-01-02 03:04:05 UTC, before the last load or proof"))
            #expect(shown.contains("compute them anew with howdah digest"))
            #expect(!shown.contains("4b5a6978") && !shown.contains("UTC: "))
        }
    }

    // MARK: After a repair

    private func repaired(_ model: inout AppModel, _ state: String, _ differences: Int) -> [Effect] {
        let request = RepairRequest(tables: ["Message"], keys: ["7"])
        _ = update(&model, .copying(request, Preview([.init("Copies", ["1 row"])])))
        #expect(press("Enter", &model) == [.copyAgain(request)])
        let tables = [
            SampleBook.table(
                "Message", 10, loaded: 10, verdict: differences > 0 ? "differs" : "equal",
                differences: differences)
        ]
        let book = SampleBook.book(
            SampleBook.done(["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8", "3.2", "3.3"]) + [
                ("3.4", differences > 0 ? .failed : .done, state),
                ("3.5", differences > 0 ? .failed : .done, state),
            ], hasPlan: true, tables: tables)
        return update(&model, .ended(step: "3.5", isUndo: false, book, nil))
    }

    @Test func aRepairOfChosenRowsIsASuccessAndShowsTheRowsThatStillDiffer() {
        var model = model(SampleBook.differing, [Self.cell])
        let effects = repaired(&model, "2 rows differ in Message", 2)
        #expect(effects == [.page(table: "Message", .all, first: 0)])
        guard case .proof(let box) = model.overlays.last else {
            Issue.record("the rows are gone: \(model.overlays)")
            return
        }
        #expect(model.overlays.count == 1 && box.differences == 2 && box.isLoading)
        #expect(model.toast?.text == "evidence of 3.5; 2 rows still differ; u on 3.5 puts them back")
        #expect(model.toast?.role == .ok)
        #expect(model.selectedStep?.step == "3.5")
    }

    @Test func afterTheLastRowThatDiffersTheListIsClosed() {
        var model = model(SampleBook.differing, [Self.cell])
        #expect(repaired(&model, "", 0).isEmpty)
        #expect(model.overlays.isEmpty)
        #expect(model.toast?.text.contains("no row differs any more") == true)
    }

    @Test func aFilterThatTakesNoRowAnyMoreGivesWayToAll() {
        var model = model(SampleBook.differing, [Self.cell])
        let filter = DifferenceFilter(kind: .missing)
        _ = update(&model, .event(.key(.escape), time: 0))
        model.overlays = [.proof(DifferenceBox(table: "Message", differences: 2, kept: 2, filter: filter))]
        var summary = DifferenceSummary()
        summary.changed = 2
        let page = DifferencePage(table: "Message", filter: filter, kept: 0, summary: summary)
        #expect(update(&model, .page(page)) == [.page(table: "Message", .all, first: 0)])
    }

    @Test func afterTheWholeRepairItsStepStaysSelected() {
        var model = model(SampleBook.differing)
        model.select(step: "3.5")
        let steps = ["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8", "3.2", "3.3", "3.4", "3.5"]
        let book = SampleBook.book(SampleBook.done(steps), hasPlan: true)
        _ = update(&model, .ended(step: "3.5", isUndo: false, book, nil))
        #expect(model.selectedStep?.step == "3.5")
        #expect(model.toast?.text == "3.5 differences: evidence of 3.5")
    }

    // MARK: What is not found

    @Test(arguments: [
        ("3 Tab f", "no table’s name has “xyz” in it: Esc clears the filter"),
        ("1 k Tab f", "no table’s name has"), ("8 f", "no finding has “xyz” in it"),
        ("9 f", "no entry has “xyz” in it"),
    ]) func aFilterThatHidesEverythingIsNamed(_ keys: String, _ words: String) {
        var model = model(SampleBook.planned)
        _ = press(keys + " x y z Enter", &model)
        #expect(screen(model).contains(words), "\(screen(model))")
    }

    @Test func aFilterThatHidesTheRowIsNamed() {
        var model = model(SampleBook.differing, [Self.cell])
        guard case .proof(var box) = model.overlays.last else { return }
        box.search = "30"
        box.filter = DifferenceFilter(kind: .missing)
        model.overlays = [.proof(box)]
        _ = update(&model, .foundDifference(table: "Message", nil))
        #expect(
            model.toast?.text
                == "no key of the rows shown (missing in PostgreSQL) has “30” in it; f shows others")
    }

    // MARK: Values

    @Test(arguments: ["", "w"]) func whatDiffersIsToBeSeenWrappedAndCut(_ keys: String) {
        var model = model(
            SampleBook.differing,
            [
                .init(column: "a", source: .text("x\ny"), target: .text("x\r\ny")),
                .init(column: "b", source: .text(""), target: .text("\n\t ")),
            ])
        _ = press(keys, &model)
        let shown = screen(model)
        for sign in ["x␊y", "x␍␊y", "␊⇥·"] { #expect(shown.contains(sign), "\(sign)\n\(shown)") }
    }

    @Test func bytesOfARowThatIsAbsentAreNotNull() {
        var model = model(SampleBook.differing, [.init(column: "content", source: .null, target: nil)])
        _ = press("Enter", &model)
        let shown = screen(model)
        #expect(shown.contains("NULL") && shown.contains("no such row"), "\(shown)")
    }

    // MARK: Help and reports

    @Test func theHelpNamesItsOwnKeys() {
        var model = model(SampleBook.planned)
        _ = press("?", &model)
        let footer = screen(model).split(separator: "\n").last ?? ""
        #expect(footer.contains("Esc close") && !footer.contains("take") && !footer.contains("complete"))
    }

    @Test(arguments: [("report", false), ("report!", true)])
    func aReportIsWrittenOverAnotherOnlyOnTheOperatorsWord(_ command: String, _ overwrites: Bool) {
        var model = model(SampleBook.planned)
        _ = press(":", &model)
        _ = update(&model, .event(.paste("\(command) r.html"), time: 0))
        #expect(press("Enter", &model) == [.writeReport("r.html", overwrites: overwrites)])
    }
}
