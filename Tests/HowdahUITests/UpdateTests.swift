import MigrationEngine
import TerminalUI
import Testing

@testable import HowdahUI
@testable import Playbook

@Suite struct UpdateTests {
    private let update = Update(keys: Bindings.standard)

    /// Sends keys by their names; returns the effects of all.
    private func press(_ names: String, _ model: inout AppModel, time: Double = 0) -> [Effect] {
        names.split(separator: " ").flatMap { name -> [Effect] in
            guard let key = Key(String(name)) else {
                Issue.record("\(name) is no key")
                return []
            }
            return update(&model, .event(.key(key), time: time))
        }
    }

    private func model(_ book: BookState = SampleBook.start, _ size: Size = Size(100, 30)) -> AppModel {
        SampleBook.model(book, size)
    }

    private let preview = Preview([.init("Runs", ["SELECT 1"], .sql)])

    @Test func theFirstStepThatCanRunIsSelected() {
        #expect(model().selectedStep?.step == "1.1")
        #expect(model(SampleBook.made).selectedStep?.step == "3.2")
        #expect(model(SampleBook.made).section == .phase(3))
    }

    @Test func aProjectIsIntroducedOnce() {
        var first = model()
        Update.welcome(&first)
        #expect(first.overlays.count == 1)
        var later = model(SampleBook.made)
        Update.welcome(&later)
        #expect(later.overlays.isEmpty)
    }

    @Test func enterShowsThePreviewAndEnterThereRuns() {
        var model = model()
        #expect(press("Enter", &model) == [.preview("1.1", isUndo: false)])
        _ = update(&model, .previewed(step: "1.1", isUndo: false, preview))
        #expect(press("Enter", &model) == [.run("1.1")])
        #expect(model.overlays.isEmpty)
        #expect(model.work?.step == "1.1")
    }

    @Test func keysTypedAheadAskForNoSecondPreview() {
        var model = model()
        #expect(press("Enter Enter Enter", &model) == [.preview("1.1", isUndo: false)])
        _ = update(&model, .previewed(step: "1.1", isUndo: false, preview))
        #expect(model.overlays.count == 1)
    }

    @Test func liveAndUndoPreviewsBeginOnCancel() {
        var live = model(SampleBook.live)
        _ = update(&live, .previewed(step: "1.2", isUndo: false, preview))
        #expect(press("Enter", &live).isEmpty)
        #expect(live.overlays.isEmpty)
        var undo = model(SampleBook.made)
        _ = update(&undo, .previewed(step: "1.8", isUndo: true, preview))
        #expect(press("Enter", &undo).isEmpty)
        _ = update(&undo, .previewed(step: "1.8", isUndo: true, preview))
        #expect(press("Tab Enter", &undo) == [.undo("1.8")])
    }

    @Test func rowsGoOnlyWhenTheNameIsTyped() {
        var model = model(SampleBook.made)
        var preview = preview
        preview.confirmation = "chat"
        _ = update(&model, .previewed(step: "3.2", isUndo: true, preview))
        #expect(press("Tab Enter", &model).isEmpty)
        #expect(model.overlays.count == 1)
        #expect(press("c h a t Enter", &model) == [.undo("3.2")])
    }

    @Test func afterAStepTheNextOneIsSelected() {
        var model = model()
        model.work = WorkView(step: "1.1")
        let after = SampleBook.book(SampleBook.done(["1.1"]))
        _ = update(&model, .ended(step: "1.1", isUndo: false, after, nil))
        #expect(model.selectedStep?.step == "1.2")
        #expect(model.work == nil)
    }

    @Test func aFailureIsShownAndCanBeTriedAgain() {
        var model = model()
        _ = update(
            &model,
            .ended(
                step: "1.1", isUndo: false, SampleBook.start,
                Problem(step: "1.1", message: "no", remedy: "yes")))
        guard case .failure(let box) = model.overlays.last else {
            Issue.record("no failure is shown")
            return
        }
        #expect(box.message == "no")
        #expect(press("r", &model) == [.preview("1.1", isUndo: false)])
    }

    @Test func enterOnAFailedStepShowsWhy() {
        var model = model(SampleBook.failed)
        #expect(model.selectedStep?.step == "1.3")
        #expect(press("Enter", &model).isEmpty)
        guard case .failure(let box) = model.overlays.last else {
            Issue.record("no failure is shown")
            return
        }
        #expect(box.message.contains("connection refused"))
    }

    @Test func enterOnAnUndecidedStepLeadsToTheFindingsAndDecidesNothing() {
        var model = model(SampleBook.undecided)
        #expect(model.selectedStep?.step == "1.7")
        #expect(press("Enter Enter Enter Enter Enter Enter", &model).isEmpty)
        #expect(model.section == .findings)
    }

    /// What is open in other phases is no finding about the rows.
    @Test func enterOnAnUndecidedStepOfAnotherPhaseShowsWhatIsOpen() {
        var model = model(SampleBook.book(SampleBook.done(["1.1"]) + [("6.6", .undecided, "5")]))
        _ = press("6 G", &model)
        while let step = model.selectedStep, step.step != "6.6" { _ = press("k", &model) }
        #expect(press("Enter", &model).isEmpty)
        #expect(model.section == .phase(6))
        guard case .details(let step, _) = model.overlays.last else {
            Issue.record("the step's lines are not shown")
            return
        }
        #expect(step == "6.6")
    }

    @Test func aFindingIsDecidedWithO() {
        var model = model(SampleBook.undecided)
        #expect(
            press("8 o Enter", &model) == [
                .editPlan(.type(table: "User", column: "quotaBytes", type: "text"))
            ])
        _ = update(&model, .book(SampleBook.undecided))
        #expect(
            press("j o j j Enter", &model) == [
                .editPlan(.drop(table: "Message", name: "Message_senderId_fkey"))
            ])
        // What becomes of the rows is noted in the plan.
        let decision = Decision(finding: .orphanRows, place: "Message.senderId", choice: "quarantine")
        #expect(press("o j Enter", &model) == [.editPlan(.decide(decision))])
    }

    @Test func aManualStepIsTickedWithANote() {
        var model = model()
        _ = press("2 Space", &model)
        #expect(press("d o n e Enter", &model) == [.tick("2.1", note: "done")])
    }

    @Test func aTickAgainstTheEvidenceNeedsANote() {
        var model = model(SampleBook.doubted)
        #expect(press("7 j j j j Space Enter", &model).isEmpty)
        #expect(model.toast?.text == "not ticked: a tick against the evidence needs a note")
        #expect(press("Space o k Enter", &model) == [.tick("performance", note: "ok")])
        // One that only waits asks for none.
        #expect(press("j Space Enter", &model) == [.tick("backups", note: "")])
    }

    @Test func anAutomaticStepCannotBeTicked() {
        var model = model()
        #expect(press("Space", &model).isEmpty)
        #expect(model.toast?.text == "howdah runs this one: Enter shows what it would do")
    }

    @Test func quittingAsksWhileWorkRuns() {
        var model = model(SampleBook.made)
        model.work = SampleBook.work
        #expect(press("q", &model).isEmpty)
        #expect(press("Enter", &model).isEmpty, "the focus is on staying")
        #expect(press("q Tab Enter", &model) == [.cancel])
        #expect(update(&model, .ended(step: "3.2", isUndo: false, SampleBook.made, nil)) == [.quit(0)])
        var idle = self.model()
        #expect(press("q", &idle) == [.quit(0)])
    }

    @Test func controlCCancelsAndTwiceStops() {
        var model = model(SampleBook.made)
        model.work = SampleBook.work
        #expect(press("Ctrl-C", &model, time: 10) == [.cancel])
        #expect(press("Ctrl-C", &model, time: 10.5) == [.quit(130)])
        #expect(press("Ctrl-C", &model, time: 20) == [.cancel])
        #expect(press("Ctrl-C", &model, time: 22) == [.cancel])
    }

    @Test func escapeNeverCancelsWork() {
        var model = model(SampleBook.made)
        model.work = SampleBook.work
        #expect(press("Esc Esc Esc Esc", &model).isEmpty)
        #expect(model.work != nil)
    }

    @Test func pauseAndCancelWorkOnlyWhileWorkRuns() {
        var model = model(SampleBook.made)
        #expect(press("p x", &model).isEmpty)
        model.work = SampleBook.work
        #expect(press("p", &model) == [.pause])
        #expect(press("x", &model) == [.cancel])
    }

    @Test func goingLiveAsksForTheDatabasesName() {
        var book = SampleBook.proven
        book.liveTarget = "postgresql://chat@db/chat"
        book.liveDatabase = "chat"
        var model = model(book)
        _ = press("L Tab", &model)
        #expect(press("Enter", &model).isEmpty)
        #expect(press("c h e t Enter", &model).isEmpty)
        #expect(model.toast?.text == "that is not “chat”; Esc leaves")
        #expect(press("Backspace Backspace a t Enter", &model) == [.setMode(.live)])
        var unnamed = self.model(SampleBook.proven)
        _ = press("L", &unnamed)
        _ = update(&unnamed, .event(.paste("postgresql://chat@db/chat"), time: 0))
        #expect(press("Enter", &unnamed) == [.setTarget("postgresql://chat@db/chat")])
        _ = update(&unnamed, .book(book))
        guard case .confirm(let box) = unnamed.overlays.last else {
            Issue.record("going live is not asked")
            return
        }
        #expect(box.expected == "chat")
    }

    @Test func lettersGoIntoAFieldAndNowhereElse() {
        var model = model()
        _ = press(": q j x Esc", &model)
        #expect(model.overlays.isEmpty)
        #expect(press(": t h e m e Space l i g h t Enter", &model) == [.theme("light")])
        #expect(model.theme == "light")
    }

    @Test func aCommandsNameIsCompleted() {
        var model = model()
        _ = press(": t h Tab l Tab", &model)
        guard case .prompt(let box) = model.overlays.last else {
            Issue.record("no prompt")
            return
        }
        #expect(box.field.text == "theme light")
    }

    @Test func thePickerOfThemesShowsWhileMovingAndEscapeGoesBack() {
        var model = model()
        #expect(press(": t h e m e Enter j", &model) == [.theme("light")])
        #expect(press("Esc", &model) == [.theme("default")])
    }

    @Test func aPageOfDifferencesIsFetchedWhenItIsNeeded() {
        var model = model(SampleBook.differing)
        _ = press("3 Tab", &model)
        if model.pane == .rail { _ = press("Tab", &model) }
        model.pane = .tables
        model.lists[.tables] = ListState(selected: 2)
        #expect(press("Enter", &model) == [.page(table: "Message", .all, first: 0)])
        let rows = (0..<60).map { number in
            RowPair(
                difference: RowDifference(kind: .changed, key: "\(number)", columns: ["content"]),
                cells: [.init(column: "content", source: .text("a"), target: .null)])
        }
        _ = update(&model, .page(DifferencePage(table: "Message", rows: rows, kept: 100_000)))
        #expect(press("j j j", &model).isEmpty)
        #expect(press("G", &model) == [.page(table: "Message", .all, first: 99_979)])
        #expect(press("k", &model).isEmpty, "one page is on its way")
    }

    private func differing() -> AppModel {
        var model = model(SampleBook.differing)
        var summary = DifferenceSummary()
        summary.changed = 90
        summary.missing = 10
        summary.columns = [
            .init(column: "content", groups: [.init(nature: .letterCase, rows: 80)]),
            .init(column: "at", groups: [.init(nature: .time, rows: 10, low: 3600, high: 3600)]),
        ]
        let row = RowPair(
            difference: RowDifference(kind: .changed, key: "7", columns: ["at"]),
            cells: [.init(column: "at", source: .text("a"), target: .null)])
        model.overlays = [.proof(DifferenceBox(table: "Message", differences: 100, kept: 100))]
        _ = update(
            &model, .page(DifferencePage(table: "Message", rows: [row], kept: 100, summary: summary)))
        return model
    }

    private func box(_ model: AppModel) -> DifferenceBox? {
        if case .proof(let box) = model.overlays.last { box } else { nil }
    }

    @Test func rowsThatDifferAreFilteredByKindAndColumn() {
        var model = differing()
        #expect(press("f", &model).isEmpty)
        guard case .choose(let choice) = model.overlays.last else {
            Issue.record("no list of filters")
            return
        }
        #expect(
            choice.choices == [
                "all rows that differ, 100", "changed, 90", "missing in PostgreSQL, 10",
                "content differs in 80 rows, in letter case only",
                "at differs in 10 rows, always by +3,600 s",
            ])
        let wanted = DifferenceFilter(column: "at")
        #expect(press("j j j j Enter", &model) == [.page(table: "Message", wanted, first: 0)])
        // A page of before comes too late.
        _ = update(&model, .page(DifferencePage(table: "Message", kept: 100)))
        #expect(box(model)?.isLoading == true)
        let row = RowPair(difference: RowDifference(kind: .changed, key: "8", columns: ["at"]), cells: [])
        _ = update(&model, .page(DifferencePage(table: "Message", filter: wanted, rows: [row], kept: 10)))
        #expect(box(model)?.rows.map(\.difference.key) == ["8"])
        #expect(box(model)?.kept == 10)
    }

    @Test func aRowThatDiffersIsFoundByItsKey() {
        var model = differing()
        _ = press("/", &model)
        _ = update(&model, .event(.paste("abc"), time: 0))
        func effect(_ number: Int, _ isBackward: Bool) -> Effect {
            .findDifference(table: "Message", .all, text: "abc", after: number, isBackward: isBackward)
        }
        #expect(press("Enter", &model) == [effect(0, false)])
        let effects = update(&model, .foundDifference(table: "Message", 77))
        #expect(effects == [.page(table: "Message", .all, first: 57)])
        #expect(box(model)?.selected == 77)
        #expect(press("n", &model) == [effect(77, false)])
        #expect(press("N", &model) == [effect(77, true)])
        #expect(update(&model, .foundDifference(table: "Message", nil)).isEmpty)
        #expect(model.toast?.text.contains("abc") == true)
    }

    @Test func rowsThatDifferAreCopiedAgainAfterAPreview() {
        var model = differing()
        #expect(press("R", &model).isEmpty)
        guard case .choose(let choice) = model.overlays.last else {
            Issue.record("no list of repairs")
            return
        }
        #expect(
            choice.choices == [
                "copy again: the row 7", "copy again: 100 rows of Message, missing or changed",
            ])
        let request = RepairRequest(tables: ["Message"])
        #expect(press("j Enter", &model) == [.previewCopyAgain(request)])
        _ = update(&model, .copying(request, Preview([.init("Copies", ["100 rows"])])))
        #expect(press("Enter", &model) == [.copyAgain(request)])
        #expect(model.overlays.isEmpty, "what the proof has found is about to be another")
        // In LIVE a careless Enter does nothing.
        model.work = nil
        model.book?.mode = .live
        _ = update(&model, .copying(request, Preview([.init("Copies", ["100 rows"])])))
        #expect(press("Enter", &model).isEmpty)
    }

    @Test func onceTheApplicationUsesTheTargetRowsThatAreNotNamedAreThoseNeverRight() {
        var model = differing()
        model.book?.isTargetInUse = true
        #expect(press("R", &model).isEmpty)
        guard case .choose(let choice) = model.overlays.last else {
            Issue.record("no list of repairs")
            return
        }
        #expect(
            choice.choices == [
                "copy again: the row 7",
                "copy again: rows of Message that were never right, of 100 rows missing or changed",
            ])
        #expect(
            press("j Enter", &model) == [
                .previewCopyAgain(RepairRequest(tables: ["Message"], onlyNeverRight: true))
            ])
    }

    @Test func inTheBytesKeysJumpToTheNextThatDiffer() {
        var model = model()
        var right = [UInt8](repeating: 0, count: 4000)
        for index in [3, 4, 2000, 3999] { right[index] = 1 }
        model.overlays = [
            .bytes(HexBox(title: "t", left: [UInt8](repeating: 0, count: 4000), right: right, place: 3))
        ]
        func place() -> Int? {
            if case .bytes(let box) = model.overlays.last { box.place } else { nil }
        }
        for (key, expected) in [("]", 2000), ("]", 3999), ("]", 3999), ("[", 2000), ("[", 3), ("[", 3)] {
            _ = press(key, &model)
            #expect(place() == expected)
        }
    }

    @Test func theMouseSelectsAndTwoClicksOpen() {
        var model = model()
        let pane = model.layout.pane
        _ = update(&model, .event(.click(x: pane.x + 4, y: pane.y + 3, isDouble: false), time: 0))
        #expect(model.selectedStep?.step == "1.3")
        #expect(
            update(&model, .event(.click(x: pane.x + 4, y: pane.y + 3, isDouble: true), time: 0)) == [
                .preview("1.3", isUndo: false)
            ])
        _ = update(&model, .event(.click(x: 3, y: 9, isDouble: false), time: 0))
        #expect(model.section == .checklist)
    }

    @Test func noKeyIsBoundTwiceInOneContext() {
        #expect(Bindings.standard.conflicts.isEmpty)
    }

    @Test func everyActionHasAKeyOrIsPartOfABox() {
        let bound = Set(Bindings.standard.bindings.map(\.action))
        #expect(Action.allCases.filter { !bound.contains($0) } == [])
    }

    @Test func listsAreFilteredAndTablesSorted() {
        var model = model(SampleBook.differing)
        #expect(press("3", &model).isEmpty)
        model.pane = .tables
        _ = press("f", &model)
        _ = update(&model, .event(.paste("CONV"), time: 0))
        _ = press("Enter", &model)
        #expect(model.shownTables.map(\.name) == ["Conversation"])
        #expect(model.selectedTable == "Conversation")
        _ = press("Esc", &model)
        #expect(model.shownTables.count == 4)
        _ = press("s", &model)
        #expect(model.shownTables.first?.name == "Message")
        #expect(model.shownPlan.map(\.name) == model.shownTables.map(\.name))
    }

    @Test func aRemarkGoesIntoTheJournal() {
        var model = model()
        _ = press("a w h y", &model)
        #expect(press("Enter", &model) == [.note("1.1", "why")])
    }

    @Test func theUsersKeysWin() {
        var table = Bindings.standard
        let problems = table.apply([("quit", ["Q"]), ("help", ["q"]), ("fly", ["f"]), ("pause", ["Hyper-X"])])
        #expect(table.action(of: .character("Q"), in: [.everywhere]) == .quit)
        #expect(table.action(of: .character("q"), in: [.everywhere]) == .help)
        #expect(table.conflicts.isEmpty)
        #expect(problems == ["there is no action fly", "pause: not every one of Hyper-X is a key"])
    }

    // MARK: Places in the code

    private func code() -> AppModel {
        var model = model(
            SampleBook.book([("4.1", .done, "")], places: SampleBook.places))
        _ = press("4 Tab", &model)
        return model
    }

    @Test func theLinesAroundAPlaceAreAskedForOnce() {
        var model = model(SampleBook.book([("4.1", .done, "")], places: SampleBook.places))
        #expect(press("4", &model) == [.source("1a")])
        #expect(press("r", &model).allSatisfy { $0 != .source("1a") })
        model = code()
        #expect(press("j", &model) == [.source("2b")])
        #expect(press("k j", &model) == [.source("1a"), .source("2b")])
    }

    @Test func settledPlacesStandAfterTheOpenOnes() {
        #expect(code().shownPlaces.map(\.id) == ["1a", "2b", "3c"])
        #expect(model(SampleBook.book(places: SampleBook.places.reversed())).shownPlaces.last?.id == "3c")
    }

    @Test func aPlaceIsSettledWithANote() {
        var model = code()
        #expect(press("Space j Enter", &model).isEmpty)
        #expect(
            press("o k Enter", &model) == [.settle(place: "1a", .notApplicable, note: "ok")])
        #expect(press("Space j j Enter", &model) == [.settle(place: "1a", .fixed, note: "")])
    }

    @Test func aStatementIsTranslatedAfterItsPreview() {
        var model = code()
        #expect(press("t", &model) == [.previewTranslation(statement: "s1")])
        #expect(press("t", &model).isEmpty)
        let diff = Preview([.init("Changes a.ts", ["-a", "+b"], .diff)])
        _ = update(&model, .translation(statement: "s1", diff))
        #expect(press("Enter", &model) == [.translate(statement: "s1")])
        #expect(model.work?.step == "4.3")
        model = code()
        #expect(press("T", &model) == [.previewTranslation(statement: nil)])
        _ = update(&model, .translation(statement: nil, Preview([.init("Changes no file", ["why"])])))
        // Nothing to be done: Enter only closes.
        #expect(press("Enter", &model).isEmpty && model.overlays.isEmpty)
    }

    @Test func whatIsNoSQLIsNotTranslated() {
        var model = code()
        #expect(press("G t", &model).filter { $0 != .source("3c") }.isEmpty)
        #expect(model.toast?.text.contains("no SQL") ?? false)
    }

    @Test func theEditorOpensAtAPlaceAndTheScanRunsAnew() {
        var model = code()
        #expect(press("e", &model) == [.editSource("1a")])
        #expect(press("r", &model) == [.run("4.1")])
    }

    @Test(arguments: [
        ("vi", ["+12", "a.ts"]), ("/usr/bin/nvim -f", ["+12", "a.ts"]),
        ("code", ["--wait", "--goto", "a.ts:12"]), ("hx", ["a.ts:12"]), ("gedit", ["a.ts"]),
    ])
    func editorsAreToldTheLineInTheirOwnWay(editor: String, arguments: [String]) {
        #expect(Editor.arguments("a.ts", 12, editor) == arguments)
    }

    @Test func aReviewThatWaitsLeadsToThePlaces() {
        var model = model(
            SampleBook.book([("4.1", .done, ""), ("4.3", .undecided, "2")], places: SampleBook.places))
        _ = press("4 j j Enter", &model)
        #expect(model.pane == .places && model.section == .phase(4))
    }

    // MARK: Files of the project

    @Test func filesAreAskedForOnceAndAgainAfterWork() {
        var model = model()
        #expect(press("2", &model) == [.files])
        #expect(press("j k", &model).isEmpty)
        _ = update(&model, .files(SampleBook.files))
        _ = update(&model, .ended(step: "2.2", isUndo: false, SampleBook.start, nil))
        _ = press("Esc", &model)
        #expect(press("2 j", &model).isEmpty)
        #expect(model.showsFiles)
    }

    @Test func aFileIsChangedOrBroughtBackAlone() {
        var model = model()
        _ = press("2", &model)
        _ = update(&model, .files(SampleBook.files))
        _ = press("Tab", &model)
        #expect(model.pane == .files)
        #expect(press("Space Enter", &model) == [.applyFile(SampleBook.files[0])])
        model.isBusy = false
        // Bringing back begins on cancel.
        #expect(press("j u Enter", &model).isEmpty)
        #expect(press("u Tab Enter", &model) == [.takeBackFile(SampleBook.files[1])])
        model.isBusy = false
        #expect(press("k u", &model).isEmpty)
        #expect(model.toast?.text == "it is as it was")
    }
}
