import TerminalUI

/// Every key of the screens: the one table that footer, help, documents and reasons are made from.
public enum Bindings {
    public typealias Entry = Binding<KeyContext, Action>

    public static let standard = KeyTable<KeyContext, Action>(everywhere + panes + boxes)

    private static let everywhere: [Entry] = [
        entry(
            .everywhere, "Enter", .open, "open", "Open what is selected: a step's preview, then run it.", 1),
        entry(.everywhere, "p", .pause, "pause", "Pause the work, or let it go on.", 4),
        entry(.everywhere, "x", .cancel, "cancel", "Cancel the work that is shown.", 5),
        entry(.everywhere, "j Down", .down, "down", "Go down."),
        entry(.everywhere, "k Up", .up, "up", "Go up."),
        entry(.everywhere, "h Left", .left, "left", "Go to the pane at the left."),
        entry(.everywhere, "l Right", .right, "right", "Go to the pane at the right, or below."),
        entry(.everywhere, "Tab", .nextPane, "next pane", "Go to the next pane.", 12),
        entry(.everywhere, "PgDn Ctrl-F", .pageDown, "page down", "Go down a page."),
        entry(.everywhere, "PgUp Ctrl-B", .pageUp, "page up", "Go up a page."),
        entry(.everywhere, "g Home", .top, "top", "Go to the first line."),
        entry(.everywhere, "G End", .bottom, "bottom", "Go to the last line."),
        entry(.everywhere, "<", .scrollLeft, "left", "Scroll a wide pane to the left."),
        entry(.everywhere, ">", .scrollRight, "right", "Scroll a wide pane to the right."),
        entry(.everywhere, "1", .phase1, "Schema", "Phase 1, Schema."),
        entry(.everywhere, "2", .phase2, "Environment", "Phase 2, Environment."),
        entry(.everywhere, "3", .phase3, "Data", "Phase 3, Data."),
        entry(.everywhere, "4", .phase4, "Code", "Phase 4, Code."),
        entry(.everywhere, "5", .phase5, "Tests", "Phase 5, Tests."),
        entry(.everywhere, "6", .phase6, "Production", "Phase 6, Production."),
        entry(.everywhere, "7", .checklist, "checklist", "The checklist."),
        entry(.everywhere, "8", .findings, "findings", "What was found, and what is to be decided."),
        entry(.everywhere, "9", .journal, "journal", "What happened, newest first."),
        entry(.everywhere, "0", .rollback, "rollback", "The way back, step by step."),
        entry(.everywhere, "u", .undo, "undo", "Undo the selected step; a preview comes first.", 7),
        entry(.everywhere, "r", .again, "again", "Run the selected step again.", 8),
        entry(.everywhere, "/", .find, "find", "Find a line.", 10),
        entry(.everywhere, "f", .filter, "filter", "Show only the lines with a word; Esc shows all.", 9),
        entry(.everywhere, "n", .findNext, "next", "The next line that was looked for."),
        entry(.everywhere, "N", .findPrevious, "previous", "The one before."),
        entry(.everywhere, "L", .live, "live", "Go live, or back to the rehearsal.", 11),
        entry(.everywhere, "C", .cutover, "cutover", "The guided cutover (live only).", 14),
        entry(.everywhere, "y", .copy, "copy", "Copy the details to the clipboard."),
        entry(.everywhere, ":", .command, "command", "The command line.", 13),
        entry(.everywhere, "?", .help, "help", "This help.", 90),
        entry(.everywhere, "Esc", .back, "back", "Back; never cancels work."),
        entry(.everywhere, "Ctrl-L", .redraw, "redraw", "Draw the screen anew."),
        entry(.everywhere, "Ctrl-Z", .suspend, "suspend", "Pause, and go to the shell; fg comes back."),
        entry(.everywhere, "Ctrl-C", .interrupt, "cancel", "Cancel; twice within a second stops in order."),
        entry(.everywhere, "q", .quit, "quit", "Quit; asks while work runs.", 91),
    ]

    private static let panes: [Entry] = [
        entry(
            .steps, "Space", .tick, "tick",
            "Tick a step that is done by hand, with a note; again takes it away.", 6),
        entry(.steps, "-", .settle, "settle", "Settle a step that does not apply, with the reason."),
        entry(.steps, "a", .note, "note", "Add a note about the step to the journal."),
        entry(.steps, "m", .monitor, "monitor", "The live monitor of the target's server (phase 6).", 2),
        entry(
            .tables, "s", .sort, "sort", "Order the tables: by the plan, the largest, those that differ.", 9),
        entry(.tables, "d", .diff, "diff", "Both DDLs of the table, side by side.", 3),
        entry(.tables, "Space", .tick, "leave out", "Leave the table out, or take it in again."),
        entry(.columns, "d", .diff, "diff", "Both DDLs of the table, side by side.", 3),
        entry(.columns, "e", .edit, "edit", "Open plan.yaml in $EDITOR."),
        entry(.places, "Enter", .open, "read", "The place with its source and PostgreSQL's equal.", 1),
        entry(.places, "Space", .tick, "settle", "Settle the place: accepted, not applicable, or fixed.", 2),
        entry(
            .places, "t", .translate, "translate", "Translate its statement, and write that into the file.", 3
        ),
        entry(.places, "T", .translateAll, "all", "Translate every statement that can be."),
        entry(.places, "e", .edit, "edit", "Open $EDITOR at the line.", 4),
        entry(.places, "r", .rescan, "rescan", "Scan the code again; what was settled stays.", 5),
        entry(.files, "Enter", .open, "read", "The whole diff of the file.", 1),
        entry(.files, "Space", .tick, "apply", "Change this file alone, or bring it back.", 2),
        entry(.files, "u", .undo, "undo", "Bring this file back, byte for byte.", 3),
        entry(.files, "r", .rescan, "look", "Look at the files again.", 4),
        entry(.advice, "Enter", .open, "read", "All of it, with the plans before and after.", 1),
        entry(.advice, "Space", .tick, "choose", "Choose it, or leave it out with a reason.", 2),
        entry(.advice, "r", .rescan, "look", "Look at the indexes again.", 3),
        entry(.commands, "Enter", .open, "run", "Run the test that is selected; start or stop a service.", 1),
        entry(.commands, "s", .start, "start", "Start the service that is selected, or stop it.", 2),
        entry(.commands, "c", .link, "link", "Let the command's result tick an item of the phase.", 3),
        entry(
            .commands, "Space", .tick, "leave out",
            "Leave the command out of a run of all, or take it in again.", 6),
        entry(.commands, "r", .rescan, "look", "Look for commands again."),
        entry(.output, "Enter", .open, "about", "What is run, where, and what came of it.", 1),
        entry(.output, "s", .start, "start", "Start the service, or stop it."),
        entry(.output, "c", .link, "link", "Let the command's result tick an item of the phase."),
        entry(.checklist, "Space", .tick, "tick", "Tick the item, with a note; again takes it away.", 2),
        entry(.checklist, "a", .add, "add", "Add an item of your own.", 3),
        entry(.findings, "o", .decide, "decide", "Decide the finding.", 2),
        entry(
            .monitor, "Enter", .open, "whole",
            "All of the line: a session's whole statement, a limit's reason.", 1),
        entry(.monitor, "w", .waiting, "waiting", "Who holds up whom; again shows the sessions.", 2),
        entry(
            .monitor, "i", .readings, "readings", "Every reading with its limits, and what is not seen.", 3),
        entry(.monitor, "t", .tables, "tables", "The largest tables, and those with dead rows.", 7),
        entry(
            .monitor, "s", .sort, "sort", "Order the sessions: at work, longest, oldest transaction, user.", 4
        ),
        entry(.monitor, "p", .pause, "pause", "Take no more samples, or go on.", 5),
        entry(
            .monitor, "x", .cancel, "end",
            "Cancel the session's statement or end the session; it asks first.", 6),
        entry(.monitor, "r", .again, "now", "Take the next sample now."),
        entry(.monitor, "Esc", .back, "back", "All lines; the sessions; back to the phases."),
    ]

    private static let boxes: [Entry] = [
        entry(.box, "Enter", .open, "choose", "Press the button with the focus.", 1),
        entry(.box, "Tab l Right", .nextButton, "next", "The next button.", 2),
        entry(.box, "Shift-Tab h Left", .previousButton, "previous", "The button before."),
        entry(.box, "r", .again, "again", "Try again, after a failure."),
        entry(.box, "u", .undo, "undo", "Undo the step that is shown."),
        entry(.box, "Esc", .back, "close", "Close the box; nothing is done.", 80),
        entry(.field, "Enter", .open, "take", "Take what was typed.", 1),
        entry(.field, "Tab", .complete, "complete", "Complete a command's name.", 2),
        entry(.field, "Esc", .back, "back", "Leave it.", 3),
        entry(.field, "Ctrl-C", .interrupt, "back", "Leave it."),
        entry(.choice, "Enter", .open, "choose", "Take the line.", 1),
        entry(.choice, "Esc", .back, "close", "Close the list; nothing is chosen.", 80),
        entry(.difference, "Enter", .open, "bytes", "The bytes of both sides, beside each other.", 1),
        entry(.difference, "[", .previousDifference, "previous", "The row before that differs.", 2),
        entry(.difference, "]", .nextDifference, "next", "The next row that differs.", 3),
        entry(.difference, "f", .filter, "filter", "Only rows of one kind, or that differ in one column.", 4),
        entry(.difference, "/", .find, "find", "A row by a part of its key; n and N go on.", 5),
        entry(.difference, "R", .copyAgain, "repair", "Copy this row again, or every one of the table.", 6),
        entry(.difference, "b", .bytes, "bytes", "The same as Enter."),
        entry(.difference, "w", .wrap, "wrap", "Wrap long values, or cut them.", 7),
        entry(.difference, "s", .showSpaces, "spaces", "Show white space.", 8),
        entry(.bytes, "]", .nextDifference, "next", "The next bytes that differ.", 2),
        entry(.bytes, "[", .previousDifference, "previous", "The bytes before that differ.", 3),
        entry(.reading, "Enter", .open, "close", "Close it.", 1),
        entry(.reading, "Esc", .back, "close", "Close it."),
        entry(.picker, "Enter", .open, "open", "Open the project.", 1),
    ]

    private static func entry(
        _ context: KeyContext, _ keys: String, _ action: Action, _ label: String, _ help: String,
        _ rank: Int? = nil
    ) -> Entry {
        Binding(
            context, keys.split(separator: " ").compactMap { Key(String($0)) }, action, label, help,
            rank: rank)
    }
}
