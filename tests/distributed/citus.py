"""What Citus would bring along, by its own names and signatures: it keeps what it is asked for, and refuses alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from app.settings import Settings

STAND_INS = """
CREATE SCHEMA citus;
CREATE TYPE citus.distribution_type AS ENUM ('hash', 'range', 'append');
CREATE TABLE pg_dist_partition (
    logicalrelid regclass PRIMARY KEY, partmethod "char" NOT NULL, partkey text, colocationid int NOT NULL,
    repmodel "char" NOT NULL, autoconverted boolean NOT NULL DEFAULT false
);
CREATE TABLE asked (place bigint GENERATED ALWAYS AS IDENTITY, call text NOT NULL, references_there bigint);
CREATE TABLE node_answers (nodename text, nodeport int, success boolean, result text);
INSERT INTO node_answers VALUES ('node-1', 5432, true, 'ALTER'), ('node-2', 5432, true, 'ALTER');

CREATE FUNCTION refuse_early_reference(name regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE missing regclass;
BEGIN
    SELECT confrelid INTO missing FROM pg_constraint
    WHERE conrelid = name AND contype = 'f' AND confrelid <> name
      AND confrelid NOT IN (SELECT logicalrelid FROM pg_dist_partition);
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'referenced table "%" must be a distributed table or a reference table', missing;
    END IF;
END $$;

CREATE FUNCTION create_reference_table(table_name regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_early_reference(table_name);
    INSERT INTO asked (call) VALUES (format('reference %s', table_name));
    INSERT INTO pg_dist_partition VALUES (table_name, 'n', NULL, 1, 't');
END $$;

CREATE FUNCTION create_distributed_table(
    table_name regclass, distribution_column text, distribution_type citus.distribution_type DEFAULT 'hash',
    colocate_with text DEFAULT 'default', shard_count int DEFAULT NULL
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_early_reference(table_name);
    IF colocate_with <> 'default' AND colocate_with::regclass NOT IN (SELECT logicalrelid FROM pg_dist_partition) THEN
        RAISE EXCEPTION 'relation % is not distributed', colocate_with;
    END IF;
    INSERT INTO asked (call, references_there) VALUES (
        format('distributed %s by %s %s %s', table_name, distribution_column, distribution_type, colocate_with),
        (SELECT count(*) FROM pg_constraint WHERE conrelid = table_name AND contype = 'f')
    );
    INSERT INTO pg_dist_partition VALUES (table_name, 'h', distribution_column, 2, 's');
END $$;

CREATE FUNCTION run_command_on_workers(
    command text, parallel boolean DEFAULT true, OUT nodename text, OUT nodeport int, OUT success boolean,
    OUT result text
) RETURNS SETOF record LANGUAGE sql AS $$
    INSERT INTO asked (call) VALUES (format('on workers %s', command));
    SELECT * FROM node_answers;
$$;
"""


def stand_in(settings: Settings) -> None:
    """Give a database the stand-ins."""
    with psycopg.connect(settings.database_url) as connection:
        connection.execute(STAND_INS)


def asked_of(settings: Settings) -> list[str]:
    """What the stand-ins were asked for, in order."""
    with psycopg.connect(settings.database_url) as connection:
        return [row[0] for row in connection.execute("SELECT call FROM asked ORDER BY place")]
