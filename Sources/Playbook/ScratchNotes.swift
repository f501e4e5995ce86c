import Operations

/// A scratch database of a step's, as the journal knows it.
private struct ScratchNote: Codable, Equatable {
    let copy: String
    /// The target on whose server it is, without a password.
    let target: String
    let isGone: Bool
}

extension Playbook {
    /// The journal as what keeps the names of a step's scratch databases: those of one target, whatever the mode that made
    /// them.
    func scratchLedger(_ step: String, _ target: String, _ mode: Mode) -> ScratchLedger {
        let notes = journal.entries.filter { $0.subject == step && $0.kind == .note }
            .compactMap { $0.data.flatMap { Journal.decode(ScratchNote.self, $0) } }
            .filter { $0.target == target }
        let gone = Set(notes.filter(\.isGone).map(\.copy))
        let journal = journal
        @Sendable func note(_ copy: String, isGone: Bool) throws {
            try journal.add(
                .note, step, mode,
                isGone ? "the scratch database \(copy) is gone" : "the scratch database \(copy) is made",
                data: Journal.encode(ScratchNote(copy: copy, target: target, isGone: isGone)))
        }
        return ScratchLedger(
            left: notes.map(\.copy).filter { !gone.contains($0) }, begin: { try note($0, isGone: false) },
            end: { try note($0, isGone: true) })
    }
}
