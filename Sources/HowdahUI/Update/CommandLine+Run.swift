import Foundation
import MigrationEngine
import Playbook
import TerminalUI

/// What the command line does.
extension CommandLine {
    /// What Tab makes of a text: a command's name, or a theme's.
    static func completed(_ text: String, _ model: AppModel) -> String {
        if text.hasPrefix("theme ") {
            let start = text.dropFirst(6)
            return model.themes.first { $0.hasPrefix(start) }.map { "theme \($0)" } ?? text
        }
        let found = all.filter { $0.name.hasPrefix(text) }
        return found.first.map { $0.name + ($0.argument.isEmpty ? "" : " ") } ?? text
    }

    static func run(_ text: String, _ update: Update, _ model: inout AppModel) -> [Effect] {
        let words = text.split(separator: " ", maxSplits: 1).map(String.init)
        guard let name = words.first else { return [] }
        let argument = words.count > 1 ? words[1].trimmingCharacters(in: .whitespaces) : ""
        guard let command = all.first(where: { $0.name == name }) else {
            model.toast = Toast("there is no command “\(name)”: \(summary)", .warn)
            return []
        }
        if argument.isEmpty, !command.argument.isEmpty, name != "theme" {
            model.toast = Toast("\(name) needs \(command.argument)", .warn)
            return []
        }
        if model.monitor != nil, !["help", "mouse", "quit", "theme"].contains(name) {
            model.toast = Toast("the monitor is open: Esc closes it", .warn)
            return []
        }
        switch name {
        case "help": model.overlays.append(.help(search: TextField(), top: 0))
        case "monitor":
            guard model.book == nil else { return update.openMonitor(&model) }
            model.toast = Toast("open a project first", .warn)
        case "log": model.go(to: .journal)
        case "live":
            if let reason = Availability.reason(.live, model) {
                model.toast = Toast(reason, .warn)
            } else {
                update.goLive(&model)
            }
        case "mouse":
            model.isMouseOn.toggle()
            model.toast = Toast(model.isMouseOn ? "clicks go to howdah" : "the terminal selects text")
            return [.mouse(model.isMouseOn)]
        case "open":
            if model.work != nil {
                model.toast = Toast("work runs: x cancels it", .warn)
                return []
            }
            model.isBusy = true
            return [.open(argument)]
        case "quit": return update.quit(&model)
        case "target": return [.setTarget(argument)]
        case "admin": return [.setAdmin(argument)]
        case "finish":
            if let reason = Availability.reason(.live, model) {
                model.toast = Toast(reason, .warn)
                return []
            }
            return update.ask(Phases.finish.id, &model)
        case "stop": return [.setApplication(ApplicationCommands(stop: argument == "-" ? "" : argument))]
        case "start": return [.setApplication(ApplicationCommands(start: argument == "-" ? "" : argument))]
        case "smoke": return [.setApplication(ApplicationCommands(smoke: argument == "-" ? "" : argument))]
        case "export": return [.exportChecklist(argument)]
        case "report", "report!": return [.writeReport(argument, overwrites: name == "report!")]
        case "theme": return theme(argument, &model)
        default: break
        }
        return []
    }

    private static func theme(_ name: String, _ model: inout AppModel) -> [Effect] {
        if name.isEmpty {
            let index = model.themes.firstIndex(of: model.theme) ?? 0
            model.overlays.append(.themes(ListState(selected: index), original: model.theme))
            return []
        }
        guard model.themes.contains(name) else {
            model.toast = Toast("there is no theme “\(name)”: \(model.themes.joined(separator: "  "))", .warn)
            return []
        }
        model.theme = name
        return [.theme(name)]
    }
}
