import Foundation

/// The plan in the state folder: written anew unless the operator has changed it.
public struct PlanStore {
    let state: StateFolder

    public init(_ state: StateFolder) {
        self.state = state
    }

    /// Writes the plan that was prepared; one of the operator's is written again only with new decisions, and the one
    /// before is kept in `plans/`.
    public func keep(_ preparation: Preparation) throws {
        switch preparation.planPath {
        case nil: try write(preparation.planText, to: state.planPath)
        case state.planPath where preparation.hasNewDecisions:
            if let before = FileManager.default.contents(atPath: state.planPath) {
                let text = String(decoding: before, as: UTF8.self)
                _ = try state.folder("plans")
                try state.write(text, to: "plans/\(PlanFile.digest(text)).yaml")
            }
            try state.write(preparation.planText, to: "plan.yaml")
        default: return
        }
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
