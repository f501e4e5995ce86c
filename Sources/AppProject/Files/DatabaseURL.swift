import Foundation

/// A `file:` URL as Prisma means it: a path after the scheme, then parameters.
struct DatabaseURL: Equatable {
    /// Absolute, or relative to a folder that the URL does not tell.
    let path: String

    /// Nil where it is another kind of URL, or names no file on a disk.
    init?(_ url: String) {
        guard let scheme = ["file:", "sqlite:"].first(where: url.hasPrefix) else { return nil }
        let rest = url.dropFirst(scheme.count)
        path = String(rest.prefix { $0 != "?" })
        if path.isEmpty || path.contains(":memory:") { return nil }
    }

    /// The files that may be meant in one of `folders`, the likeliest first.
    func candidates(in folders: [String]) -> [String] {
        var candidates: [String] = []
        // Prisma takes the path as it is written; drivers decode it.
        for path in [path, path.removingPercentEncoding ?? path] {
            for folder in folders {
                let file = Files.join(folder, path)
                if !candidates.contains(file) { candidates.append(file) }
            }
        }
        return candidates
    }
}
