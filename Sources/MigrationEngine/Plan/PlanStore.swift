import Foundation

/// The plan in the state folder: written anew unless the operator has changed it.
public struct PlanStore {
    let state: StateFolder

    public init(_ state: StateFolder) {
        self.state = state
    }

    /// Writes the plan that was prepared; one of the operator's is written again only with new decisions. Returns where in the
    /// folder the one before is kept; nil where there was no other.
    @discardableResult
    public func keep(_ preparation: Preparation) throws -> String? {
        switch preparation.planPath {
        case nil:
            let kept = try keepBefore(preparation.planText)
            try write(preparation.planText, to: state.planPath)
            return kept
        case state.planPath where preparation.hasNewDecisions:
            let kept = try keepBefore(preparation.planText)
            try state.write(preparation.planText, to: "plan.yaml")
            return kept
        default: return nil
        }
    }

    private func keepBefore(_ text: String) throws -> String? {
        guard let data = FileManager.default.contents(atPath: state.planPath) else { return nil }
        let before = String(decoding: data, as: UTF8.self)
        guard !before.isEmpty, !before.utf8.elementsEqual(text.utf8) else { return nil }
        let name = "plans/\(PlanFile.digest(before)).yaml"
        _ = try state.folder("plans")
        try state.write(before, to: name)
        return name
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
