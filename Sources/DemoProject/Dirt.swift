/// What applications leave in SQLite over the years, and PostgreSQL refuses: one case of each.
enum Dirt {
    /// SQLite checks neither types nor, by default, foreign keys, so each of these goes in without a word.
    static let statements = """
        INSERT INTO "Message" ("conversationId", "senderId", "content", "iv")
            SELECT "id", 999999, 'whose sender is gone', x'00' FROM "Conversation" LIMIT 3;
        UPDATE "User" SET "quotaBytes" = 'unlimited' WHERE "id" = 2;
        UPDATE "Message" SET "content" = CAST(x'C328' AS TEXT) WHERE "id" = (SELECT min("id") + 4 FROM "Message");
        UPDATE "Message" SET "editedAt" = 'yesterday' WHERE "id" = (SELECT min("id") + 5 FROM "Message");
        """
}
