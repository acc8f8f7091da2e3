#!/bin/bash
# The backends that nginx sends to: of those that the name BACKEND stands for, the ready ones.
#   backends.sh refresh          looks once, and has nginx take over what has changed
#   backends.sh watch            looks every two seconds, for ever
#   backends.sh drain ADDRESS    leaves one out for two minutes: it is about to be stopped
#   backends.sh restore          leaves none out any more
#   backends.sh list             shows what nginx sends to
# Names are asked again and again, because the engine's own name server has a container's address as
# soon as it runs, ready or not. Where none is ready the last list stays: better than nothing. nginx
# itself counts no failures: it would leave all of them out for seconds after one bad moment.
set -euo pipefail
run=${NGINX_RUN:-/run/nginx}
backend=${BACKEND:-backend:8080} # or several names: "one two:8080"
read -ra hosts <<<"${backend%:*}"
port=${backend##*:}
list=$run/conf/backends.conf
drained=$run/drained
export LC_ALL=C

addresses() { # all that the name stands for
    local host address kind
    for host in "${hosts[@]}"; do getent ahostsv4 "$host" || true; done |
        while read -r address kind _; do
            [ "$kind" != STREAM ] || echo "$address"
        done | sort -u
}
ready() {
    # shellcheck disable=SC2016
    timeout 3 bash -c '
        exec 3<>"/dev/tcp/$1/$2"
        printf "GET /readyz HTTP/1.0\r\nHost: %s\r\n\r\n" "$1" >&3
        read -r _ code _ <&3
        [ "$code" = 200 ]' - "$1" "$port" 2>/dev/null
}
left_out() { # whether it is drained, and since less than two minutes
    local address until
    [ -e "$drained" ] || return 1
    while read -r address until; do
        [ "$address" != "$1" ] || [ "$until" -le "$EPOCHSECONDS" ] || return 0
    done <"$drained"
    return 1
}
find_ready() {
    local address found=()
    for address in $(addresses); do
        left_out "$address" || found+=("$address")
    done
    for address in "${found[@]}"; do
        { ! ready "$address" || echo "$address"; } &
    done | sort
    wait
}
write() { # write ADDRESS…; nothing where it is so already
    local fresh
    fresh=$(printf "server %s:$port max_fails=0;\n" "$@")
    [ "$fresh" != "$(cat "$list" 2>/dev/null)" ] || return 0
    printf '%s\n' "$fresh" >"$list.new"
    cp "$list" "$list.before" 2>/dev/null || true
    mv "$list.new" "$list"
    [ -s "$run/nginx.pid" ] || return 0
    local nginx
    nginx=$(command -v nginx || echo /usr/sbin/nginx)
    # It opens its log, /dev/stdout, which may be another user's here.
    if "$nginx" -q -t -p "$run" -c "$run/conf/nginx.conf" >/dev/null; then
        kill -HUP "$(cat "$run/nginx.pid")"
    else
        echo "backends: nginx refuses $fresh" >&2
        mv "$list.before" "$list"
        return 1
    fi
}
refresh() (
    flock 9
    mapfile -t found < <(find_ready)
    if [ "${#found[@]}" -gt 0 ]; then
        write "${found[@]}"
    elif [ ! -s "$list" ]; then
        write "127.0.0.1:1 down; #"
    fi
) 9>"$run/backends.lock"

case ${1:-} in
refresh) refresh ;;
watch)
    while sleep 2; do
        [ -d "$run" ] || exit 0
        refresh || true
    done
    ;;
drain)
    [[ ${2:-} =~ ^[0-9.]+$ ]] || { echo "backends: drain which address? See: backends.sh list" >&2; exit 2; }
    echo "$2 $((EPOCHSECONDS + 120))" >>"$drained"
    refresh
    ;;
restore)
    rm -f "$drained"
    refresh
    ;;
list) sed -n 's/^server \([0-9.]*\):.*/\1/p' "$list" ;;
*)
    sed -n 's/^# \{0,1\}//p' "$0" | sed -n '2,6p' >&2
    exit 2
    ;;
esac
