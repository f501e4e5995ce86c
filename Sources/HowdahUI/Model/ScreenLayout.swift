import TerminalUI

/// How the screen is divided, by its size.
struct ScreenLayout: Equatable {
    static let least = Size(60, 15)

    let size: Size

    init(_ size: Size) {
        self.size = size
    }

    var isTooSmall: Bool { size.width < Self.least.width || size.height < Self.least.height }

    /// A list of phases at the left, instead of a line of tabs.
    var hasRail: Bool { size.width >= 96 && size.height >= 20 }

    /// Steps or tables, one at a time.
    var isCompact: Bool { size.width < 76 || size.height < 20 }

    var header: Rect { Rect(size).row(0) }
    var footer: Rect { Rect(size).row(size.height - 1) }

    var rail: Rect {
        hasRail ? Rect(x: 0, y: 1, width: 28, height: size.height - 2) : Rect(x: 0, y: 1, width: 0, height: 0)
    }

    /// The line of tabs on narrow screens.
    var tabs: Rect {
        hasRail ? Rect(x: 0, y: 1, width: 0, height: 0) : Rect(x: 0, y: 1, width: size.width, height: 1)
    }

    /// The frame of the section.
    var pane: Rect {
        hasRail
            ? Rect(x: rail.maxX, y: 1, width: size.width - rail.width, height: size.height - 2)
            : Rect(x: 0, y: 2, width: size.width, height: size.height - 3)
    }

    /// The part of the frame's inside for steps, and what is under them.
    func divided(steps: Int, hasMore: Bool) -> (steps: Rect, rest: Rect) {
        let inner = pane.inset(1, 1)
        guard hasMore else { return (inner, Rect(x: inner.x, y: inner.maxY, width: 0, height: 0)) }
        let height = min(steps, max(3, inner.height / 2))
        let (top, rest) = inner.splitTop(height)
        return (top, rest.splitTop(1).rest)
    }
}
