extension Expression {
    /// The expressions that this one is made of, without those of SELECTs within it.
    var children: [Expression] {
        switch kind {
        case .null, .integer, .real, .text, .blob, .boolean, .now, .parameter, .name, .exists, .subquery,
            .raise:
            []
        case .unary(_, let operand), .collate(let operand, _), .cast(let operand, _),
            .isNull(let operand, _), .inSelect(let operand, _, _), .inTable(let operand, _, _):
            [operand]
        case .binary(_, let left, let right): [left, right]
        case .between(let value, let low, let high, _): [value, low, high]
        case .inList(let value, let items, _): [value] + items
        case .match(_, let value, let pattern, let escape, _): [value, pattern] + [escape].compactMap { $0 }
        case .choice(let operand, let branches, let otherwise):
            [operand, otherwise].compactMap { $0 } + branches.flatMap { [$0.condition, $0.value] }
        case .call(let call): call.arguments
        case .row(let items): items
        }
    }

    func contains(where test: (Expression) -> Bool) -> Bool {
        test(self) || children.contains { $0.contains(where: test) }
    }
}
