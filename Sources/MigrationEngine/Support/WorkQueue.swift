import Synchronization

/// Work that several threads take piece by piece.
package final class WorkQueue<Element: Sendable>: Sendable {
    private let elements: [Element]
    private let position = Atomic<Int>(0)
    private let isStopped = Atomic<Bool>(false)

    package init(_ elements: [Element]) {
        self.elements = elements
    }

    /// The next piece; nil when none is left or after `stop`.
    package func next() -> Element? {
        let index = position.add(1, ordering: .relaxed).oldValue
        return index < elements.count && !isStopped.load(ordering: .relaxed) ? elements[index] : nil
    }

    package func stop() {
        isStopped.store(true, ordering: .relaxed)
    }
}
