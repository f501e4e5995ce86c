import Playbook
import TerminalUI

/// Clicks: one selects, two open.
extension Update {
    func click(_ x: Int, _ y: Int, _ isDouble: Bool, _ model: inout AppModel) -> [Effect] {
        model.toast = nil
        guard model.overlays.isEmpty, !model.layout.isTooSmall, model.monitor == nil else { return [] }
        let layout = model.layout
        if layout.rail.contains(x: x, y: y) {
            let row = y - layout.rail.y - 1
            // A line lies between the phases and the rest.
            let index = row < 6 ? row : row - 1
            if row != 6, Section.all.indices.contains(index) { model.go(to: Section.all[index]) }
            return []
        }
        guard let (pane, row, height) = place(x, y, model) else { return [] }
        model.pane = pane
        let id = model.focusedList
        let index = model.list(id).visibleTop(height: height, count: model.count(id)) + row
        guard index < model.count(id) else { return [] }
        model.setList(id) { $0.select(index, count: $1) }
        return isDouble ? performInPane(.open, &model) : []
    }

    /// The pane at a place, the row in its list, and the list's height.
    private func place(_ x: Int, _ y: Int, _ model: AppModel) -> (Pane, Int, Int)? {
        let layout = model.layout
        let inner = layout.pane.inset(1, 1)
        guard inner.contains(x: x, y: y) else { return nil }
        guard let phase = model.phase, !layout.isCompact else { return (.main, y - inner.y, inner.height) }
        let (steps, rest) = layout.divided(steps: phase.steps.count, hasMore: true)
        if steps.contains(x: x, y: y) { return (.main, y - steps.y, steps.height) }
        if model.showsPlaces || model.showsFiles || model.showsCommands || model.showsAdvice,
            rest.contains(x: x, y: y)
        {
            let pane: Pane =
                model.showsFiles
                ? .files : model.showsPlaces ? .places : model.showsAdvice ? .advice : .commands
            return x < rest.x + CodeView.listWidth(rest.width) ? (pane, y - rest.y, rest.height) : nil
        }
        guard rest.contains(x: x, y: y), model.showsTables else { return nil }
        if model.section == .phase(3) { return y > rest.y ? (.tables, y - rest.y - 1, rest.height - 1) : nil }
        let isLeft = x < rest.x + min(26, rest.width / 3)
        if isLeft { return (.tables, y - rest.y, rest.height) }
        return y > rest.y ? (.columns, y - rest.y - 1, rest.height - 1) : nil
    }
}
