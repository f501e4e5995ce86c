/// Rows under a header, in columns that share the width; only the visible rows are asked for.
public struct Table {
    public enum Width: Equatable, Sendable {
        case fixed(Int)
        /// At least this many cells, and a share of what is left.
        case flexible(minimum: Int, share: Int)
    }

    public struct Column: Sendable {
        public var title: String
        public var width: Width
        public var isRight: Bool

        public init(_ title: String, _ width: Width, isRight: Bool = false) {
            self.title = title
            self.width = width
            self.isRight = isRight
        }
    }

    public var columns: [Column]
    public var count: Int
    public var row: (Int) -> [Line]
    public var state: ListState
    public var isFocused: Bool
    /// Columns at the left that stay while the others scroll.
    public var frozen: Int
    /// How many of the other columns are scrolled out at the left.
    public var firstColumn: Int
    public var empty: Line

    public init(
        columns: [Column], count: Int, state: ListState, isFocused: Bool, frozen: Int = 0,
        firstColumn: Int = 0, empty: Line = Line("nothing here", .muted), row: @escaping (Int) -> [Line]
    ) {
        self.columns = columns
        self.count = count
        self.state = state
        self.isFocused = isFocused
        self.frozen = frozen
        self.firstColumn = firstColumn
        self.empty = empty
        self.row = row
    }

    /// The columns that are shown, with their widths. Those that do not fit are left out at the right.
    func layout(width: Int) -> [(index: Int, width: Int)] {
        let order = columns.indices.filter { $0 < frozen || $0 >= frozen + firstColumn }
        var shown: [(index: Int, width: Int)] = []
        var used = 0
        for index in order {
            let least =
                switch columns[index].width {
                case .fixed(let cells): cells
                case .flexible(let minimum, _): minimum
                }
            guard used + least + (shown.isEmpty ? 0 : 1) <= width || shown.isEmpty else { break }
            used += least + (shown.isEmpty ? 0 : 1)
            shown.append((index, min(least, width)))
        }
        var shares = 0
        for column in shown { shares += share(column.index) }
        var spare = width - used
        for position in shown.indices.reversed() where shares > 0 && spare > 0 {
            let share = share(shown[position].index)
            guard share > 0 else { continue }
            let extra = spare * share / shares
            shown[position].width += extra
            spare -= extra
            shares -= share
        }
        return shown
    }

    private func share(_ index: Int) -> Int {
        if case .flexible(_, let share) = columns[index].width { share } else { 0 }
    }

    public func draw(in rect: Rect, on buffer: inout Buffer, _ look: Look) {
        guard rect.height > 0, rect.width > 1 else { return }
        let (header, body) = rect.splitTop(1)
        let shown = layout(width: rect.width - 1)
        drawRow(
            shown.map { Line(columns[$0.index].title, .muted) }, shown, in: header.splitLeft(1).rest,
            on: &buffer, look)
        if let last = shown.last, last.index < columns.count - 1 {
            let edge = Rect(x: rect.maxX - 1, y: rect.y, width: 1, height: 1)
            buffer.write(look.symbols.isASCII ? ">" : "›", in: edge, style: look.style(.key))
        }
        var list = ScrollList(count: count, state: state, isFocused: isFocused, empty: empty) { _ in Line() }
        list.draw(in: body, on: &buffer, look)
        let top = state.visibleTop(height: body.height, count: count)
        for index in 0..<max(0, min(body.height, count - top)) {
            let lines = row(top + index)
            let place = body.row(index).splitLeft(1).rest
            drawRow(
                shown.map { lines.indices.contains($0.index) ? lines[$0.index] : Line() }, shown, in: place,
                on: &buffer, look)
            if top + index == state.selected, isFocused { buffer.restyle(place, look.style(.selection)) }
        }
        list.count = 0
    }

    private func drawRow(
        _ lines: [Line], _ shown: [(index: Int, width: Int)], in rect: Rect, on buffer: inout Buffer,
        _ look: Look
    ) {
        var rest = rect
        for (position, column) in shown.enumerated() {
            let (cell, after) = rest.splitLeft(column.width)
            let line = lines[position]
            let free = max(0, column.width - line.cells)
            let place = columns[column.index].isRight ? cell.splitLeft(free).rest : cell
            buffer.write(line, in: place, look)
            rest = after.splitLeft(1).rest
        }
    }
}
