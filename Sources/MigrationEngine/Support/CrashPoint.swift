import Foundation

/// Moments in which tests kill howdah: `HOWDAH_CRASH` names one, as `3.2 before` or `3.2 after`. Nothing of it is in a released program.
package enum CrashPoint {
    #if DEBUG
        private static let wanted = ProcessInfo.processInfo.environment["HOWDAH_CRASH"]
    #endif

    package static func pass(_ moment: String) {
        #if DEBUG
            if wanted == moment { kill(getpid(), SIGKILL) }
        #endif
    }
}
