/// The application's schema, as a developer writes it for Prisma and as Prisma writes it for SQLite.
enum ChatSchema {
    static let prisma = """
        // A chat application with end-to-end encryption.

        generator client {
          provider = "prisma-client-js"
        }

        datasource db {
          provider = "sqlite"
          url      = env("DATABASE_URL")
        }

        enum Role {
          OWNER
          ADMIN
          MEMBER
        }

        model User {
          id             Int                        @id @default(autoincrement())
          username       String                     @unique
          displayName    String?                    @map("display_name")
          passwordHash   String
          publicKey      Bytes
          isOnline       Boolean                    @default(false)
          quotaBytes     BigInt                     @default(0)
          credit         Decimal                    @default(0)
          settings       Json?
          lastSeen       DateTime?
          createdAt      DateTime                   @default(now())
          updatedAt      DateTime                   @updatedAt
          devices        DeviceIdentity[]
          participations ConversationParticipant[]
          messages       Message[]
          ratchetStates  ConversationRatchetState[]
          quantumKeys    PostQuantumKey[]
          starred        Message[]                  @relation("StarredMessages")
        }

        model DeviceIdentity {
          id           String   @id @default(cuid())
          deviceId     String   @unique
          userId       Int
          identityKey  Bytes
          signedPreKey Bytes?
          trust        Float?
          createdAt    DateTime @default(now())
          user         User     @relation(fields: [userId], references: [id], onDelete: Cascade)

          @@index([userId])
        }

        model Conversation {
          id            String                     @id @default(uuid())
          title         String?
          isGroup       Boolean                    @default(false)
          createdAt     DateTime                   @default(now())
          participants  ConversationParticipant[]
          messages      Message[]
          ratchetStates ConversationRatchetState[]
        }

        model ConversationParticipant {
          conversationId String
          userId         Int
          role           Role         @default(MEMBER)
          joinedAt       DateTime     @default(now())
          lastReadAt     DateTime?
          conversation   Conversation @relation(fields: [conversationId], references: [id], onDelete: Cascade)
          user           User         @relation(fields: [userId], references: [id])

          @@id([conversationId, userId])
          @@index([userId])
        }

        model Message {
          id               Int          @id @default(autoincrement())
          conversationId   String
          senderId         Int?
          content          String?
          encryptedContent Bytes?
          iv               Bytes
          isEncrypted      Boolean      @default(true)
          score            Float        @default(0)
          metadata         Json?
          replyToId        Int?
          timestamp        DateTime     @default(now())
          editedAt         DateTime?
          conversation     Conversation @relation(fields: [conversationId], references: [id], onDelete: Cascade)
          sender           User?        @relation(fields: [senderId], references: [id])
          replyTo          Message?     @relation("Replies", fields: [replyToId], references: [id])
          replies          Message[]    @relation("Replies")
          starredBy        User[]       @relation("StarredMessages")

          @@index([conversationId, timestamp(sort: Desc)])
        }

        model ConversationRatchetState {
          id                     String       @id @default(cuid())
          conversationId         String
          userId                 Int
          rootKeyEncrypted       Bytes
          chainKey               Bytes?
          sendingMessageNumber   Int          @default(0)
          receivingMessageNumber Int          @default(0)
          skippedKeys            Json?
          updatedAt              DateTime     @updatedAt
          conversation           Conversation @relation(fields: [conversationId], references: [id], onDelete: Cascade)
          user                   User         @relation(fields: [userId], references: [id], onDelete: Cascade)

          @@unique([conversationId, userId])
        }

        model PostQuantumKey {
          id                  String    @id @default(cuid())
          userId              Int
          keyType             String
          publicKey           Bytes
          encryptedPrivateKey Bytes?
          isActive            Boolean   @default(true)
          expiresAt           DateTime?
          user                User      @relation(fields: [userId], references: [id], onDelete: Cascade)

          @@index([userId, keyType])
        }

        """

    static let tables = """
        -- CreateTable
        CREATE TABLE "User" (
            "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            "username" TEXT NOT NULL,
            "display_name" TEXT,
            "passwordHash" TEXT NOT NULL,
            "publicKey" BLOB NOT NULL,
            "isOnline" BOOLEAN NOT NULL DEFAULT false,
            "quotaBytes" BIGINT NOT NULL DEFAULT 0,
            "credit" DECIMAL NOT NULL DEFAULT 0,
            "settings" JSONB,
            "lastSeen" DATETIME,
            "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
            "updatedAt" DATETIME NOT NULL
        );

        -- CreateTable
        CREATE TABLE "DeviceIdentity" (
            "id" TEXT NOT NULL PRIMARY KEY,
            "deviceId" TEXT NOT NULL,
            "userId" INTEGER NOT NULL,
            "identityKey" BLOB NOT NULL,
            "signedPreKey" BLOB,
            "trust" REAL,
            "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
            CONSTRAINT "DeviceIdentity_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
        );

        -- CreateTable
        CREATE TABLE "Conversation" (
            "id" TEXT NOT NULL PRIMARY KEY,
            "title" TEXT,
            "isGroup" BOOLEAN NOT NULL DEFAULT false,
            "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
        );

        -- CreateTable
        CREATE TABLE "ConversationParticipant" (
            "conversationId" TEXT NOT NULL,
            "userId" INTEGER NOT NULL,
            "role" TEXT NOT NULL DEFAULT 'MEMBER',
            "joinedAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
            "lastReadAt" DATETIME,

            PRIMARY KEY ("conversationId", "userId"),
            CONSTRAINT "ConversationParticipant_conversationId_fkey" FOREIGN KEY ("conversationId") REFERENCES "Conversation" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
            CONSTRAINT "ConversationParticipant_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
        );

        -- CreateTable
        CREATE TABLE "Message" (
            "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            "conversationId" TEXT NOT NULL,
            "senderId" INTEGER,
            "content" TEXT,
            "encryptedContent" BLOB,
            "iv" BLOB NOT NULL,
            "isEncrypted" BOOLEAN NOT NULL DEFAULT true,
            "score" REAL NOT NULL DEFAULT 0,
            "metadata" JSONB,
            "replyToId" INTEGER,
            "timestamp" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
            "editedAt" DATETIME,
            CONSTRAINT "Message_conversationId_fkey" FOREIGN KEY ("conversationId") REFERENCES "Conversation" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
            CONSTRAINT "Message_senderId_fkey" FOREIGN KEY ("senderId") REFERENCES "User" ("id") ON DELETE SET NULL ON UPDATE CASCADE,
            CONSTRAINT "Message_replyToId_fkey" FOREIGN KEY ("replyToId") REFERENCES "Message" ("id") ON DELETE SET NULL ON UPDATE CASCADE
        );

        -- CreateTable
        CREATE TABLE "ConversationRatchetState" (
            "id" TEXT NOT NULL PRIMARY KEY,
            "conversationId" TEXT NOT NULL,
            "userId" INTEGER NOT NULL,
            "rootKeyEncrypted" BLOB NOT NULL,
            "chainKey" BLOB,
            "sendingMessageNumber" INTEGER NOT NULL DEFAULT 0,
            "receivingMessageNumber" INTEGER NOT NULL DEFAULT 0,
            "skippedKeys" JSONB,
            "updatedAt" DATETIME NOT NULL,
            CONSTRAINT "ConversationRatchetState_conversationId_fkey" FOREIGN KEY ("conversationId") REFERENCES "Conversation" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
            CONSTRAINT "ConversationRatchetState_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
        );

        -- CreateTable
        CREATE TABLE "PostQuantumKey" (
            "id" TEXT NOT NULL PRIMARY KEY,
            "userId" INTEGER NOT NULL,
            "keyType" TEXT NOT NULL,
            "publicKey" BLOB NOT NULL,
            "encryptedPrivateKey" BLOB,
            "isActive" BOOLEAN NOT NULL DEFAULT true,
            "expiresAt" DATETIME,
            CONSTRAINT "PostQuantumKey_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
        );

        -- CreateTable
        CREATE TABLE "_StarredMessages" (
            "A" INTEGER NOT NULL,
            "B" INTEGER NOT NULL,
            CONSTRAINT "_StarredMessages_A_fkey" FOREIGN KEY ("A") REFERENCES "Message" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
            CONSTRAINT "_StarredMessages_B_fkey" FOREIGN KEY ("B") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
        );

        """

    static let indexes = """

        -- CreateIndex
        CREATE UNIQUE INDEX "User_username_key" ON "User"("username");

        -- CreateIndex
        CREATE UNIQUE INDEX "DeviceIdentity_deviceId_key" ON "DeviceIdentity"("deviceId");

        -- CreateIndex
        CREATE INDEX "DeviceIdentity_userId_idx" ON "DeviceIdentity"("userId");

        -- CreateIndex
        CREATE INDEX "ConversationParticipant_userId_idx" ON "ConversationParticipant"("userId");

        -- CreateIndex
        CREATE INDEX "Message_conversationId_timestamp_idx" ON "Message"("conversationId", "timestamp" DESC);

        -- CreateIndex
        CREATE UNIQUE INDEX "ConversationRatchetState_conversationId_userId_key" ON "ConversationRatchetState"("conversationId", "userId");

        -- CreateIndex
        CREATE INDEX "PostQuantumKey_userId_keyType_idx" ON "PostQuantumKey"("userId", "keyType");

        -- CreateIndex
        CREATE UNIQUE INDEX "_StarredMessages_AB_unique" ON "_StarredMessages"("A", "B");

        -- CreateIndex
        CREATE INDEX "_StarredMessages_B_index" ON "_StarredMessages"("B");

        """
}
