import AppProject
import MigrationEngine

/// What howdah does of a project's own steps itself, and what it leaves to the operator.
extension Playbook {
    /// Whether the operator does a step, and ticks it: one that howdah does only in projects that it understands, too.
    public func isByHand(_ step: Step) -> Bool {
        switch step.kind {
        case .automatic: false
        case .assisted where step.id == "5.1": !hasTestCommands
        case .manual: true
        case .assisted: !assisted.contains(step.id)
        }
    }

    /// What to do by hand: what the application's framework asks for goes before what holds for all.
    func byHand(_ step: Step) -> [String] {
        let advice = frameworks.flatMap { found in
            found.framework.advice[step.id].map { [found.evidence] + $0 } ?? []
        }
        return advice.isEmpty ? step.byHand : advice
    }

    /// Those that need no project: the databases are enough.
    private static let withoutProject: Set<String> = [
        "3.1", "3.5", "5.10", "5.11", "6.1", "6.2", "6.4", "6.5", "6.6", "6.7",
    ]

    static func assisted(in workspace: Workspace) -> Set<String> {
        guard let directory = workspace.location.projectDirectory else { return withoutProject }
        let steps = Phases.steps.filter { $0.kind == .assisted && operations[$0.id] != nil }.map(\.id)
        let editor = ProjectEditor(directory: directory)
        let isThere: [String: Bool] = [
            "1.5": editor.hasManifest, "2.1": !editor.environmentFiles.isEmpty || editor.hasPrisma,
            "2.2": editor.hasPrisma, "2.3": editor.hasPrisma,
            "2.4": PrismaCLI(directory: directory) != nil,
        ]
        return Set(steps.filter { isThere[$0] ?? true })
    }
}
