import TerminalUI

extension AppModel {
    /// Whether keys go into a field.
    var hasField: Bool {
        switch overlays.last {
        case .prompt: true
        case .preview(let box): box.field != nil
        case .confirm(let box): box.field != nil
        case .help: true
        default: false
        }
    }

    /// Where a key is looked up, in order.
    var contexts: [KeyContext] {
        switch overlays.last {
        case .preview, .failure, .confirm: [.box, .everywhere]
        case .prompt: [.field]
        case .themes, .choose: [.choice, .everywhere]
        case .proof: [.difference, .box, .everywhere]
        case .help: [.field]
        case .bytes: [.bytes, .reading, .everywhere]
        case .details, .text, .statements: [.reading, .everywhere]
        case nil: paneContexts
        }
    }

    private var paneContexts: [KeyContext] {
        if monitor != nil { return [.monitor, .everywhere] }
        if book == nil { return [.picker, .everywhere] }
        switch (pane, section) {
        case (.rail, _): return [.everywhere]
        case (.tables, _): return [.tables, .everywhere]
        case (.columns, _): return [.columns, .everywhere]
        case (.places, _): return [.places, .everywhere]
        case (.files, _): return [.files, .everywhere]
        case (.advice, _): return [.advice, .everywhere]
        case (.commands, _): return [.commands, .everywhere]
        case (.output, _): return [.output, .everywhere]
        case (_, .phase): return [.steps, .everywhere]
        case (_, .checklist): return [.checklist, .everywhere]
        case (_, .findings): return [.findings, .everywhere]
        case (_, .journal): return [.journal, .everywhere]
        case (_, .rollback): return [.rollback, .everywhere]
        }
    }
}
