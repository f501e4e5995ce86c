import MigrationEngine
import Playbook
import TerminalUI

/// Keys among the rows that differ.
extension Update {
    func performInProof(_ action: Action, _ box: DifferenceBox, _ model: inout AppModel) -> [Effect] {
        var box = box
        let index = model.overlays.count - 1
        switch action {
        case .filter:
            chooseFilter(box, &model)
            return []
        case .copyAgain:
            chooseRepair(box, &model)
            return []
        case .find:
            prompt(
                .findDifference, "Find a row", ["A part of its key; n and N go on."], &model, text: box.search
            )
            return []
        case .findNext, .findPrevious: return find(box, isBackward: action == .findPrevious, &model)
        case .nextDifference: return moveDifference(by: 1, &model)
        case .previousDifference: return moveDifference(by: -1, &model)
        case .left, .right:
            let count = box.row?.cells.count ?? 0
            box.cell = max(0, min(box.cell + (action == .left ? -1 : 1), count - 1))
        case .wrap: box.wraps.toggle()
        case .showSpaces: box.showsSpaces.toggle()
        case .bytes:
            guard let row = box.row, row.cells.indices.contains(box.cell) else { return [] }
            let cell = row.cells[box.cell]
            let (left, right) = (cell.source?.bytes, cell.target?.bytes)
            var hex = HexBox(
                title: "\(box.table) \(row.difference.key), \(cell.column)", left: left, right: right)
            // NULL is a value of a row that is there.
            if cell.source == nil { hex.leftWord = "no such row" }
            if cell.target == nil { hex.rightWord = "no such row" }
            let perRow = HexView.bytesPerRow(width: model.size.width - 4)
            hex.place = HexView(left: left, right: right).firstDifference ?? 0
            hex.top = max(0, hex.place / perRow - 2)
            model.overlays.append(.bytes(hex))
            return []
        default:
            model.toast = Toast("not here; ? shows what does", .muted)
            return []
        }
        model.overlays[index] = .proof(box)
        return []
    }

    func moveDifference(by rows: Int, _ model: inout AppModel) -> [Effect] {
        let index = model.overlays.count - 1
        guard case .proof(var box) = model.overlays[index] else { return [] }
        box.selected = max(0, min(box.selected + rows, box.kept - 1))
        box.cell = 0
        model.overlays[index] = .proof(box)
        return box.row == nil ? loadPage(index, &model) : []
    }

    /// Asks for the page around the selection.
    private func loadPage(_ index: Int, _ model: inout AppModel) -> [Effect] {
        guard case .proof(var box) = model.overlays[index], !box.isLoading, box.kept > 0 else { return [] }
        box.isLoading = true
        model.overlays[index] = .proof(box)
        return [.page(table: box.table, box.filter, first: max(0, box.selected - DifferenceBox.pageRows / 3))]
    }

    func show(_ page: DifferencePage, _ model: inout AppModel) -> [Effect] {
        for index in model.overlays.indices {
            // A page of another filter than today's comes too late.
            guard case .proof(var box) = model.overlays[index], box.table == page.table,
                box.filter == page.filter
            else { continue }
            box.first = page.first
            box.rows = page.rows
            box.kept = page.kept
            box.summary = page.summary
            box.selected = max(0, min(box.selected, page.kept - 1))
            box.isLoading = false
            model.overlays[index] = .proof(box)
            // The last row that a filter took was put right.
            if page.kept == 0, page.summary.rows > 0, box.filter != .all, model.overlays.indices.last == index
            {
                return show(.all, &model)
            }
            // The selection may have gone on meanwhile.
            if box.row == nil, !page.rows.isEmpty { return loadPage(index, &model) }
        }
        return []
    }

    /// Goes to the next stretch of bytes that differ, or to the one before.
    func jump(_ box: HexBox, isBackward: Bool, _ model: inout AppModel) {
        var box = box
        let view = HexView(left: box.left, right: box.right)
        let perRow = HexView.bytesPerRow(width: model.size.width - 4)
        guard let place = view.difference(from: box.place, isBackward: isBackward) else {
            model.toast = Toast("no other byte differs", .muted)
            return
        }
        box.place = place
        box.top = max(0, place / perRow - 2)
        model.overlays[model.overlays.count - 1] = .bytes(box)
    }

    // MARK: Copying again

    private func chooseRepair(_ box: DifferenceBox, _ model: inout AppModel) {
        if model.work != nil || model.isBusy {
            model.toast = Toast("work runs: x cancels it", .muted)
            return
        }
        let (table, summary) = (box.table, box.summary)
        var choices: [(words: String, request: RepairRequest)] = []
        if let row = box.row?.difference {
            let verb = row.kind == .extra ? "remove from PostgreSQL" : "copy again"
            choices.append(
                (
                    "\(verb): the row \(row.key)",
                    RepairRequest(tables: [table], keys: [row.name], removesExtra: row.kind == .extra)
                ))
        }
        // Once the application uses the target, most rows that differ are its own.
        let isInUse = model.book?.isTargetInUse ?? false
        if summary.missing + summary.changed > 0 {
            let rows = Format.count(summary.missing + summary.changed, "row", "rows")
            let which =
                isInUse
                ? "rows of \(table) that were never right, of \(rows) missing or changed"
                : "\(rows) of \(table), missing or changed"
            choices.append(
                ("copy again: \(which)", RepairRequest(tables: [table], onlyNeverRight: isInUse)))
        }
        if summary.extra > 0 {
            let rows = Format.count(summary.extra, "row", "rows")
            choices.append(
                (
                    isInUse
                        ? "the same, and remove those never right of \(rows) that only PostgreSQL has"
                        : "the same, and remove \(rows) that only PostgreSQL has",
                    RepairRequest(tables: [table], removesExtra: true, onlyNeverRight: isInUse)
                ))
        }
        guard !choices.isEmpty else { return }
        model.overlays.append(
            .choose(
                ChooseBox(
                    purpose: .repair(choices.map(\.request)), title: "Repair \(table)",
                    text: [
                        "A preview comes first; \(isInUse ? "howdah repair --undo" : "u on step 3.5") puts the old rows back."
                    ],
                    choices: choices.map(\.words))))
    }

    /// After some rows were copied again: what was done, and the rows that still differ, where any do. Step 3.5 may stay open for those.
    func show(
        _ rows: DifferenceBox, after line: BookState.StepLine, _ book: BookState, _ model: inout AppModel
    ) -> [Effect] {
        let done = line.evidence.first ?? Phases.nothingCopied
        var words = [done]
        // Once the application uses the target nothing was proven anew.
        if !book.isTargetInUse {
            let left = book.tables.reduce(0) { $0 + ($1.verdict == "differs" ? $1.differences : 0) }
            words.append(
                left > 0
                    ? "\(Format.count(left, "row still differs", "rows still differ"))"
                    : "no row differs any more")
            if done != Phases.nothingCopied { words.append("u on \(line.step) puts them back") }
        }
        model.toast = Toast(words.joined(separator: "; "), done == Phases.nothingCopied ? .warn : .ok)
        if let phase = Phases.step(line.step)?.phase,
            let index = book.phase(phase)?.steps.firstIndex(where: { $0.step == line.step })
        {
            model.lists[.steps(phase)] = ListState(selected: index)
        }
        guard let table = book.tables.first(where: { $0.name == rows.table }), table.verdict == "differs"
        else { return [] }
        var rows = rows
        (rows.differences, rows.kept) = (table.differences, table.differences)
        rows.rows = []
        rows.isLoading = true
        model.overlays.append(.proof(rows))
        return [
            .page(
                table: rows.table, rows.filter, first: max(0, rows.selected - DifferenceBox.pageRows / 3))
        ]
    }

    // MARK: Filter and search

    private func chooseFilter(_ box: DifferenceBox, _ model: inout AppModel) {
        let summary = box.summary
        var filters = [DifferenceFilter.all]
        var words = ["all rows that differ, \(Format.count(summary.rows))"]
        for kind in [RowDifference.Kind.changed, .missing, .extra] where summary.count(kind) > 0 {
            filters.append(.init(kind: kind))
            words.append("\(Words.kind(kind)), \(Format.count(summary.count(kind)))")
        }
        for column in summary.columns {
            filters.append(.init(column: column.column))
            words.append(column.words)
        }
        var choice = ChooseBox(
            purpose: .differences(filters), title: "Rows of \(box.table) that differ", text: [],
            choices: words)
        choice.list.select(filters.firstIndex(of: box.filter) ?? 0, count: filters.count)
        model.overlays.append(.choose(choice))
    }

    /// Shows the rows of a filter from their beginning.
    func show(_ filter: DifferenceFilter, _ model: inout AppModel) -> [Effect] {
        guard let index = model.overlays.indices.last, case .proof(var box) = model.overlays[index],
            box.filter != filter
        else { return [] }
        box.filter = filter
        box.selected = 0
        box.cell = 0
        box.rows = []
        box.isLoading = true
        model.overlays[index] = .proof(box)
        return [.page(table: box.table, filter, first: 0)]
    }

    func findDifference(_ text: String, _ model: inout AppModel) -> [Effect] {
        guard !text.isEmpty, let index = model.overlays.indices.last,
            case .proof(var box) = model.overlays[index]
        else { return [] }
        box.search = text
        model.overlays[index] = .proof(box)
        return find(box, isBackward: false, &model)
    }

    private func find(_ box: DifferenceBox, isBackward: Bool, _ model: inout AppModel) -> [Effect] {
        guard !box.search.isEmpty else {
            model.toast = Toast("nothing was looked for: / does", .muted)
            return []
        }
        return [
            .findDifference(
                table: box.table, box.filter, text: box.search, after: box.selected, isBackward: isBackward)
        ]
    }

    func goTo(_ number: Int?, of table: String, _ model: inout AppModel) -> [Effect] {
        guard
            let index = model.overlays.lastIndex(where: {
                if case .proof(let box) = $0 { box.table == table } else { false }
            }), case .proof(var box) = model.overlays[index]
        else { return [] }
        guard let number else {
            let rows =
                box.filter == .all
                ? "of a row that differs" : "of the rows shown (\(Words.filter(box.filter)))"
            let others = box.filter == .all ? "" : "; f shows others"
            model.toast = Toast("no key \(rows) has “\(box.search)” in it\(others)", .warn)
            return []
        }
        box.selected = number
        box.cell = 0
        model.overlays[index] = .proof(box)
        return box.row == nil ? loadPage(index, &model) : []
    }
}
