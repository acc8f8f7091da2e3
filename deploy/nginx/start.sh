#!/bin/bash
# Prepares nginx's folder, writes what depends on this machine, and becomes nginx.
#   NGINX_RUN   the folder, empty at each start          NGINX_CONF   the configuration
#   PAGES       what publish.sh has written              LISTEN       address and port
#   TUNNEL_ADDRESS   whose CF-Connecting-IP is believed  BACKEND      see backends.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export NGINX_RUN=${NGINX_RUN:-/run/nginx} BACKEND=${BACKEND:-backend:8080}
conf=${NGINX_CONF:-/etc/nginx/pos}
pages=${PAGES:-/srv/pages}
listen=${LISTEN:-8080}
modules=/usr/lib/nginx/modules
fail() { echo "nginx: $*" >&2; exit 2; }

address='^[0-9a-fA-F.:/]*$'
[[ ${TUNNEL_ADDRESS:-} =~ $address ]] || fail "TUNNEL_ADDRESS: $TUNNEL_ADDRESS is no address"
[ -e "$pages/current/index.html" ] || fail "$pages: no pages there; publish them: publish.sh"
mkdir -p "$NGINX_RUN/conf"
cp "$conf"/*.conf "$NGINX_RUN/conf/"
ln -sfn "$pages" "$NGINX_RUN/pages"
cd "$NGINX_RUN/conf"

brotli=$modules/ngx_http_brotli_static_module.so
: >modules.conf
: >brotli.conf
if [ -e "$brotli" ]; then
    echo "load_module $brotli;" >modules.conf
    echo "brotli_static on;" >brotli.conf
fi
echo "listen $listen;" >listen.conf
cat "$pages/current/.policy" >policy.conf
if [ -n "${TUNNEL_ADDRESS:-}" ]; then
    cat >tunnel.conf <<END
set_real_ip_from $TUNNEL_ADDRESS;
real_ip_header CF-Connecting-IP;
geo \$realip_remote_addr \$client_scheme {
    $TUNNEL_ADDRESS https;
    default http;
}
END
else
    echo "map \$scheme \$client_scheme { default \$scheme; }" >tunnel.conf
fi
"$here/backends.sh" refresh
nginx=$(command -v nginx || echo /usr/sbin/nginx)
"$nginx" -q -t -p "$NGINX_RUN" -c "$NGINX_RUN/conf/nginx.conf" || fail "its configuration is refused, see above"
"$here/backends.sh" watch &
exec "$nginx" -p "$NGINX_RUN" -c "$NGINX_RUN/conf/nginx.conf"
