/// Where the names of scratch databases are written down before they are made.
///
/// What is written there is ours: whatever becomes of howdah, a later run drops it, and nobody else's.
public struct ScratchLedger: Sendable {
    /// Those that were begun, and never said to be gone.
    public let left: [String]
    /// Called before one is made; on the disk when it returns.
    public let begin: @Sendable (_ name: String) throws -> Void
    /// Called once it is gone.
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
