#!/bin/sh
# Runs once, when the database is made, after roles.sql beside it: the three users get the passwords of their secrets.
set -eu
for user in migrator service inspector; do
  psql -v ON_ERROR_STOP=1 -v user="lovebank_$user" -v password="$(cat "/run/secrets/${user}_password")" \
    --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
ALTER ROLE :"user" PASSWORD :'password';
SQL
done
