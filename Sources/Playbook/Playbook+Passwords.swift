import MigrationEngine
import Postgres

/// Passwords that nothing supplies but the operator.
extension Playbook {
    /// The URL of the live target, or of the administrator's, where the server asks for a password that nothing supplies.
    /// May block.
    public func asksForPassword(isAdmin: Bool, _ activity: Activity) throws -> String? {
        let server: TargetServer
        if isAdmin {
            guard let admin else { return nil }
            server = TargetServer(admin, cancellation: activity.cancellation)
        } else {
            guard liveTarget != nil else { return nil }
            server = try self.server(.live, cancellation: activity.cancellation)
        }
        return server.asksForPassword() ? server.conninfo.url : nil
    }
}
