#!/bin/sh
# Makes the secrets that compose.yaml hands over as files, once; a secret that is there is left alone.
# Keep a copy of the folder where backups are not: without the pepper no personal data can be read again.
set -eu
umask 077
folder=${1:-"$(dirname "$0")/secrets"}
mkdir -p "$folder"
random() { head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
keep() { [ -s "$folder/$1" ] || { cat > "$folder/$1.new" && mv "$folder/$1.new" "$folder/$1"; }; }
openssl genpkey -algorithm ed25519 | keep signing_key
openssl genpkey -algorithm ed25519 | keep ledger_key
random | keep secret_pepper
for user in superuser migrator service inspector; do random | keep "${user}_password"; done
printf 'postgresql://lovebank_migrator:%s@database/lovebank' "$(cat "$folder/migrator_password")" | keep migrator_url
printf 'postgresql://lovebank_service:%s@database/lovebank' "$(cat "$folder/service_password")" | keep service_url
# Nobody else on this machine gets into the folder. The service runs as user 10001, which has to read each file that
# compose mounts from here.
chmod 700 "$folder"
chmod 444 "$folder"/signing_key "$folder"/ledger_key "$folder"/secret_pepper "$folder"/*_password "$folder"/*_url
