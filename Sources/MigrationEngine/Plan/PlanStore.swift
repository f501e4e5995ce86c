import Foundation

/// The plan in the state folder: written anew unless the operator has changed it.
public struct PlanStore {
    let state: StateFolder

    public init(_ state: StateFolder) {
        self.state = state
    }

    public func keep(_ preparation: Preparation) throws {
        if preparation.planPath == nil { try write(preparation.planText, to: state.planPath) }
    }

    /// Writes a plan; throws rather than overwrite what somebody has written or changed.
    public func write(_ text: String, to path: String) throws {
        if access(path, F_OK) == 0, (try? PlanFile(path: path))?.isEdited ?? true {
            throw MigrationError(
                .plan, "\(path) is there already, and is not a plan as howdah made it",
                remedy: "Name another file with -o, or remove it.", exit: .usage)
        }
        do {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            chmod(path, 0o600)
        } catch {
            throw MigrationError(
                .state, "\(path) cannot be written: \(error.localizedDescription)",
                remedy: "Name another file with -o.")
        }
    }
}
