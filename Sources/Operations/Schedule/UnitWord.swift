/// One word of a unit of systemd's: in quotes, with nothing in it expanded (systemd.syntax(7), "Quoting"; systemd.unit(5),
/// "Specifiers").
///
/// A dollar sign means itself but in a command line (systemd.exec(5), `Environment=`; systemd.service(5), "Command lines").
func unitWord(_ text: String, isCommand: Bool) -> String {
    var word = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\\": word += "\\\\"
        case "\"": word += "\\\""
        case "\n": word += "\\n"
        case "\t": word += "\\t"
        case "%": word += "%%"
        case "$" where isCommand: word += "$$"
        default: word.unicodeScalars.append(scalar)
        }
    }
    return "\"\(word)\""
}
