import Foundation
import MigrationEngine

/// Asks git which files have changes that are not committed.
public enum GitStatus {
    /// Those of `paths`, relative to `folder`; none where there is no git, or it does not keep the folder.
    public static func uncommitted(_ paths: [String], in folder: String, _ cancellation: Cancellation)
        -> [String]
    {
        let programs = ["/usr/bin/git", "/usr/local/bin/git", "/opt/homebrew/bin/git"]
        guard !paths.isEmpty, let git = programs.first(where: FileManager.default.isExecutableFile) else {
            return []
        }
        var command = Command(
            git, ["status", "--porcelain=v1", "-z", "--untracked-files=no", "--"] + paths, in: folder,
            environment: ["PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"])
        command.timeout = .seconds(5)
        guard let outcome = try? command.run(cancellation: cancellation), outcome.status == 0 else {
            return []
        }
        return outcome.output.split(separator: "\0").map { String($0.dropFirst(3)) }
    }
}
