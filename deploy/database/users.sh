#!/bin/sh
# Runs once, when the database is made: the service's own user may become lovebank_app and nothing else.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$(cat /run/secrets/service_password)" \
  --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE lovebank_app NOLOGIN;
CREATE ROLE lovebank_service LOGIN PASSWORD :'password';
GRANT lovebank_app TO lovebank_service;
SQL
