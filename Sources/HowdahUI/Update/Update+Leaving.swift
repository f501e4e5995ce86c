import MigrationEngine
import Playbook
import TerminalUI

/// From one mode to the other, and out.
extension Update {
    func goLive(_ model: inout AppModel) {
        guard let book = model.book else { return }
        if book.mode == .live {
            model.overlays.append(
                .confirm(
                    ConfirmBox(
                        question: .goBackToRehearsal, title: "Back to the rehearsal?",
                        text: [
                            "What was done live stays as it is, and is listed again when you come back."
                        ], buttons: ["rehearsal", "stay live"], focused: 0)))
        } else if let database = book.liveDatabase, let target = book.liveTarget {
            model.overlays.append(
                .confirm(
                    ConfirmBox(
                        question: .goLive, title: "Go live?", text: Words.goingLive(target, book),
                        buttons: ["go live", "stay"], focused: 1, field: TextField(), expected: database)))
        } else {
            prompt(
                .target, "The live target",
                ["postgresql://user@host:5432/database", "Leave the password out: howdah asks for it."],
                &model)
        }
    }

    func quit(_ model: inout AppModel) -> [Effect] {
        if model.work == nil, model.book?.isSourceHeld ?? false {
            model.overlays.append(
                .confirm(
                    ConfirmBox(
                        question: .quitWhileHolding, title: "A cutover is under way",
                        text: [
                            "howdah keeps writers away from SQLite until C.4. Leaving lets them go on: what they write then is not in PostgreSQL.",
                            "Opened again, C goes on from here; u on C.2 leads back.",
                        ], buttons: ["stay", "quit"], focused: 0)))
            return []
        }
        let services = model.runningServices
        guard model.work != nil || !services.isEmpty else { return [.quit(0)] }
        if model.work == nil {
            model.overlays.append(
                .confirm(
                    ConfirmBox(
                        question: .quitWhileWorking, title: "Services run",
                        text: ["\(services.joined(separator: ", ")): howdah stops what it has started."],
                        buttons: ["stay", "stop and quit"], focused: 0)))
            return []
        }
        model.overlays.append(
            .confirm(
                ConfirmBox(
                    question: .quitWhileWorking, title: "Work runs",
                    text: [
                        "Nothing goes on unseen. Stopping keeps every piece that is loaded; opened again, Enter "
                            + "goes on from there. A table that is loaded as one piece begins anew."
                    ], buttons: ["stay", "stop and quit"], focused: 0)))
        return []
    }
}
