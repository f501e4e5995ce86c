import Foundation

/// Work that several threads take piece by piece, where some pieces wait for others.
///
/// A piece waits for milestones. A milestone is reached once every piece that is part of it is done, and at once where
/// there is none. Of the pieces that wait for nothing more, the one that was given first is taken first.
final class WorkSchedule<Piece: Sendable, Milestone: Hashable & Sendable>: Sendable {
    struct Item: Sendable {
        let piece: Piece
        var after: Set<Milestone> = []
        var partOf: Set<Milestone> = []
        /// Pieces that share one are not done at the same time.
        var exclusive: Milestone?
    }

    private struct State {
        /// By place; nil once a piece is taken.
        var open: [Item?]
        /// Pieces of each milestone that are not done.
        var unfinished: [Milestone: Int] = [:]
        var busy: Set<Milestone> = []
        var running = 0
        var isStopped = false
    }

    private let condition = NSCondition()
    /// Used with the condition's lock held.
    nonisolated(unsafe) private var state: State

    init(_ items: [Item]) {
        state = State(open: items)
        for milestone in items.flatMap(\.partOf) { state.unfinished[milestone, default: 0] += 1 }
    }

    /// The next piece, waiting until one is free to be done; nil when none is left, or after `stop`.
    ///
    /// Who takes a piece calls `finish` for it, or `stop`.
    func next() -> Item? {
        condition.lock()
        defer { condition.unlock() }
        while !state.isStopped {
            if let index = state.open.firstIndex(where: { $0.map(isFree) ?? false }),
                let item = state.open[index]
            {
                state.open[index] = nil
                state.running += 1
                if let lane = item.exclusive { state.busy.insert(lane) }
                return item
            }
            // Where nothing runs, nothing can become free any more.
            guard state.running > 0 else { return nil }
            condition.wait()
        }
        return nil
    }

    private func isFree(_ item: Item) -> Bool {
        item.after.allSatisfy { state.unfinished[$0] == nil }
            && !(item.exclusive.map(state.busy.contains) ?? false)
    }

    /// Notes that a piece is done; returns the milestones that are reached by it.
    @discardableResult
    func finish(_ item: Item) -> Set<Milestone> {
        condition.lock()
        defer { condition.unlock() }
        state.running -= 1
        if let lane = item.exclusive { state.busy.remove(lane) }
        var reached: Set<Milestone> = []
        for milestone in item.partOf {
            state.unfinished[milestone, default: 1] -= 1
            if state.unfinished[milestone] == 0 {
                state.unfinished[milestone] = nil
                reached.insert(milestone)
            }
        }
        condition.broadcast()
        return reached
    }

    /// Hands out no further piece.
    func stop() {
        condition.lock()
        defer { condition.unlock() }
        state.isStopped = true
        condition.broadcast()
    }
}
