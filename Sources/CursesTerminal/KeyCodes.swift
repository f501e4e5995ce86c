import CNCurses
import TerminalUI

/// Keys as the shims number them.
enum KeyCodes {
    private static let keys: [Int: Key] = [
        HOWDAH_UP: .up, HOWDAH_DOWN: .down, HOWDAH_LEFT: .left,
        HOWDAH_RIGHT: .right, HOWDAH_HOME: .home, HOWDAH_END: .end,
        HOWDAH_PAGE_UP: .pageUp, HOWDAH_PAGE_DOWN: .pageDown,
        HOWDAH_DELETE: .delete, HOWDAH_BACKSPACE: .backspace,
        HOWDAH_BACK_TAB: .backTab, HOWDAH_ENTER: .enter,
    ]

    static func key(_ code: Int) -> Key? {
        let first = HOWDAH_F0
        return code > first ? .function(code - first) : keys[code]
    }

    static func character(_ value: UInt32) -> Key? {
        switch value {
        case 0: return nil
        case 9: return .tab
        case 10, 13: return .enter
        case 27: return .escape
        case 8, 127: return .backspace
        case 1...26: return Unicode.Scalar(value + 96).map { .control(Character($0)) }
        case 0..<32: return nil
        default: return Unicode.Scalar(value).map { .character(Character($0)) }
        }
    }
}
