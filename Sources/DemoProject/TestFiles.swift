/// The tests of the chat application. They need no package, so that they run before anything is installed: what the database
/// holds they ask psql, and on SQLite those are skipped.
enum TestFiles {
    static let all: [(path: String, content: String)] = [
        ("test/environment.test.js", environment),
        ("test/support/database.js", database),
        ("test/encryption/message.test.js", encryption),
        ("test/encryption/stored.test.js", stored),
        ("test/history/pages.test.js", pages),
        ("test/conversations/members.test.js", members),
    ]

    private static let environment = """
        import assert from 'node:assert/strict';
        import { readFileSync } from 'node:fs';
        import { test } from 'node:test';

        test('the database is named in .env', () => {
          assert.match(readFileSync(new URL('../.env', import.meta.url), 'utf8'), /^DATABASE_URL="?[a-z]+:/m);
        });

        """

    private static let database = #"""
        import { execFileSync } from 'node:child_process';

        const url = process.env.DATABASE_URL ?? '';

        /** What tests of the database are skipped for; false where they run. */
        export const skip = /^postgres(ql)?:/.test(url) ? false : 'DATABASE_URL leads to no PostgreSQL';

        /** The rows of a query with $1, $2 and so on. The password goes to psql in its environment, on no command line. */
        export function rows(sql, ...values) {
          const place = new URL(url);
          const env = {
            ...process.env,
            PGHOST: place.searchParams.get('host') ?? place.hostname,
            PGPORT: place.port || '5432',
            PGUSER: decodeURIComponent(place.username),
            PGDATABASE: decodeURIComponent(place.pathname.slice(1)),
            PGOPTIONS: `-c search_path=${place.searchParams.get('schema') ?? 'public'}`,
          };
          if (place.password) env.PGPASSWORD = decodeURIComponent(place.password);
          const literals = values.map((value) => `'${String(value).replaceAll("'", "''")}'`);
          const run = literals.length > 0 ? `EXECUTE asked(${literals.join(', ')});` : 'EXECUTE asked;';
          const input = `PREPARE asked AS ${sql};\n${run}`;
          const text = execFileSync('psql', ['-X', '-q', '--csv', '-v', 'ON_ERROR_STOP=1'], {
            env, input, encoding: 'utf8', maxBuffer: 1 << 28,
          });
          const [head, ...lines] = text.trimEnd().split('\n').map((line) => line.split(','));
          return lines.map((line) => Object.fromEntries(head.map((name, index) => [name, line[index]])));
        }

        """#

    private static let encryption = """
        import assert from 'node:assert/strict';
        import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
        import { test } from 'node:test';

        test('a message comes back as it was sent', () => {
          const [key, iv, text] = [randomBytes(32), randomBytes(12), 'see you at eight 👍🏽'];
          const cipher = createCipheriv('aes-256-gcm', key, iv);
          const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
          const decipher = createDecipheriv('aes-256-gcm', key, iv).setAuthTag(cipher.getAuthTag());
          assert.equal(Buffer.concat([decipher.update(sealed), decipher.final()]).toString('utf8'), text);
        });

        """

    private static let stored = #"""
        import assert from 'node:assert/strict';
        import { test } from 'node:test';
        import { rows, skip } from '../support/database.js';

        test('what was sealed is stored byte for byte', { skip }, () => {
          const expected = { 1: '00'.repeat(64), 2: 'ff'.repeat(64), 3: '', 4: '41'.repeat(64) };
          const found = rows('SELECT id, encode("encryptedContent", $1) AS sealed FROM "Message" WHERE id < 5', 'hex');
          assert.ok(found.length > 0, 'the database has no messages');
          for (const { id, sealed } of found) assert.equal(sealed, expected[id], `message ${id}`);
        });

        test('every message has its own iv of twelve bytes', { skip }, () => {
          const [{ messages, ivs, odd }] = rows(
            'SELECT count(*) AS messages, count(DISTINCT iv) AS ivs, count(*) FILTER (WHERE length(iv) <> 12) AS odd FROM "Message"',
          );
          assert.equal(odd, '0');
          assert.equal(ivs, messages);
        });

        """#

    private static let pages = #"""
        import assert from 'node:assert/strict';
        import { test } from 'node:test';
        import { rows, skip } from '../support/database.js';

        test('the history of a conversation pages back to its beginning, in order and with nothing twice', { skip }, () => {
          const [longest] = rows(
            'SELECT "conversationId" AS id, count(*) AS messages FROM "Message" GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1',
          );
          assert.ok(longest, 'the database has no messages');
          const seen = new Set();
          let [time, id] = ['infinity', 2 ** 31 - 1];
          for (;;) {
            const page = rows(
              'SELECT id, "timestamp" FROM "Message" WHERE "conversationId" = $1 AND ("timestamp", id) < ($2, $3) ' +
                'ORDER BY "timestamp" DESC, id DESC LIMIT 50',
              longest.id, time, id,
            );
            if (page.length === 0) break;
            for (const message of page) {
              assert.ok(!seen.has(message.id), `message ${message.id} comes twice`);
              assert.ok(time === 'infinity' || message.timestamp <= time, `message ${message.id} is out of order`);
              seen.add(message.id);
              [time, id] = [message.timestamp, message.id];
            }
          }
          assert.equal(seen.size, Number(longest.messages));
        });

        """#

    private static let members = #"""
        import assert from 'node:assert/strict';
        import { test } from 'node:test';
        import { rows, skip } from '../support/database.js';

        test('every conversation has its members, and every message its conversation', { skip }, () => {
          const [{ empty, lost }] = rows(
            'SELECT (SELECT count(*) FROM "Conversation" c WHERE NOT EXISTS ' +
              '(SELECT FROM "ConversationParticipant" p WHERE p."conversationId" = c.id)) AS empty, ' +
              '(SELECT count(*) FROM "Message" m WHERE NOT EXISTS ' +
              '(SELECT FROM "Conversation" c WHERE c.id = m."conversationId")) AS lost',
          );
          assert.equal(empty, '0');
          assert.equal(lost, '0');
        });

        test('nobody joins a conversation twice', { skip }, () => {
          const twice = rows(
            'SELECT "conversationId" FROM "ConversationParticipant" GROUP BY "conversationId", "userId" HAVING count(*) > 1',
          );
          assert.deepEqual(twice, []);
        });

        """#
}
