#!/bin/sh
# Makes what the compose stack needs and no repository may hold: passwords, the evidence key, an authority with the
# broker's certificate, and a broker user for each site. What is there already stays; run it again to add a site.
#
#   sudo deploy/compose/prepare.sh [--host NAME] SITE…          secrets in ./secrets beside this file
#
# --host is the name or address that meters reach the broker by (default: this machine's name). A site's user is named as
# the site; its password is in secrets/mqtt_site_SITE. Needs openssl.
set -eu
umask 077

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
secrets=${SECRETS:-$here/secrets}
host=$(hostname)
if [ "${1:-}" = --host ]; then
    host=$2
    shift 2
fi
[ $# -gt 0 ] || { echo "prepare.sh: no site given; expected the sites of your plant files" >&2; exit 2; }
for site in "$@"; do
    case $site in
    *[!a-z0-9_-]* | '') echo "prepare.sh: site is '$site': expected a-z, 0-9, _ and -" >&2; exit 2 ;;
    stackwatt) echo "prepare.sh: stackwatt is the user of ingest: expected another site" >&2; exit 2 ;;
    esac
done
mkdir -p "$secrets"
cd "$secrets"

new_secret() { [ -s "$1" ] || openssl rand -hex 32 >"$1"; }

# Mosquitto's $6$: SHA-512 over password and salt. The passwords are 256 random bits, so no slower hash is needed.
add_user() {
    new_secret "$2"
    if ! grep -q "^$1:" mqtt_passwords 2>/dev/null; then
        if [ -e mqtt_passwords ]; then chmod u+w mqtt_passwords; fi
        openssl rand 12 >.salt
        hash=$({ tr -d '\n' <"$2"; cat .salt; } | openssl dgst -sha512 -binary | openssl base64 -A)
        printf '%s:$6$%s$%s\n' "$1" "$(openssl base64 -A <.salt)" "$hash" >>mqtt_passwords
        rm .salt
    fi
}

for name in db_superuser_password db_password grafana_db_password grafana_admin_password mqtt_session admin_key evidence_key; do
    new_secret "$name"
done
add_user stackwatt mqtt_password
for site in "$@"; do add_user "$site" "mqtt_site_$site"; done

if [ ! -s broker.crt ]; then
    case $host in
    *[!0-9.]*) name=DNS:$host ;;
    *) name=IP:$host ;;
    esac
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=stackwatt authority" \
        -keyout ca.key -out ca.crt 2>/dev/null
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=stackwatt broker" \
        -keyout broker.key -out .broker.csr 2>/dev/null
    printf 'subjectAltName=DNS:broker,%s\nextendedKeyUsage=serverAuth\n' "$name" >.broker.ext
    openssl x509 -req -in .broker.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 825 -extfile .broker.ext \
        -out broker.crt 2>/dev/null
    rm .broker.csr .broker.ext
fi

# Containers read these under accounts of their own, each only what compose.yaml hands it; the folder is closed to others.
chmod 0444 db_superuser_password db_password grafana_db_password grafana_admin_password admin_key mqtt_password \
    mqtt_session mqtt_passwords ca.crt broker.crt broker.key
# Ingest wants this one for itself alone.
if [ "$(id -u)" = 0 ]; then chown 10001:10001 evidence_key; fi
chmod 0400 evidence_key
echo "$secrets: ready. A running broker takes new users with SIGHUP (docker compose kill -s HUP broker). Meters need ca.crt and mqtt_site_…; keep copies of evidence_key and ca.key elsewhere."
