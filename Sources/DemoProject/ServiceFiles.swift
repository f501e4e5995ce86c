/// The services of the chat application: what a few years on SQLite leave in a code base, good and bad.
enum ServiceFiles {
    static let all: [(path: String, content: String)] = [
        ("src/database/legacy.ts", legacy),
        ("src/database/maintenance.ts", maintenance),
        ("src/database/schema-extras.sql", extras),
        ("src/services/conversations.ts", conversations),
        ("src/services/encryption.ts", encryption),
        ("src/services/errors.ts", errors),
        ("src/services/files.ts", files),
        ("src/services/search.ts", search),
        ("src/services/users.ts", users),
        (
            "uploads/README.txt",
            "Files that users have sent lie here, under the names that the messages keep.\n"
        ),
    ]

    private static let conversations = #"""
        import { prisma } from '../database/client.js';

        /** Joins a conversation; joining twice changes nothing. */
        export async function join(conversationId: string, userId: number) {
          await prisma.$executeRaw`
            INSERT OR IGNORE INTO ConversationParticipant (conversationId, userId, role, joinedAt)
            VALUES (${conversationId}, ${userId}, 'MEMBER', datetime('now'))`;
        }

        /** Who is in a conversation, in one line. */
        export async function members(conversationId: string) {
          return prisma.$queryRaw`
            SELECT group_concat(u.username, ', ') AS names, count(*) AS size,
                   iif(count(*) > 2, 'group', 'pair') AS kind
            FROM ConversationParticipant p JOIN User u ON u.id = p.userId
            WHERE p.conversationId = ${conversationId} AND p.role != "GUEST"`;
        }

        export async function overview(userId: number, page: number, size: number) {
          return prisma.$queryRawUnsafe(
            'SELECT c.id, ifnull(c.title, "untitled") AS title, max(m.timestamp, c.createdAt) AS active ' +
              'FROM Conversation c LEFT JOIN Message m ON m.conversationId == c.id ' +
              'GROUP BY c.id ORDER BY title COLLATE NOCASE LIMIT ?, ?',
            page * size,
            size,
          );
        }

        /** The next number of a message; two senders at once must not get the same. */
        export async function nextNumber(conversationId: string, userId: number): Promise<number> {
          return prisma.$transaction(async (tx) => {
            const state = await tx.conversationRatchetState.findFirst({ where: { conversationId, userId } });
            const number = (state?.sendingMessageNumber ?? 0) + 1;
            await tx.conversationRatchetState.updateMany({
              where: { conversationId, userId },
              data: { sendingMessageNumber: number },
            });
            return number;
          });
        }

        export async function find(word: string) {
          return prisma.conversation.findMany({ where: { title: { contains: word } } });
        }

        """#

    private static let users = #"""
        import { Prisma } from '@prisma/client';
        import { prisma } from '../database/client.js';

        export async function online() {
          return prisma.$queryRaw`SELECT id, username FROM User WHERE isOnline = 1 ORDER BY lastSeen DESC`;
        }

        export async function seen(userId: number) {
          await prisma.$executeRawUnsafe('UPDATE `User` SET lastSeen = unixepoch() * 1000 WHERE id = ?', userId);
        }

        /** Users by what they have set, with parts of the query made as they are needed. */
        export async function withSetting(name: string, onlyOnline: boolean) {
          const filter = onlyOnline ? Prisma.sql`AND isOnline = 1` : Prisma.empty;
          return prisma.$queryRaw`
            SELECT id, json_extract(settings, '$.' || ${name}) AS value, typeof(credit) AS kind
            FROM User WHERE settings IS NOT NULL ${filter}`;
        }

        export async function newest(days: number) {
          return prisma.$queryRaw`
            SELECT username, julianday('now') - julianday(createdAt / 1000, 'unixepoch') AS age
            FROM User WHERE createdAt > strftime('%s', 'now', ${`-${days} days`}) * 1000`;
        }

        export async function bySettings(theme: string) {
          return prisma.user.findMany({
            where: { settings: { path: '$.theme', equals: theme } },
            orderBy: { id: 'asc' },
          });
        }

        export async function credit() {
          return prisma.$queryRaw`SELECT round(credit, 2) AS credit, CAST(quotaBytes AS INTEGER) AS quota FROM User`;
        }

        """#

    private static let search = #"""
        import { prisma } from '../database/client.js';

        export async function names(pattern: string) {
          return prisma.$queryRaw`SELECT id FROM User WHERE username GLOB ${pattern} AND substr(username, -1) IS NOT ${'x'}`;
        }

        export async function inText(word: string) {
          return prisma.$queryRaw`
            SELECT id, instr(content, ${word}) AS place FROM Message INDEXED BY Message_conversationId_timestamp_idx
            WHERE instr(content, ${word}) > 0 LIMIT -1`;
        }

        export async function any(count: number) {
          return prisma.$queryRaw`SELECT rowid, hex(iv) AS iv FROM Message ORDER BY random() LIMIT ${count}`;
        }

        """#

    private static let encryption = """
        import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

        /** Seals a message; the text of this module says SELECT and INSERT OR REPLACE and means nothing by it. */
        export function seal(key: Buffer, text: string) {
          const iv = randomBytes(12);
          const cipher = createCipheriv('aes-256-gcm', key, iv);
          return { iv, sealed: Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]) };
        }

        export function open(key: Buffer, iv: Buffer, sealed: Buffer): string {
          const decipher = createDecipheriv('aes-256-gcm', key, iv).setAuthTag(sealed.subarray(-16));
          return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]).toString('utf8');
        }

        """

    private static let errors = """
        import { Prisma } from '@prisma/client';

        /** What an error means for the client. */
        export function status(error: unknown): number {
          if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002') return 409;
          const message = error instanceof Error ? error.message : '';
          if (message.includes('UNIQUE constraint failed')) return 409;
          if (message.includes('SQLITE_CONSTRAINT_FOREIGNKEY')) return 422;
          if (message.includes('database is locked')) return 503;
          return 500;
        }

        """

    private static let files = """
        import { copyFileSync, existsSync } from 'node:fs';
        import { join } from 'node:path';

        const database = process.env.DATABASE_URL ?? 'file:./dev.db?connection_limit=1';

        /** Where a file that a user has sent lies. */
        export function path(name: string): string {
          return join(process.cwd(), 'uploads', name);
        }

        /** A copy of the whole database, before anything dangerous. */
        export function backup(): void {
          if (!database.startsWith('file:') || !existsSync('prisma/dev.db')) return;
          copyFileSync('prisma/dev.db', `backup-${Date.now()}.sqlite`);
        }

        """

    private static let maintenance = #"""
        import { PrismaClient } from '@prisma/client';

        /** Nightly work, in a client of its own. */
        export async function nightly(): Promise<void> {
          const prisma = new PrismaClient();
          await prisma.$executeRawUnsafe('BEGIN IMMEDIATE');
          await prisma.$executeRawUnsafe("VACUUM INTO 'nightly.db'");
          const tables = await prisma.$queryRawUnsafe("SELECT name FROM sqlite_master WHERE type = 'table'");
          console.log(tables, await prisma.$queryRawUnsafe('EXPLAIN QUERY PLAN SELECT id FROM Message'));
          await prisma.$executeRawUnsafe('INSERT OR ROLLBACK INTO AuditLog (what) VALUES (last_insert_rowid())');
          await prisma.$disconnect();
        }

        """#

    private static let extras = """
        -- Made by hand, beside Prisma's migrations.
        CREATE TABLE IF NOT EXISTS AuditLog (id INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT, at TEXT DEFAULT CURRENT_TIMESTAMP);
        CREATE TABLE IF NOT EXISTS KeyCache (id TEXT PRIMARY KEY, token BLOB DEFAULT (randomblob(16))) WITHOUT ROWID;
        CREATE TRIGGER IF NOT EXISTS audit_messages AFTER DELETE ON Message BEGIN
          INSERT INTO AuditLog (what) VALUES ('deleted ' || old.id);
        END;

        """

    private static let legacy = """
        import Database from 'better-sqlite3';

        /** The statistics page still reads the file by itself. */
        export function countsByHour(): unknown[] {
          const database = new Database('prisma/dev.db', { readonly: true });
          return database.prepare('SELECT date(timestamp / 1000, "unixepoch") AS day, count(*) FROM order GROUP BY day').all();
        }

        """
}
