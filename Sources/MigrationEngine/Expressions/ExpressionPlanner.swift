import Postgres
import SQLDialect

/// What of a plan is SQL that was translated: it depends on the types and the names that the rest of the plan has.
struct PlannedExpressions: Equatable, Sendable {
    var checks: [String: [MigrationPlan.Check]] = [:]
    /// By table and column.
    var generated: [String: [String: String]] = [:]
    /// Indexes that are more than a list of columns, by table.
    var indexes: [String: [MigrationPlan.Index]] = [:]
    var views: [MigrationPlan.View] = []
    var triggers: [MigrationPlan.Trigger] = []
    var objects: [ObjectState] = []
}

/// Translates CHECKs, generated columns, indexes on expressions, views and triggers for the tables of a plan.
///
/// What has no equal that is known to give the same value is listed with the reason, and left to the operator.
struct ExpressionPlanner {
    let catalog: Catalog
    let profiles: [String: TableProfile]
    let plan: MigrationPlan
    /// The names that tables, sequences, keys and plain indexes have taken.
    let names: NameSpace

    private struct Work {
        var planned = PlannedExpressions()
        var names: NameSpace
        var translator: SQLTranslator
    }

    func expressions() -> PlannedExpressions {
        let relations = TargetRelations(schema: plan.schema, style: plan.style)
        var work = Work(names: names, translator: SQLTranslator(relations: []))
        for planned in plan.tables where !planned.isSkipped {
            guard let table = catalog.tables.first(where: { $0.name == planned.name }) else { continue }
            let relation = relations.relation(table, planned, profiles[table.name] ?? TableProfile())
            work.translator.relations.append(relation)
            addChecks(table, planned, relation, &work)
            addGenerated(table, relation, &work)
            addIndexes(table, relation, &work)
            addIndexOfVirtual(table, planned, &work)
        }
        addViews(&work)
        addTriggers(&work)
        return work.planned
    }

    // MARK: Tables

    private func addChecks(
        _ table: Catalog.Table, _ planned: MigrationPlan.Table, _ relation: SQLRelation, _ work: inout Work
    ) {
        var names = NameSpace()
        for key in planned.uniques ?? [] { _ = names.claim(key.name) }
        for key in planned.foreignKeys ?? [] { _ = names.claim(key.name) }
        if let key = planned.primaryKey { _ = names.claim(key.name) }
        for check in table.checks {
            let title = "\(table.name).\(check.name ?? "CHECK (\(check.expression))")"
            if let column = check.jsonColumn, planned.isJSON(column) {
                work.planned.objects.append(.changed(.check, title, "its type checks it"))
                continue
            }
            do throws(Refusal) {
                let expression = try work.translator.condition(check.expression, on: relation)
                let columns = SQLTranslator.columns(of: check.expression, in: relation)
                let parts = [planned.targetName] + (columns.count == 1 ? columns : [])
                let derived = Naming.cut(parts.joined(separator: "_"), suffix: "_check")
                let name = names.claim(check.name.map { Naming.cut($0, suffix: "") } ?? derived)
                work.planned.checks[table.name, default: []].append(
                    .init(name: name, expression: expression, source: check.expression))
                work.planned.objects.append(.carried(.check, "\(table.name).\(name)"))
            } catch {
                work.planned.objects.append(.notSupported(.check, title, error.words(in: check.expression)))
            }
        }
    }

    private func addGenerated(_ table: Catalog.Table, _ relation: SQLRelation, _ work: inout Work) {
        let computed = Set(table.columns.filter { $0.generation != nil }.map(\.name))
        for column in table.columns {
            guard let source = column.generation, let target = relation.column(named: column.name) else {
                continue
            }
            let place = "\(table.name).\(column.name)"
            do throws(Refusal) {
                let read = SQLTranslator.columns(of: source, in: relation)
                if let other = read.first(where: computed.contains) {
                    throw Refusal(
                        "it reads \(other), which is generated too: PostgreSQL does not allow that", 0..<0)
                }
                let expression = try work.translator.generated(source, for: target, of: relation)
                work.planned.generated[table.name, default: [:]][column.name] = expression
                work.planned.objects.append(.carried(.generatedColumn, place))
            } catch {
                let why =
                    "its values are carried as plain data, and nothing computes them: \(error.words(in: source))"
                work.planned.objects.append(.notSupported(.generatedColumn, place, why))
            }
        }
    }

    private func addIndexes(_ table: Catalog.Table, _ relation: SQLRelation, _ work: inout Work) {
        for index in table.indexes where index.needsTranslation(in: table) {
            do throws(Refusal) {
                let planned = try translated(index, relation, work.translator)
                var named = planned
                named.name = work.names.claim(Naming.cut(planned.name, suffix: ""))
                work.planned.indexes[table.name, default: []].append(named)
                if index.origin == .createIndex {
                    work.planned.objects.append(
                        named.name == index.name
                            ? .carried(.index, index.name)
                            : .changed(
                                .index, named.name, "\(index.name) is taken, or longer than PostgreSQL keeps")
                    )
                } else {
                    work.planned.objects.append(
                        .changed(
                            .unique, named.name,
                            "an index beside the key of \(table.name), which holds under the collation that SQLite has there"
                        ))
                }
            } catch {
                let why = error.words(in: index.sql ?? "")
                let kind: ObjectState.Kind = index.origin == .createIndex ? .index : .unique
                work.planned.objects.append(.notSupported(kind, index.name, why))
            }
        }
    }

    /// What answers a full-text or a spatial query in the place of a virtual table.
    private func addIndexOfVirtual(
        _ table: Catalog.Table, _ planned: MigrationPlan.Table, _ work: inout Work
    ) {
        guard table.virtual != nil,
            let virtual = VirtualTable(.init(name: table.name, table: table.name, sql: table.sql))
        else { return }
        guard var index = virtual.index(columns: planned.columns) else { return }
        index.name = work.names.claim(index.name)
        work.planned.indexes[table.name, default: []].append(index)
        work.planned.objects.append(
            .changed(.virtualTable, table.name, "a table with the index \(index.name) \(index.method ?? "")"))
    }

    private func translated(
        _ index: Catalog.Index, _ relation: SQLRelation, _ translator: SQLTranslator
    ) throws(Refusal) -> MigrationPlan.Index {
        var orders: [Ordering] = []
        var predicate: String?
        if let sql = index.sql {
            let parsed: CreateIndex
            do { parsed = try SQLParser.index(sql) } catch { throw Refusal(error.message, error.range) }
            orders = parsed.terms
            predicate = try parsed.condition.map { (condition) throws(Refusal) in
                try translator.condition(condition, on: relation)
            }
        } else {
            orders = index.terms.compactMap(\.column).map { .column($0) }
        }
        guard orders.count == index.terms.count else {
            throw Refusal("its terms cannot be told apart", 0..<0)
        }
        var terms: [String] = []
        for (order, term) in zip(orders, index.terms) {
            let sql = try translator.indexTerm(order.expression, collation: term.collation, on: relation)
            terms.append(sql + (term.isDescending ? " DESC" : ""))
        }
        let columns = index.terms.compactMap(\.column)
        let name =
            index.origin == .createIndex
            ? index.name : Naming.cut("\(relation.name)_\(columns.joined(separator: "_"))", suffix: "_folded")
        return .init(
            name: name, unique: index.isUnique ? true : nil, columns: columns, terms: terms,
            predicate: predicate)
    }

    // MARK: Views and triggers

    /// Views that read other views come after them.
    private func addViews(_ work: inout Work) {
        var open = catalog.views
        var reasons: [String: String] = [:]
        var isProgress = true
        while isProgress, !open.isEmpty {
            isProgress = false
            for view in open {
                do throws(Refusal) {
                    try add(view, &work)
                    open.removeAll { $0.name == view.name }
                    isProgress = true
                } catch {
                    reasons[view.name] = error.words(in: view.sql)
                }
            }
        }
        for view in open { work.planned.objects.append(.notSupported(.view, view.name, reasons[view.name])) }
    }

    private func add(_ view: Catalog.SchemaObject, _ work: inout Work) throws(Refusal) {
        if let problem = view.problem { throw Refusal("SQLite itself cannot read it: \(problem)", 0..<0) }
        let parsed: CreateView
        do { parsed = try SQLParser.view(view.sql) } catch { throw Refusal(error.message, error.range) }
        let translated = try work.translator.view(parsed, names: view.columns)
        guard translated.columns.count == view.columns.count else {
            throw Refusal("its columns cannot be told apart", 0..<0)
        }
        let name = work.names.claim(Naming.cut(view.name, suffix: ""))
        let columns = translated.columns.map { column in
            MigrationPlan.Column(
                name: column.name, target: column.target == column.name ? nil : column.target,
                type: column.sqlType, integers: EpochUnit(column.storage))
        }
        work.planned.views.append(
            .init(
                name: view.name, target: name == view.name ? nil : name, columns: columns,
                select: translated.sql,
                approximate: translated.approximate.isEmpty ? nil : translated.approximate))
        work.planned.objects.append(
            name == view.name
                ? .carried(.view, view.name)
                : .changed(.view, name, "\(view.name) is taken, or longer than PostgreSQL keeps"))
        work.translator.relations.append(
            SQLRelation(
                name: view.name, target: quoteIdentifier(plan.schema, name), columns: translated.columns))
    }

    private func addTriggers(_ work: inout Work) {
        var parsed: [(object: Catalog.SchemaObject, trigger: CreateTrigger)] = []
        for trigger in catalog.triggers {
            do throws(SyntaxError) {
                parsed.append((trigger, try SQLParser.trigger(trigger.sql)))
            } catch {
                work.planned.objects.append(.notSupported(.trigger, trigger.name, error.message))
            }
        }
        var functions = NameSpace()
        for (object, trigger) in parsed {
            let name = functions.claim(Naming.cut(object.name, suffix: ""))
            do throws(Refusal) {
                let translated = try work.translator.trigger(
                    trigger, name: name, function: quoteIdentifier(plan.schema, name),
                    mayFireItself: mayFireItself(trigger, among: parsed.map(\.trigger)))
                work.planned.triggers.append(
                    .init(
                        name: name, table: object.table, function: translated.function,
                        trigger: translated.trigger))
                work.planned.objects.append(.carried(.trigger, object.name))
            } catch {
                work.planned.objects.append(
                    .notSupported(.trigger, object.name, error.words(in: object.sql)))
            }
        }
    }

    /// Whether the statements of a trigger could reach the trigger again: by its own table, by a table with triggers, or
    /// by a foreign key's action.
    private func mayFireItself(_ trigger: CreateTrigger, among all: [CreateTrigger]) -> Bool {
        let written = trigger.statements.compactMap { $0.writtenTable?.foldedName }
        let own = trigger.table.foldedName
        return written.contains { table in
            table == own || all.contains { $0.table.foldedName == table }
                || catalog.tables.contains { child in
                    child.foreignKeys.contains { key in
                        key.parentTable.foldedName == table
                            && [key.onDelete, key.onUpdate].contains { $0 != "NO ACTION" && $0 != "RESTRICT" }
                    }
                }
        }
    }
}

extension Refusal {
    /// The reason with the piece of source that it is about.
    func words(in source: String) -> String {
        let bytes = Array(source.utf8)
        guard !range.isEmpty, range.upperBound <= bytes.count else { return reason }
        let fragment = String(decoding: bytes[range], as: UTF8.self)
            .split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return fragment.count > 120 || fragment.isEmpty ? reason : "\(reason): \(fragment)"
    }
}

extension EpochUnit {
    init?(_ storage: SQLRelation.Storage) {
        guard case .epoch(let perSecond) = storage,
            let unit = Self.allCases.first(where: { 1_000_000 / $0.microseconds == Int64(perSecond) })
        else { return nil }
        self = unit
    }
}

extension Catalog.Index {
    /// Whether it is more than a list of columns in the order of their bytes.
    func needsTranslation(in table: Catalog.Table) -> Bool {
        if origin == .createIndex {
            return isPartial || terms.contains { $0.column == nil } || hasCollation(in: table)
        }
        return hasCollation(in: table)
    }

    /// A collation means something to texts alone.
    private func hasCollation(in table: Catalog.Table) -> Bool {
        terms.contains { term in
            guard term.collation.uppercased() != "BINARY", let name = term.column,
                let column = table.column(named: name)
            else { return term.column == nil && term.collation.uppercased() != "BINARY" }
            return column.affinity == .text || column.affinity == .blob
        }
    }
}

extension MigrationPlan.Table {
    /// Whether PostgreSQL takes nothing but JSON in a column.
    func isJSON(_ column: String) -> Bool {
        columns.contains { other in
            other.name.foldedName == column.foldedName && [.json, .jsonb].contains(other.postgresType)
        }
    }
}
