import Foundation

/// What a package.json says about Prisma.
public struct PackageManifest: Sendable, Equatable {
    /// The path in `"prisma": {"schema": …}`, relative to the manifest.
    public let schema: String?
    /// The version asked for: `^6.19.0`. That of the command-line tool, else that of the client.
    public let prismaVersion: String?

    /// Nil where the content is no JSON object.
    public init?(_ data: Data) {
        guard let root = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else { return nil }
        schema = (root["prisma"] as? [String: Any])?["schema"] as? String
        let groups = ["devDependencies", "dependencies", "peerDependencies"].compactMap {
            root[$0] as? [String: Any]
        }
        prismaVersion =
            ["prisma", "@prisma/client"].lazy
            .compactMap { name in groups.lazy.compactMap { $0[name] as? String }.first }.first
    }

    /// The major version; nil where the version is a tag, a place or a choice.
    public var prismaMajor: Int? {
        guard let version = prismaVersion,
            let match = version.wholeMatch(of: /[\^~=v]*\s*(\d+)(?:\.[^\s|]*)?/)
        else {
            return nil
        }
        return Int(match.1)
    }
}
