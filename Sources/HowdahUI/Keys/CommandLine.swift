/// The command line that `:` opens: names with what they do, in one table.
enum CommandLine {
    struct Command {
        let name: String
        let argument: String
        let help: String
    }

    static let all = [
        Command(name: "admin", argument: "URL", help: "an administrator's connection for step 1.4"),
        Command(
            name: "export", argument: "FILE", help: "the checklist as Markdown or HTML, by the file's ending"),
        Command(name: "finish", argument: "", help: "remove what howdah has left, at the end"),
        Command(name: "help", argument: "", help: "the keys"),
        Command(name: "live", argument: "", help: "go live, or back to the rehearsal"),
        Command(name: "log", argument: "", help: "the journal"),
        Command(name: "monitor", argument: "", help: "the live monitor of the target's server"),
        Command(name: "mouse", argument: "", help: "clicks to howdah, or to the terminal"),
        Command(name: "open", argument: "PATH", help: "another project"),
        Command(name: "quit", argument: "", help: "leave"),
        Command(name: "report", argument: "FILE", help: "the whole migration as HTML or Markdown"),
        Command(name: "report!", argument: "FILE", help: "the same, over a file that is there"),
        Command(
            name: "smoke", argument: "COMMAND", help: "tries the application, for the cutover; - forgets it"),
        Command(
            name: "start", argument: "COMMAND", help: "starts the application, for the cutover; - forgets it"),
        Command(
            name: "stop", argument: "COMMAND", help: "stops the application, for the cutover; - forgets it"),
        Command(name: "target", argument: "URL", help: "the live target, without its password"),
        Command(name: "theme", argument: "NAME", help: "other colours"),
    ]

    static var summary: String { all.map(\.name).joined(separator: "  ") }
}
