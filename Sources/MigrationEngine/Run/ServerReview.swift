import Postgres

/// What only the server can tell about a plan, and what is decided about it.
extension Migration {
    /// Findings that stop the run, and the preparation with what was decided to leave out taken out of it.
    func reviewOnServer(_ main: borrowing Postgres.Connection) throws -> (
        findings: [Finding], preparation: Preparation
    ) {
        var findings = try tryTypes()
        var settled = preparation
        // A view that is left out may take others with it, one round each.
        while true {
            let refused =
                try SchemaTrial(plan: settled.plan, catalog: settled.catalog).findings(main)
                + IndexTrial(preparation: settled, plan: settled.plan, cancellation: cancellation).findings(
                    main)
            let decided = refused.compactMap { finding -> (Finding, PlanEdit)? in
                guard
                    let (choice, _) = settled.decisions.choice(
                        for: finding, plan: settled.plan.decisions ?? []),
                    let edit = PlanEdit(choice.word, of: finding)
                else { return nil }
                return (finding, edit)
            }
            var plan = settled.plan
            for (finding, edit) in decided {
                plan = edit.applied(to: plan) ?? plan
                settled.objects = settled.objects.filter { !$0.isCarried(finding) }
                settled.objects.append(finding.object(after: edit))
            }
            guard plan != settled.plan else {
                findings += refused
                break
            }
            settled.plan = plan
        }
        return (findings, settled)
    }
}

extension Finding {
    /// What became of the object that a finding of the server's is about.
    fileprivate func object(after edit: PlanEdit) -> ObjectState {
        let kind: ObjectState.Kind = column != nil ? .generatedColumn : table == nil ? .view : .index
        switch edit {
        case .hash, .digest: return .changed(kind, place, message)
        case .skip(let table, _): return .leftOut(.table, table, "\(message); left out by decision")
        default: return .leftOut(kind, place, "\(message); left out by decision")
        }
    }
}

extension ObjectState {
    /// Whether this says that the object of a finding is carried.
    fileprivate func isCarried(_ finding: Finding) -> Bool {
        guard state != .leftOut else { return false }
        if finding.column != nil { return kind == .generatedColumn && name == finding.place }
        guard let object = finding.object else { return false }
        switch kind {
        case .view, .trigger, .index, .unique, .primaryKey: return name == object
        case .check: return name == "\(finding.table ?? "").\(object)"
        default: return false
        }
    }
}
