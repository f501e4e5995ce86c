import Foundation

/// Keeps what is written to stderr off the screens, in a file, and shows it at the end.
final class StderrCapture {
    let original: Int32
    let file: Int32

    /// nil where the file cannot be made: then stderr stays as it is.
    init?(_ path: String) {
        file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        original = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)
        guard file >= 0, original >= 0, dup2(file, STDERR_FILENO) >= 0 else {
            if file >= 0 { close(file) }
            if original >= 0 { close(original) }
            return nil
        }
    }

    /// Gives stderr back and shows what came in.
    func end() {
        guard fcntl(original, F_GETFD) >= 0 else { return }
        dup2(original, STDERR_FILENO)
        lseek(file, 0, SEEK_SET)
        var block = [UInt8](repeating: 0, count: 4096)
        while case let count = read(file, &block, block.count), count > 0 {
            _ = write(STDERR_FILENO, block, count)
        }
        close(file)
        close(original)
    }
}
