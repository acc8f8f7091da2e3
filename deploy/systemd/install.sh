#!/bin/bash
# Installs the POS on this machine without containers, from its checkout in /opt/steak-kenangan.
#   sudo deploy/systemd/install.sh your-domain.com
#   DESTDIR=/some/folder   installs below it, and starts nothing
# PostgreSQL 18 is yours: put its address and its password into /etc/steak-kenangan.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=${DESTDIR:-}
etc=$root/etc/steak-kenangan
home=/opt/steak-kenangan
fail() { echo "install: $*" >&2; exit 2; }

domain=${1:-}
[ "$#" -le 1 ] || fail "one domain, please: $0 your-domain.com"
valid='^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,63}|xn--[a-z0-9-]{1,58}[a-z0-9])$'
{ [ "${#domain}" -le 253 ] && [[ $domain =~ $valid ]] && [ "$domain" != your-domain.com ]; } ||
    fail "${domain:-nothing}: no domain; write yours like pos.example.com, without https://"
for name in db_password jwt_secret backup_key health_token; do # a power cut leaves one empty
    file=$etc/secrets/$name
    [ ! -e "$file" ] || { [ -f "$file" ] && [ -s "$file" ]; } ||
        fail "$file is empty or no file; remove it, and this makes a new one"
done
if [ -z "$root" ]; then
    [ "$(id -u)" = 0 ] || fail "only root can install services; try: sudo $0 $domain"
    [ -d /run/systemd/system ] || fail "this machine does not run systemd; see docs/deploy.md for containers"
    [ "$(cd "$here/../.." && pwd)" = "$home" ] || fail "the checkout must be $home; move it there"
    [ -x "$home/.venv/bin/posapp" ] || fail "$home/.venv is missing; first: make setup web"
    id posapp >/dev/null 2>&1 || useradd --system --home-dir /var/lib/steak-kenangan --shell /usr/sbin/nologin posapp
fi

umask 077
install -d -m 0755 "$root/etc/systemd/system" "$etc" || fail "$root/etc cannot be written, see above"
install -d -m 0700 "$etc/secrets"
for name in db_password jwt_secret backup_key health_token; do
    file=$etc/secrets/$name
    [ -e "$file" ] || { od -An -N 32 -tx1 /dev/urandom | tr -d ' \n' >"$file.new" && mv "$file.new" "$file"; }
done
if [ ! -e "$etc/posapp.env" ]; then
    sed -e "s/your-domain\.com$/$domain/" -e 's/^# \(DB_HOST\|DB_USER\)=.*/\1=/; s/^DB_HOST=$/DB_HOST=127.0.0.1/; s/^DB_USER=$/DB_USER=posapp/' \
        -e 's#^\# BACKUP_DIR=.*#BACKUP_DIR=/var/lib/steak-kenangan/backups#' \
        -e 's#^\# POS_DATA_DIR=.*#POS_DATA_DIR=/var/lib/steak-kenangan#' \
        -e 's#^\# HEALTHKIT_STORE=.*#HEALTHKIT_STORE=sqlite:////var/lib/steak-kenangan/healthkit.db#' \
        -e 's#^\# TRUSTED_PROXIES=.*#TRUSTED_PROXIES=1#' "$here/../.env.production.example" >"$etc/posapp.env.new"
    mv "$etc/posapp.env.new" "$etc/posapp.env"
fi
grep -qsF -e "$domain" "$etc/posapp.env" ||
    echo "$etc/posapp.env stays as it is; to move to $domain, change CORS_ALLOWED_ORIGINS and POS_URL there"
install -m 0644 "$here"/*.service "$here"/*.timer "$root/etc/systemd/system/"
echo "installed; the database's password is in $etc/secrets/db_password, what to fill in, in $etc/posapp.env"
[ -z "$root" ] || exit 0
systemctl daemon-reload
systemctl enable --quiet posapp posapp-watch posapp-backup-{daily,weekly,monthly}.timer posapp-base-backup.timer posapp-drill.timer
echo "start it: systemctl start posapp posapp-watch posapp-backup-{daily,weekly,monthly}.timer posapp-base-backup.timer posapp-drill.timer"
