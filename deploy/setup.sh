#!/bin/bash
# Makes what a first start needs, and leaves what is there as it is: .env, .env.production, secrets/
# and backups/, each with the owner that its container runs as.
#   sudo deploy/setup.sh your-domain.com
#   HTTP_PORT=8080 HTTP_BIND=127.0.0.1   where nginx is published
# Then: cd deploy && docker compose up -d --wait
set -euo pipefail
cd "$(dirname "$0")"
umask 077
# shellcheck source=lib.sh
. ./lib.sh

POSAPP=10001 POSTGRES=999 CLOUDFLARED=65532 # the users of the images

domain=${1:-}
port=${HTTP_PORT:-$(setting HTTP_PORT 8080)}
bind=${HTTP_BIND:-$(setting HTTP_BIND 127.0.0.1)}

check() {
    [ "$#" -le 1 ] || fail "one domain, please: $0 your-domain.com"
    if [ -z "$domain" ]; then
        [ -e .env.production ] || fail "name the domain of the tills: $0 your-domain.com"
    else
        is_domain "$domain" ||
            fail "$domain: no domain; write it like your-domain.com, without https://"
        [ "$domain" != your-domain.com ] || fail "your-domain.com: put your own domain there"
    fi
    { [[ $port =~ ^[1-9][0-9]{0,4}$ ]] && [ "$port" -le 65535 ]; } ||
        fail "HTTP_PORT=$port: no port, 1 to 65535"
    is_ipv4 "$bind" || fail "HTTP_BIND=$bind: no IPv4 address; write 127.0.0.1, or 0.0.0.0 for all networks"
    [ "$(id -u)" = 0 ] || fail "only root can give files to the containers' users; try: sudo $0 $domain"
    need_engine
    need_space 5
    running frontend || ! listens "$bind" "$port" ||
        fail "$bind:$port is in use by another program; choose another: HTTP_PORT=8081 $0 $domain"
}

check_secrets() { # one that a power cut left empty, or that an engine made a folder of, is not passed on
    local name
    for name in db_password jwt_secret backup_key health_token; do
        [ ! -e "secrets/$name" ] || { [ -f "secrets/$name" ] && [ -s "secrets/$name" ]; } ||
            fail "secrets/$name is empty or no file; remove it, and this makes a new one"
    done
}

is_ipv4() {
    local part parts
    [[ $1 =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}$ ]] || return 1
    IFS=. read -ra parts <<<"$1"
    for part in "${parts[@]}"; do [ "$part" -le 255 ] || return 1; done
}

# secret NAME OWNER GROUP MODE [VALUE]; kept where it is.
secret() {
    local file=secrets/$1
    if [ ! -e "$file" ]; then
        printf '%s\n' "${5-$(random_hex 32)}" >"$file.new"
        mv "$file.new" "$file"
        echo "made $file"
    fi
    chown "$2:$3" "$file"
    chmod "$4" "$file"
}

check "$@"
check_secrets
mkdir -p secrets
chmod 0711 secrets
secret db_password $POSAPP $POSTGRES 0440
secret jwt_secret $POSAPP $POSAPP 0400
secret backup_key $POSAPP $POSAPP 0400
secret health_token $POSAPP $POSAPP 0400
secret tunnel_token $CLOUDFLARED $CLOUDFLARED 0400 ""
backups=$(setting BACKUPS ./backups)
mkdir -p "$backups"
chown $POSAPP:$POSAPP "$backups"
chmod 0700 "$backups"

if [ -e .env.production ] && ! grep -qsF -e "$domain" .env.production; then
    echo ".env.production stays as it is; to move to $domain, change CORS_ALLOWED_ORIGINS and POS_URL there"
fi
if [ ! -e .env.production ]; then
    sed "s/your-domain\.com$/$domain/" .env.production.example >.env.production.new
    mv .env.production.new .env.production
    echo "made .env.production: fill in who is told (TELEGRAM_URL, EMAIL_URL) and where backups are copied to (BACKUP_S3_…)"
fi
if [ -e .env ] && [ "$port $bind" != "$(setting HTTP_PORT 8080) $(setting HTTP_BIND 127.0.0.1)" ]; then
    echo ".env stays as it is; to move to $bind:$port, change HTTP_BIND and HTTP_PORT there"
fi
if [ ! -e .env ]; then
    cat >.env.new <<END
# What compose asks for; deploy.sh writes POS_VERSION and NGINX_VERSION.
COMPOSE_FILE=docker-compose.prod.yml
POS_VERSION=local
NGINX_VERSION=local
HTTP_BIND=$bind
HTTP_PORT=$port
BACKENDS=2
END
    mv .env.new .env
    echo "made .env"
fi
[ -s secrets/tunnel_token ] && [ "$(tr -d '[:space:]' <secrets/tunnel_token)" != "" ] ||
    echo "no tunnel: put its token into secrets/tunnel_token, and start it with: docker compose --profile tunnel up -d"
echo "ready: cd $PWD && docker compose up -d --wait"
