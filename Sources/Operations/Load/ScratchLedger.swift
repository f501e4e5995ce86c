/// Where the names of copies for load tests are written down before the copies are made.
///
/// What is written there is ours: whatever becomes of howdah, a later test drops it, and nobody else's.
public struct ScratchLedger: Sendable {
    /// Copies that were begun, and never said to be gone.
    public let left: [String]
    /// Called before a copy is made; on the disk when it returns.
    public let begin: @Sendable (_ name: String) throws -> Void
    /// Called once a copy is gone.
    public let end: @Sendable (_ name: String) throws -> Void

    public init(
        left: [String], begin: @escaping @Sendable (_ name: String) throws -> Void,
        end: @escaping @Sendable (_ name: String) throws -> Void
    ) {
        self.left = left
        self.begin = begin
        self.end = end
    }
}
