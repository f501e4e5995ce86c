import MigrationEngine
import Postgres

/// Everything of a database's schema in words, as the server's own catalog functions tell it: two databases are made alike
/// where the words are the same (https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-CATALOG).
///
/// Owners and rights are not in it: a drill restores without them.
struct SchemaPicture: Sendable {
    /// What each object is and is called, with its definition.
    let objects: [String: String]

    /// Reads it in the transaction of the moment, with every name in full.
    init(_ connection: borrowing Postgres.Connection) throws {
        try connection.execute("SET search_path = ''")
        var objects: [String: String] = [:]
        for part in Self.parts {
            let result = try connection.query(part.sql)
            for row in 0..<result.count {
                objects["\(part.kind) \(result.text(row, 0) ?? "")", default: ""] += result.text(row, 1) ?? ""
            }
        }
        self.objects = objects
    }

    /// What of the original is not in the restored database, or is another; and what that has beside.
    static func problems(original: SchemaPicture, restored: SchemaPicture) -> [String] {
        var problems: [String] = []
        for (name, definition) in original.objects.sorted(by: { $0.key < $1.key }) {
            guard let found = restored.objects[name] else {
                problems.append("\(name) was not restored")
                continue
            }
            if !found.utf8.elementsEqual(definition.utf8) {
                problems.append("\(name) was restored as another one")
            }
        }
        // A new database has that schema, also where the original has none any more.
        let more = restored.objects.keys.filter { original.objects[$0] == nil && $0 != "schema public" }
        return problems + more.sorted().map { "\($0) is in the restored database only" }
    }

    /// Leaves out what belongs to an extension: its version says what that is.
    private static func own(_ catalog: String, _ identifier: String) -> String {
        """
        NOT EXISTS (SELECT FROM pg_depend AS e WHERE e.classid = 'pg_catalog.\(catalog)'::regclass AND e.objid = \(identifier)
            AND e.deptype = 'e')
        """
    }

    private static let user = DatabaseFacts.noSystemSchemas + " AND nspname !~ '^pg_'"

    /// Each kind of object with a query for names and definitions.
    private static let parts: [(kind: String, sql: String)] = [
        (
            "schema",
            "SELECT quote_ident(nspname), '' FROM pg_namespace AS n WHERE \(user) AND \(own("pg_namespace", "n.oid"))"
        ),
        ("extension", "SELECT quote_ident(extname), extversion FROM pg_extension"),
        (
            "relation",
            """
            SELECT c.oid::regclass::text, concat_ws(' ', relkind, relpersistence, relrowsecurity, relforcerowsecurity, relreplident,
                reloptions, amname, pg_get_partkeydef(c.oid), pg_get_expr(relpartbound, c.oid),
                (SELECT string_agg(inhparent::regclass::text, ',' ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = c.oid))
            FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace LEFT JOIN pg_am AS m ON m.oid = relam
            WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c') AND relpersistence <> 't' AND \(user) AND \(own("pg_class", "c.oid"))
            """
        ),
        (
            "column",
            """
            SELECT c.oid::regclass || '.' || quote_ident(attname), concat_ws(' ',
                row_number() OVER (PARTITION BY c.oid ORDER BY attnum), format_type(atttypid, atttypmod), attnotnull, attidentity,
                attgenerated, attstorage, attislocal, attoptions, attfdwoptions,
                CASE WHEN attcollation <> 0 THEN attcollation::regcollation::text END, pg_get_expr(adbin, adrelid))
            FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = attrelid JOIN pg_namespace AS n ON n.oid = relnamespace
            LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
            WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND relpersistence <> 't' AND attnum > 0 AND NOT attisdropped
                AND \(user) AND \(own("pg_class", "c.oid"))
            """
        ),
        (
            // One that is not valid was left by a CREATE INDEX CONCURRENTLY that failed, and no dump has it.
            "index",
            """
            SELECT c.oid::regclass::text, concat_ws(' ', pg_get_indexdef(c.oid), indisclustered, indisreplident)
            FROM pg_index JOIN pg_class AS c ON c.oid = indexrelid JOIN pg_namespace AS n ON n.oid = relnamespace
            WHERE indisvalid AND relpersistence <> 't' AND \(user) AND \(own("pg_class", "indrelid"))
            """
        ),
        (
            "constraint",
            """
            SELECT concat_ws('.', nullif(conrelid, 0)::regclass, nullif(contypid, 0)::regtype, quote_ident(conname)),
                concat_ws(' ', pg_get_constraintdef(k.oid), convalidated)
            FROM pg_constraint AS k JOIN pg_namespace AS n ON n.oid = connamespace
            WHERE conparentid = 0 AND \(user) AND (conrelid = 0 OR \(own("pg_class", "conrelid")))
                AND (contypid = 0 OR \(own("pg_type", "contypid")))
            """
        ),
        (
            "view",
            """
            SELECT c.oid::regclass::text, pg_get_viewdef(c.oid) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
            WHERE relkind IN ('v', 'm') AND relpersistence <> 't' AND \(user) AND \(own("pg_class", "c.oid"))
            """
        ),
        (
            "trigger",
            """
            SELECT c.oid::regclass || '.' || quote_ident(tgname), concat_ws(' ', pg_get_triggerdef(t.oid), tgenabled)
            FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = tgrelid JOIN pg_namespace AS n ON n.oid = relnamespace
            WHERE NOT tgisinternal AND tgparentid = 0 AND relpersistence <> 't' AND \(user) AND \(own("pg_class", "c.oid"))
            """
        ),
        (
            "rule",
            """
            SELECT c.oid::regclass || '.' || quote_ident(rulename), concat_ws(' ', pg_get_ruledef(r.oid), ev_enabled)
            FROM pg_rewrite AS r JOIN pg_class AS c ON c.oid = ev_class JOIN pg_namespace AS n ON n.oid = relnamespace
            WHERE rulename <> '_RETURN' AND relpersistence <> 't' AND \(user) AND \(own("pg_class", "c.oid"))
            """
        ),
        (
            "policy",
            """
            SELECT c.oid::regclass || '.' || quote_ident(polname), concat_ws(' ', polcmd, polpermissive,
                (SELECT string_agg(r::regrole::text, ',' ORDER BY r::regrole::text) FROM unnest(polroles) AS r),
                pg_get_expr(polqual, c.oid), pg_get_expr(polwithcheck, c.oid))
            FROM pg_policy JOIN pg_class AS c ON c.oid = polrelid JOIN pg_namespace AS n ON n.oid = relnamespace WHERE \(user)
            """
        ),
        (
            "function",
            """
            SELECT p.oid::regprocedure::text, pg_get_functiondef(p.oid) FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = pronamespace
            WHERE prokind <> 'a' AND \(user) AND \(own("pg_proc", "p.oid"))
            """
        ),
        (
            "aggregate",
            """
            SELECT p.oid::regprocedure::text, concat_ws(' ', aggtransfn, aggfinalfn, aggcombinefn, aggkind, aggtranstype::regtype,
                agginitval, aggsortop::regoperator)
            FROM pg_aggregate JOIN pg_proc AS p ON p.oid = aggfnoid JOIN pg_namespace AS n ON n.oid = pronamespace
            WHERE \(user) AND \(own("pg_proc", "p.oid"))
            """
        ),
        (
            "type",
            """
            SELECT t.oid::regtype::text, concat_ws(' ', typtype, CASE WHEN typtype = 'd' THEN format_type(typbasetype, typtypmod) END,
                typnotnull, typdefault, typcollation::regcollation, rngsubtype::regtype,
                (SELECT string_agg(quote_literal(enumlabel), ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid))
            FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = typnamespace LEFT JOIN pg_range ON rngtypid = t.oid
            WHERE typtype IN ('d', 'e', 'r') AND \(user) AND \(own("pg_type", "t.oid"))
            """
        ),
        (
            "sequence",
            """
            SELECT c.oid::regclass::text, concat_ws(' ', seqtypid::regtype, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle,
                (SELECT string_agg(concat_ws(' ', deptype, refobjid::regclass, attname), ',') FROM pg_depend AS d
                JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
                WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND deptype IN ('a', 'i')))
            FROM pg_sequence JOIN pg_class AS c ON c.oid = seqrelid JOIN pg_namespace AS n ON n.oid = relnamespace
            WHERE relpersistence <> 't' AND \(user) AND \(own("pg_class", "c.oid"))
            """
        ),
        (
            "statistics",
            """
            SELECT quote_ident(nspname) || '.' || quote_ident(stxname), pg_get_statisticsobjdef(s.oid)
            FROM pg_statistic_ext AS s JOIN pg_namespace AS n ON n.oid = stxnamespace WHERE \(user)
            """
        ),
        (
            "operator",
            """
            SELECT o.oid::regoperator::text, concat_ws(' ', oprcode, oprrest, oprjoin, oprcanmerge, oprcanhash)
            FROM pg_operator AS o JOIN pg_namespace AS n ON n.oid = oprnamespace WHERE \(user) AND \(own("pg_operator", "o.oid"))
            """
        ),
        (
            "cast",
            """
            SELECT castsource::regtype || ' to ' || casttarget::regtype, concat_ws(' ', nullif(castfunc, 0)::regprocedure, castcontext, castmethod)
            FROM pg_cast AS c WHERE c.oid >= 16384 AND \(own("pg_cast", "c.oid"))
            """
        ),
        (
            "text search configuration",
            """
            SELECT c.oid::regconfig::text, (SELECT string_agg(concat_ws(' ', maptokentype, mapseqno, mapdict::regdictionary), ','
                ORDER BY maptokentype, mapseqno) FROM pg_ts_config_map WHERE mapcfg = c.oid)
            FROM pg_ts_config AS c JOIN pg_namespace AS n ON n.oid = cfgnamespace WHERE \(user) AND \(own("pg_ts_config", "c.oid"))
            """
        ),
        (
            "collation",
            """
            SELECT c.oid::regcollation::text, concat_ws(' ', collprovider, collisdeterministic, collcollate, collctype)
            FROM pg_collation AS c JOIN pg_namespace AS n ON n.oid = collnamespace WHERE \(user) AND \(own("pg_collation", "c.oid"))
            """
        ),
        (
            "event trigger",
            "SELECT quote_ident(evtname), concat_ws(' ', evtevent, evtfoid::regprocedure, evtenabled, evttags) FROM pg_event_trigger AS t WHERE \(own("pg_event_trigger", "t.oid"))"
        ),
        (
            "foreign server",
            "SELECT quote_ident(srvname), concat_ws(' ', srvtype, srvversion, srvoptions) FROM pg_foreign_server"
        ),
        (
            "comment",
            """
            SELECT i.type || ' ' || i.identity, description FROM pg_description AS d, pg_identify_object(classoid, objoid, objsubid) AS i
            WHERE objoid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend AS e
                WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e')
            """
        ),
    ]
}
