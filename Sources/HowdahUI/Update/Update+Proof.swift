import MigrationEngine
import Playbook
import TerminalUI

/// Keys among the rows that differ.
extension Update {
    func performInProof(_ action: Action, _ box: DifferenceBox, _ model: inout AppModel) -> [Effect] {
        var box = box
        let index = model.overlays.count - 1
        switch action {
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
            let perRow = HexView.bytesPerRow(width: model.size.width - 4)
            hex.top = max(0, (HexView(left: left, right: right).firstDifference ?? 0) / perRow - 2)
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
    func loadPage(_ index: Int, _ model: inout AppModel) -> [Effect] {
        guard case .proof(var box) = model.overlays[index], !box.isLoading else { return [] }
        box.isLoading = true
        model.overlays[index] = .proof(box)
        return [.page(table: box.table, first: max(0, box.selected - DifferenceBox.pageRows / 3))]
    }
}
