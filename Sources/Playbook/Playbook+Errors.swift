import MigrationEngine
import Postgres

/// What went wrong, in words.
extension Playbook {
    /// An error in words for the operator.
    public static func explained(_ error: any Error) -> MigrationError {
        switch error {
        case let error as MigrationError: error
        case let error as PostgresError:
            MigrationError(
                .target, "the server refused: \(error)",
                remedy: "Check what the user of the target may do; psql with the same target shows the same.")
        default:
            MigrationError(
                .state, "\(error)", remedy: "If this is not clear, please report it with this message.")
        }
    }

    static func notYet(_ id: String, _ reason: String) -> MigrationError {
        MigrationError(
            .state, "step \(id) cannot run yet: \(reason)", remedy: "Settle that one first.", exit: .undecided
        )
    }
}
