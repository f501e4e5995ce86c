public struct DemoError: Error, CustomStringConvertible { public let description: String; public let isCancelled: Bool }
public struct DemoProject {
    public struct Options: Sendable { public init(messages: Int, seed: UInt64) {} }
    public struct Made: Sendable { public let directory: String; public let databasePath: String; public let rows: [(table: String, count: Int)] }
    public static func isDemo(_ d: String) -> Bool { false }
    public static func make(in directory: String, options: Options, progress: (_ messagesDone: Int) -> Void, isCancelled: () -> Bool) throws -> Made { fatalError() }
}
