import ArgumentParser
import MigrationEngine

/// For the benchmarks: the copy without a server.
struct EncodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "encode", abstract: "Read and encode every row as the copy does, and send nothing.",
        shouldDisplay: false)

    @Argument(help: "A SQLite file, or a project's folder.")
    var source: String

    @OptionGroup var planning: PlanningOptions
    @OptionGroup var common: CommonOptions

    private struct Document: Encodable {
        let command = "encode"
        let exit = ExitCode.success.rawValue
        let rows: Int
        let seconds: Double
    }

    func run() throws {
        CommandRunner.run(common) { cancellation in
            let session = try Session(source, common, cancellation)
            let preparation = try session.reporting {
                try session.prepare(planning, planPath: nil, adopting: .never)
            }
            let trial = EncodingTrial(
                preparation, workers: planning.workerCount, cancellation: cancellation)
            let (rows, seconds) = try trial.run()
            if common.json {
                Console.json(Document(rows: rows, seconds: seconds))
            } else {
                Console.result("\(Format.count(rows, "row", "rows")) in \(Format.seconds(seconds))")
            }
            return .success
        }
    }
}
