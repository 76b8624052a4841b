-- The roles of love-bank. Run it once, as a superuser, in the database that the service is to have, before the first
-- `python -m app migrate`; run it again whenever you like, it changes nothing that is as it should be:
--
--   createdb --encoding UTF8 lovebank
--   psql --dbname lovebank --set ON_ERROR_STOP=1 --file deploy/database/roles.sql
--   psql --dbname lovebank --command '\password lovebank_migrator'   -- and lovebank_service, lovebank_inspector
--
-- Three roles hold rights and log in nowhere, three users log in and hold none of their own:
--
--   lovebank_owner    owns the database and its tables. Row level security binds it as well: it is FORCEd.
--   lovebank_app      SELECT and INSERT on the ledger, the rights that each other table needs, no more; never an owner.
--   lovebank_auditor  SELECT on what is neither secret nor personal: of all communities, or of those that it names.
--
--   lovebank_migrator   is lovebank_owner from the moment it logs in. For `migrate` alone.
--   lovebank_service    may become lovebank_app. For `serve`, `worker`, and the other commands.
--   lovebank_inspector  may do what lovebank_auditor may, and begins read-only. For people with psql, and for `audit`
--                       with LOVEBANK_DATABASE_ROLE=lovebank_auditor.
--
-- A database that another user migrated before is taken over: its tables and functions go to lovebank_owner.

DO $$
DECLARE
    name text;
BEGIN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = 'lovebank_owner') THEN
        RAISE EXCEPTION 'lovebank_owner is a superuser here, whom no wall stops'
            USING HINT = 'Dump the database and restore it where the superuser has another name; README.md has the recipe.';
    END IF;
    FOREACH name IN ARRAY ARRAY['lovebank_owner', 'lovebank_app', 'lovebank_auditor'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        END IF;
    END LOOP;
    FOREACH name IN ARRAY ARRAY['lovebank_migrator', 'lovebank_service', 'lovebank_inspector'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', name);
        END IF;
    END LOOP;
END $$;

-- The owner may become the app, which can do less: `migrate` wants to know that the role can be taken on.
GRANT lovebank_app TO lovebank_owner, lovebank_service;
GRANT lovebank_owner TO lovebank_migrator;
GRANT lovebank_auditor TO lovebank_inspector;

-- What the migrator makes belongs to the owner, whoever migrates next.
ALTER ROLE lovebank_migrator SET role = lovebank_owner;
-- A migration that waits for a lock holds up all who come after it: it gives up, and is run again.
ALTER ROLE lovebank_migrator SET lock_timeout = '10s';
-- Statements carry what they write; a log that quotes those that failed would keep it beyond an erasure.
ALTER ROLE lovebank_service SET log_min_error_statement = panic;
ALTER ROLE lovebank_migrator SET log_min_error_statement = panic;
-- A forgotten psql holds up neither VACUUM nor a migration.
ALTER ROLE lovebank_inspector SET default_transaction_read_only = on;
ALTER ROLE lovebank_inspector SET statement_timeout = '15min';
ALTER ROLE lovebank_inspector SET lock_timeout = '2s';
ALTER ROLE lovebank_inspector SET idle_in_transaction_session_timeout = '5min';

DO $$
DECLARE
    found record;
BEGIN
    -- The owner of the database owns its schema `public` too (15 and later).
    EXECUTE format('ALTER DATABASE %I OWNER TO lovebank_owner', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format(
        'GRANT CONNECT ON DATABASE %I TO lovebank_migrator, lovebank_service, lovebank_inspector', current_database()
    );
    FOR found IN
        SELECT 'TABLE' AS kind, oid::regclass::text AS name, oid AS thing FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relowner <> 'lovebank_owner'::regrole
        UNION ALL
        SELECT 'FUNCTION', oid::regprocedure::text, oid FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND proowner <> 'lovebank_owner'::regrole
    LOOP
        -- What an extension brought along stays as it is.
        CONTINUE WHEN EXISTS (SELECT FROM pg_depend WHERE objid = found.thing AND deptype = 'e');
        EXECUTE format('ALTER %s %s OWNER TO lovebank_owner', found.kind, found.name);
    END LOOP;
END $$;
