/// A box over the screen: a title, text, and buttons of which one has the focus.
public struct Dialog {
    public var title: Line
    public var body: [Line]
    public var buttons: [String]
    public var focused: Int
    public var top: Int
    /// A field between text and buttons.
    public var field: TextField?

    public init(
        _ title: Line, _ body: [Line], buttons: [String] = [], focused: Int = 0, top: Int = 0,
        field: TextField? = nil
    ) {
        self.title = title
        self.body = body
        self.buttons = buttons
        self.focused = focused
        self.top = top
        self.field = field
    }

    /// Where it lies on a screen: as wide as its text asks, as high as it must be.
    public func rect(on screen: Rect) -> Rect {
        let available = screen.inset(screen.width > 70 ? 4 : 1, 1)
        let widest = (body.map(\.cells).max() ?? 0) + 6
        let width = min(available.width, max(min(widest, 92), title.cells + 6, buttonWidth + 4, 40))
        let text = TextView(body).laidOut(width: max(1, width - 5)).count
        let extra = 2 + (buttons.isEmpty ? 0 : 2) + (field == nil ? 0 : 2)
        return available.centered(Size(width, text + extra))
    }

    private var buttonWidth: Int {
        buttons.reduce(0) { $0 + TextWidth.cells($1) + 6 }
    }

    /// Draws itself; returns where the field's cursor stands.
    @discardableResult
    public func draw(on screen: Rect, _ buffer: inout Buffer, _ look: Look) -> (x: Int, y: Int)? {
        let rect = rect(on: screen)
        buffer.clear(rect)
        var inner = Frame(title, isFocused: true).draw(in: rect, on: &buffer, look).inset(1, 0)
        if !buttons.isEmpty {
            let (rest, bottom) = inner.splitBottom(2)
            drawButtons(in: bottom.row(1), &buffer, look)
            inner = rest
        }
        var cursor: (x: Int, y: Int)?
        if let field {
            let (rest, bottom) = inner.splitBottom(2)
            cursor = field.draw(in: bottom.row(1), on: &buffer, look)
            inner = rest
        }
        TextView(body, top: top).draw(in: inner, on: &buffer, look)
        return cursor
    }

    private func drawButtons(in rect: Rect, _ buffer: inout Buffer, _ look: Look) {
        var rest = rect
        for (index, button) in buttons.enumerated() {
            let isFocused = index == focused
            // Not by colour or weight alone: the one with the focus has arrows.
            let text = isFocused ? "[> \(button) <]" : "[  \(button)  ]"
            let used = buffer.write(text, in: rest, style: look.style(isFocused ? .selection : .text))
            rest = rest.splitLeft(used + 1).rest
        }
    }
}

/// A few words at the foot of the screen that go by themselves.
public struct Toast: Equatable, Sendable {
    public var text: String
    public var role: Role

    public init(_ text: String, _ role: Role = .ok) {
        self.text = text
        self.role = role
    }
}
