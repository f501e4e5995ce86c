/// Where a list stands: which item is selected, and which one is at the top.
public struct ListState: Equatable, Sendable {
    public var selected: Int
    public var top: Int

    public init(selected: Int = 0, top: Int = 0) {
        self.selected = selected
        self.top = top
    }

    /// Moves the selection, and keeps it within the items.
    public mutating func move(by step: Int, count: Int) {
        select(selected + step, count: count)
    }

    public mutating func select(_ index: Int, count: Int) {
        selected = max(0, min(index, count - 1))
    }

    /// The first item to show in `height` rows, with the selection among them.
    public func visibleTop(height: Int, count: Int) -> Int {
        let limit = max(0, count - height)
        var top = min(self.top, limit)
        if selected < top { top = selected }
        if selected >= top + height { top = selected - height + 1 }
        return max(0, min(top, limit))
    }
}

/// Items one a row, of which one may be selected. Only the visible ones are asked for.
public struct ScrollList {
    public var count: Int
    public var item: (Int) -> Line
    public var state: ListState
    /// Whether the selection is drawn as where the keys go.
    public var isFocused: Bool
    public var empty: Line

    public init(
        count: Int, state: ListState, isFocused: Bool, empty: Line = Line("nothing here", .muted),
        item: @escaping (Int) -> Line
    ) {
        self.count = count
        self.state = state
        self.isFocused = isFocused
        self.empty = empty
        self.item = item
    }

    public func draw(in rect: Rect, on buffer: inout Buffer, _ look: Look) {
        guard !rect.isEmpty else { return }
        guard count > 0 else {
            buffer.write(Line(" ") + empty, in: rect.row(0), look)
            return
        }
        let top = state.visibleTop(height: rect.height, count: count)
        let shown = min(rect.height, count - top)
        let hasMore = (above: top > 0, below: top + shown < count)
        for row in 0..<shown {
            let isSelected = top + row == state.selected
            let place = rect.row(row)
            buffer.write(
                isSelected ? (isFocused ? look.symbols.cursor : look.symbols.mark) : " ", in: place,
                style: look.style(isSelected && isFocused ? .focusedBorder : .muted))
            buffer.write(item(top + row), in: place.splitLeft(1).rest, look)
            if isSelected, isFocused { buffer.restyle(place.splitLeft(1).rest, look.style(.selection)) }
        }
        // A sign in the last column where there is more than fits.
        let edge = Rect(x: rect.maxX - 1, y: rect.y, width: 1, height: rect.height)
        if hasMore.above {
            buffer.write(look.symbols.isASCII ? "^" : "▴", in: edge.row(0), style: look.style(.muted))
        }
        if hasMore.below {
            buffer.write(
                look.symbols.isASCII ? "v" : "▾", in: edge.row(rect.height - 1), style: look.style(.muted))
        }
    }
}
