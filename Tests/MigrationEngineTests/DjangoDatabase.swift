/// What Django 5.2 itself made of one set of models: in SQLite, and in PostgreSQL 15.
///
/// `shop.Every` has one field of each kind; the other tables are those of Django's own apps.
enum DjangoDatabase {
    /// The statements in sqlite_schema.
    static let sqlite = """
        CREATE TABLE "django_migrations" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app" varchar(255) NOT NULL, "name" varchar(255) NOT NULL, "applied" datetime NOT NULL);
        CREATE TABLE "auth_group_permissions" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "group_id" integer NOT NULL REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED, "permission_id" integer NOT NULL REFERENCES "auth_permission" ("id") DEFERRABLE INITIALLY DEFERRED);
        CREATE UNIQUE INDEX "auth_group_permissions_group_id_permission_id_0cd325b0_uniq" ON "auth_group_permissions" ("group_id", "permission_id");
        CREATE INDEX "auth_group_permissions_group_id_b120cbf9" ON "auth_group_permissions" ("group_id");
        CREATE INDEX "auth_group_permissions_permission_id_84c5c92e" ON "auth_group_permissions" ("permission_id");
        CREATE TABLE "django_content_type" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app_label" varchar(100) NOT NULL, "model" varchar(100) NOT NULL);
        CREATE UNIQUE INDEX "django_content_type_app_label_model_76bd3d3b_uniq" ON "django_content_type" ("app_label", "model");
        CREATE TABLE "auth_permission" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "content_type_id" integer NOT NULL REFERENCES "django_content_type" ("id") DEFERRABLE INITIALLY DEFERRED, "codename" varchar(100) NOT NULL, "name" varchar(255) NOT NULL);
        CREATE UNIQUE INDEX "auth_permission_content_type_id_codename_01ab375a_uniq" ON "auth_permission" ("content_type_id", "codename");
        CREATE INDEX "auth_permission_content_type_id_2f476e4b" ON "auth_permission" ("content_type_id");
        CREATE TABLE "auth_group" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(150) NOT NULL UNIQUE);
        CREATE TABLE "django_session" ("session_key" varchar(40) NOT NULL PRIMARY KEY, "session_data" text NOT NULL, "expire_date" datetime NOT NULL);
        CREATE INDEX "django_session_expire_date_a5c62663" ON "django_session" ("expire_date");
        CREATE TABLE "shop_maker" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(50) NOT NULL UNIQUE);
        CREATE TABLE "shop_old" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT);
        CREATE TABLE "shop_small" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT);
        CREATE TABLE "shop_every" ("id" char(32) NOT NULL PRIMARY KEY, "b" bool DEFAULT 1 NOT NULL, "nb" bool NULL, "c" varchar(20) NOT NULL, "big" bigint NOT NULL, "i" integer NOT NULL, "s" smallint NOT NULL, "pi" integer unsigned NOT NULL CHECK ("pi" >= 0), "ps" smallint unsigned NOT NULL CHECK ("ps" >= 0), "pb" bigint unsigned NOT NULL CHECK ("pb" >= 0), "f" real NOT NULL, "d" decimal NOT NULL, "dt" datetime NOT NULL, "da" date NOT NULL, "ti" time NOT NULL, "du" bigint NOT NULL, "j" text NOT NULL CHECK ((JSON_VALID("j") OR "j" IS NULL)), "nj" text NULL CHECK ((JSON_VALID("nj") OR "nj" IS NULL)), "by" BLOB NOT NULL, "t" text NOT NULL, "ip" char(39) NULL, "u" char(32) NULL, "em" varchar(254) NOT NULL, "ur" varchar(200) NOT NULL, "sl" varchar(50) NOT NULL, "fi" varchar(100) NOT NULL, "parent_id" char(32) NULL REFERENCES "shop_every" ("id") DEFERRABLE INITIALLY DEFERRED, "maker_id" bigint NOT NULL REFERENCES "shop_maker" ("id") DEFERRABLE INITIALLY DEFERRED, "old_id" integer NULL UNIQUE REFERENCES "shop_old" ("id") DEFERRABLE INITIALLY DEFERRED, "small_id" smallint NULL REFERENCES "shop_small" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "i_ok" CHECK ("i" >= 0), CONSTRAINT "sc_uq" UNIQUE ("s", "c"));
        CREATE TABLE "shop_every_tags" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "every_id" char(32) NOT NULL REFERENCES "shop_every" ("id") DEFERRABLE INITIALLY DEFERRED, "maker_id" bigint NOT NULL REFERENCES "shop_maker" ("id") DEFERRABLE INITIALLY DEFERRED);
        CREATE UNIQUE INDEX "shop_every_c_i_328ba62c_uniq" ON "shop_every" ("c", "i");
        CREATE INDEX "shop_every_i_8cf0264e" ON "shop_every" ("i");
        CREATE INDEX "shop_every_sl_967c6c97" ON "shop_every" ("sl");
        CREATE INDEX "shop_every_parent_id_fd7f36de" ON "shop_every" ("parent_id");
        CREATE INDEX "shop_every_maker_id_45ccca59" ON "shop_every" ("maker_id");
        CREATE INDEX "shop_every_small_id_16571010" ON "shop_every" ("small_id");
        CREATE INDEX "shop_every_c_9eddaa_idx" ON "shop_every" ("c", "i" DESC);
        CREATE UNIQUE INDEX "shop_every_tags_every_id_maker_id_495ed46c_uniq" ON "shop_every_tags" ("every_id", "maker_id");
        CREATE INDEX "shop_every_tags_every_id_ec26fb63" ON "shop_every_tags" ("every_id");
        CREATE INDEX "shop_every_tags_maker_id_c8e30a5b" ON "shop_every_tags" ("maker_id");
        """

    /// PostgreSQL's columns: type by format_type, and whether it is an identity. A DecimalField has its digits there, a
    /// DurationField is an interval; SQLite tells neither.
    static let columns = """
        auth_group_permissions|group_id|integer|NO
        auth_group_permissions|id|bigint|YES
        auth_group_permissions|permission_id|integer|NO
        auth_group|id|integer|YES
        auth_group|name|character varying(150)|NO
        auth_permission|codename|character varying(100)|NO
        auth_permission|content_type_id|integer|NO
        auth_permission|id|integer|YES
        auth_permission|name|character varying(255)|NO
        django_content_type|app_label|character varying(100)|NO
        django_content_type|id|integer|YES
        django_content_type|model|character varying(100)|NO
        django_migrations|applied|timestamp with time zone|NO
        django_migrations|app|character varying(255)|NO
        django_migrations|id|bigint|YES
        django_migrations|name|character varying(255)|NO
        django_session|expire_date|timestamp with time zone|NO
        django_session|session_data|text|NO
        django_session|session_key|character varying(40)|NO
        shop_every_tags|every_id|uuid|NO
        shop_every_tags|id|bigint|YES
        shop_every_tags|maker_id|bigint|NO
        shop_every|big|bigint|NO
        shop_every|by|bytea|NO
        shop_every|b|boolean|NO
        shop_every|c|character varying(20)|NO
        shop_every|da|date|NO
        shop_every|dt|timestamp with time zone|NO
        shop_every|du|bigint|NO
        shop_every|d|numeric|NO
        shop_every|em|character varying(254)|NO
        shop_every|fi|character varying(100)|NO
        shop_every|f|double precision|NO
        shop_every|id|uuid|NO
        shop_every|ip|inet|NO
        shop_every|i|integer|NO
        shop_every|j|jsonb|NO
        shop_every|maker_id|bigint|NO
        shop_every|nb|boolean|NO
        shop_every|nj|jsonb|NO
        shop_every|old_id|integer|NO
        shop_every|parent_id|uuid|NO
        shop_every|pb|bigint|NO
        shop_every|pi|integer|NO
        shop_every|ps|smallint|NO
        shop_every|sl|character varying(50)|NO
        shop_every|small_id|smallint|NO
        shop_every|s|smallint|NO
        shop_every|ti|time without time zone|NO
        shop_every|t|text|NO
        shop_every|ur|character varying(200)|NO
        shop_every|u|uuid|NO
        shop_maker|id|bigint|YES
        shop_maker|name|character varying(50)|NO
        shop_old|id|integer|YES
        shop_small|id|smallint|YES
        """

    /// PostgreSQL's keys. CHECKs are not among them.
    static let constraints = """
        auth_group_permissions|auth_group_permissio_permission_id_84c5c92e_fk_auth_perm|FOREIGN KEY (permission_id) REFERENCES auth_permission(id) DEFERRABLE INITIALLY DEFERRED
        auth_group_permissions|auth_group_permissions_group_id_b120cbf9_fk_auth_group_id|FOREIGN KEY (group_id) REFERENCES auth_group(id) DEFERRABLE INITIALLY DEFERRED
        auth_group_permissions|auth_group_permissions_group_id_permission_id_0cd325b0_uniq|UNIQUE (group_id, permission_id)
        auth_group_permissions|auth_group_permissions_pkey|PRIMARY KEY (id)
        auth_group|auth_group_name_key|UNIQUE (name)
        auth_group|auth_group_pkey|PRIMARY KEY (id)
        auth_permission|auth_permission_content_type_id_2f476e4b_fk_django_co|FOREIGN KEY (content_type_id) REFERENCES django_content_type(id) DEFERRABLE INITIALLY DEFERRED
        auth_permission|auth_permission_content_type_id_codename_01ab375a_uniq|UNIQUE (content_type_id, codename)
        auth_permission|auth_permission_pkey|PRIMARY KEY (id)
        django_content_type|django_content_type_app_label_model_76bd3d3b_uniq|UNIQUE (app_label, model)
        django_content_type|django_content_type_pkey|PRIMARY KEY (id)
        django_migrations|django_migrations_pkey|PRIMARY KEY (id)
        django_session|django_session_pkey|PRIMARY KEY (session_key)
        shop_every_tags|shop_every_tags_every_id_ec26fb63_fk_shop_every_id|FOREIGN KEY (every_id) REFERENCES shop_every(id) DEFERRABLE INITIALLY DEFERRED
        shop_every_tags|shop_every_tags_every_id_maker_id_495ed46c_uniq|UNIQUE (every_id, maker_id)
        shop_every_tags|shop_every_tags_maker_id_c8e30a5b_fk_shop_maker_id|FOREIGN KEY (maker_id) REFERENCES shop_maker(id) DEFERRABLE INITIALLY DEFERRED
        shop_every_tags|shop_every_tags_pkey|PRIMARY KEY (id)
        shop_every|sc_uq|UNIQUE (s, c)
        shop_every|shop_every_c_i_328ba62c_uniq|UNIQUE (c, i)
        shop_every|shop_every_maker_id_45ccca59_fk_shop_maker_id|FOREIGN KEY (maker_id) REFERENCES shop_maker(id) DEFERRABLE INITIALLY DEFERRED
        shop_every|shop_every_old_id_76bf254d_fk_shop_old_id|FOREIGN KEY (old_id) REFERENCES shop_old(id) DEFERRABLE INITIALLY DEFERRED
        shop_every|shop_every_old_id_key|UNIQUE (old_id)
        shop_every|shop_every_parent_id_fd7f36de_fk_shop_every_id|FOREIGN KEY (parent_id) REFERENCES shop_every(id) DEFERRABLE INITIALLY DEFERRED
        shop_every|shop_every_pkey|PRIMARY KEY (id)
        shop_every|shop_every_small_id_16571010_fk_shop_small_id|FOREIGN KEY (small_id) REFERENCES shop_small(id) DEFERRABLE INITIALLY DEFERRED
        shop_maker|shop_maker_name_key|UNIQUE (name)
        shop_maker|shop_maker_pkey|PRIMARY KEY (id)
        shop_old|shop_old_pkey|PRIMARY KEY (id)
        shop_small|shop_small_pkey|PRIMARY KEY (id)
        """

    /// PostgreSQL's indexes, without those for LIKE (varchar_pattern_ops), which Django adds there alone.
    static let indexes = """
        CREATE INDEX auth_group_permissions_group_id_b120cbf9 ON auth_group_permissions (group_id)
        CREATE INDEX auth_group_permissions_permission_id_84c5c92e ON auth_group_permissions (permission_id)
        CREATE INDEX auth_permission_content_type_id_2f476e4b ON auth_permission (content_type_id)
        CREATE INDEX django_session_expire_date_a5c62663 ON django_session (expire_date)
        CREATE INDEX shop_every_c_9eddaa_idx ON shop_every (c, i DESC)
        CREATE INDEX shop_every_i_8cf0264e ON shop_every (i)
        CREATE INDEX shop_every_maker_id_45ccca59 ON shop_every (maker_id)
        CREATE INDEX shop_every_parent_id_fd7f36de ON shop_every (parent_id)
        CREATE INDEX shop_every_sl_967c6c97 ON shop_every (sl)
        CREATE INDEX shop_every_small_id_16571010 ON shop_every (small_id)
        CREATE INDEX shop_every_tags_every_id_ec26fb63 ON shop_every_tags (every_id)
        CREATE INDEX shop_every_tags_maker_id_c8e30a5b ON shop_every_tags (maker_id)
        CREATE UNIQUE INDEX auth_group_name_key ON auth_group (name)
        CREATE UNIQUE INDEX auth_group_permissions_group_id_permission_id_0cd325b0_uniq ON auth_group_permissions (group_id, permission_id)
        CREATE UNIQUE INDEX auth_group_permissions_pkey ON auth_group_permissions (id)
        CREATE UNIQUE INDEX auth_group_pkey ON auth_group (id)
        CREATE UNIQUE INDEX auth_permission_content_type_id_codename_01ab375a_uniq ON auth_permission (content_type_id, codename)
        CREATE UNIQUE INDEX auth_permission_pkey ON auth_permission (id)
        CREATE UNIQUE INDEX django_content_type_app_label_model_76bd3d3b_uniq ON django_content_type (app_label, model)
        CREATE UNIQUE INDEX django_content_type_pkey ON django_content_type (id)
        CREATE UNIQUE INDEX django_migrations_pkey ON django_migrations (id)
        CREATE UNIQUE INDEX django_session_pkey ON django_session (session_key)
        CREATE UNIQUE INDEX sc_uq ON shop_every (s, c)
        CREATE UNIQUE INDEX shop_every_c_i_328ba62c_uniq ON shop_every (c, i)
        CREATE UNIQUE INDEX shop_every_old_id_key ON shop_every (old_id)
        CREATE UNIQUE INDEX shop_every_pkey ON shop_every (id)
        CREATE UNIQUE INDEX shop_every_tags_every_id_maker_id_495ed46c_uniq ON shop_every_tags (every_id, maker_id)
        CREATE UNIQUE INDEX shop_every_tags_pkey ON shop_every_tags (id)
        CREATE UNIQUE INDEX shop_maker_name_key ON shop_maker (name)
        CREATE UNIQUE INDEX shop_maker_pkey ON shop_maker (id)
        CREATE UNIQUE INDEX shop_old_pkey ON shop_old (id)
        CREATE UNIQUE INDEX shop_small_pkey ON shop_small (id)
        """
}
