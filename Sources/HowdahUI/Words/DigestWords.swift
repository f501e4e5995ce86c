import Playbook
import TerminalUI

/// The kept digests of a table, for its proof.
struct DigestWords {
    let digest: BookState.TableDigest

    var heading: Line {
        let time = digest.time.replacing("T", with: " ").replacing("Z", with: "")
        if digest.isOutdated {
            return Line("digests of \(time) UTC, before the last load or proof", .muted)
        }
        return Line([
            Span("digests of \(time) UTC: ", .muted),
            digest.isEqual ? Span("equal", .ok) : Span(digest.obstacle ?? "differ", .warn),
        ])
    }

    /// Whose digests they are, with the digests: one where both sides agree.
    var sides: [(name: String, digest: String)] {
        let (source, target) = (digest.source, digest.target)
        if source == nil, target == nil { return [] }
        return source == target
            ? [("both sides", source ?? "")]
            : [("SQLite", source ?? "none"), ("PostgreSQL", target ?? "none")]
    }

    /// Old ones are no verdict: how to have new ones stands in their place.
    private static let anew = Line("compute them anew with howdah digest", .muted)

    /// Below each other, for narrow boxes.
    var lines: [Line] {
        if digest.isOutdated { return [heading, Self.anew] }
        return [heading] + sides.flatMap { [Line($0.name, .muted), Line($0.digest)] }
    }

    /// Side by side.
    var rows: [Line] {
        if digest.isOutdated { return [heading, Self.anew] }
        return [heading]
            + sides.map { side in
                let name = side.name + String(repeating: " ", count: max(0, 11 - side.name.count))
                return Line([Span(name, .muted), Span(side.digest)])
            }
    }
}
