/// A terminal that shows buffers and tells events. Used by the main thread alone, apart from `wake`.
public protocol Terminal: AnyObject {
    var size: Size { get }
    var look: Look { get set }

    /// Shows a buffer; only what differs from the last one is sent.
    func show(_ buffer: Buffer, cursor: (x: Int, y: Int)?)

    /// Waits for an event, or for `wake`, at most `milliseconds`; forever where that is nil. Returns all that are there.
    func events(within milliseconds: Int?) -> [Event]

    /// Ends a wait from any thread.
    var wake: @Sendable () -> Void { get }

    /// Gives the terminal back while `body` runs, such as an editor.
    func suspended(_ body: () -> Void)

    /// Stops the process as Ctrl-Z does elsewhere; returns when it goes on.
    func stop()

    /// Draws everything anew: something else may have written on the terminal.
    func redraw()

    /// The signal that asked the program to end.
    var stopRequest: Int32? { get }

    /// Copies text to the operator's clipboard (OSC 52); false where the terminal cannot.
    func copy(_ text: String) -> Bool

    /// Whether clicks come here, or select text as the terminal does.
    var isMouseOn: Bool { get set }
}
