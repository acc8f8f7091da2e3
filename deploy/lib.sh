# shellcheck shell=bash
# What the scripts of this folder share; each has changed into it.

fail() { echo "$(basename "$0" .sh): $*" >&2; exit 2; }

# setting NAME DEFAULT: the value in .env, in each form that compose reads: with quotes, with a comment
# behind it, with an editor's CRLF and its mark of UTF-8 before the first line
setting() {
    local value
    value=$(sed -nE "1s/^\xEF\xBB\xBF//; s/^[[:space:]]*(export[[:space:]]+)?$1[[:space:]]*=[[:space:]]*//p" .env 2>/dev/null | tail -n 1)
    case $value in
    \"*) value=${value#?} value=${value%%\"*} ;;
    \'*) value=${value#?} value=${value%%\'*} ;;
    *) value=${value%%[[:space:]]#*} value=${value%"${value##*[![:space:]]}"} ;;
    esac
    echo "${value:-${2:-}}"
}

# set_setting NAME VALUE [NAME VALUE…]: in .env, all of them or none
set_setting() {
    local without=() lines=""
    while [ "$#" -gt 0 ]; do
        without+=(-e "/^$1=/d") lines+="$1=$2"$'\n'
        shift 2
    done
    { sed "${without[@]}" -e "\$a\\" .env; printf '%s' "$lines"; } >.env.new
    chmod --reference=.env .env.new
    sync .env.new
    mv .env.new .env
}

is_domain() {
    [ "${#1}" -le 253 ] && [[ $1 =~ ^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,63}|xn--[a-z0-9-]{1,58}[a-z0-9])$ ]]
}

random_hex() { od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }

at_least() { # at_least VERSION LOWEST
    [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

need_engine() {
    command -v docker >/dev/null || fail "docker is not installed; on Debian: apt-get install docker.io docker-compose"
    local engine compose
    engine=$(docker version --format '{{.Server.Version}}' 2>/dev/null) ||
        fail "Docker's engine does not answer $(id -un); start it: systemctl start docker, or be root: sudo $0"
    at_least "${engine%%[!0-9.]*}" 20.10 || fail "Docker's engine is $engine; 20.10 or newer is needed"
    compose=$(docker compose version --short 2>/dev/null) ||
        fail "docker compose is missing; install the compose plugin, 2.20 or newer"
    compose=${compose#v}
    at_least "${compose%%[!0-9.]*}" 2.20 || fail "docker compose is $compose; 2.20 or newer is needed"
}

need_space() { # need_space GIGABYTES, where the engine keeps its images
    local folder free
    folder=$(docker info --format '{{.DockerRootDir}}' 2>/dev/null)
    [ -d "$folder" ] || folder=.
    free=$(df -Pk "$folder" | awk 'NR==2 {print int($4 / 1048576)}')
    [ "$free" -ge "$1" ] || fail "$folder has $free GB free, $1 are needed; make room: docker image prune"
}

listens() { # listens ADDRESS PORT: whether somebody does
    local host=$1
    [ "$host" != 0.0.0.0 ] || host=127.0.0.1
    (exec 3<>"/dev/tcp/$host/$2") 2>/dev/null
}

running() { # running SERVICE: whether it does
    [ -n "$(docker compose -f docker-compose.prod.yml ps -q --status running "$1" 2>/dev/null)" ]
}

# What deploy.sh and rollback.sh do to a stack that serves. Each step can be done again: whatever is
# in place already is left, so that a run which was killed is finished by the next.

LOG=var/deploy.log

# note TEXT: into the log of deployments, and to whoever watches. A disk that is full, or a terminal
# that is gone, stops no way back.
note() {
    printf '%s %s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "${SUDO_USER:-$(id -un)}" "$*" 2>/dev/null >>"$LOG" || true
    echo "$*" 2>/dev/null || true
}

one_at_a_time() { # the lock ends with its holder, however that one ends
    { mkdir -p var && touch var/deploy.lock "$LOG"; } 2>/dev/null ||
        fail "$PWD/var cannot be written by $(id -un): it has the lock and the log of deployments; try: sudo $0"
    exec 8>>var/deploy.lock
    for _ in 1 2 3 4 5; do
        ! flock -n 8 || break
        ! holder_lives || fail "another deployment is under way: $(tail -n 1 "$LOG" 2>/dev/null); wait for it"
        sleep 0.2 # it may have just begun, and not have said who it is
    done
    # What a killed one has begun holds the lock as well, and must not work beside us.
    flock -n 8 || echo "waiting for what a deployment that was killed has begun"
    flock -w 600 8 || fail "what a deployment that was killed has begun does not end; see: fuser -v $PWD/var/deploy.lock"
    born $$ >var/deploy.holder
}

holder_lives() {
    local said
    said=$(cat var/deploy.holder 2>/dev/null) || return 1
    [ -n "$said" ] && [ "$said" = "$(born "${said%% *}")" ]
}

born() { # born PID: the process, and when it began; nothing where there is none
    [ -r "/proc/$1/stat" ] && awk '{print $1, $22}' "/proc/$1/stat"
}

need_stack() {
    { [ -e .env ] && [ -e .env.production ]; } || fail "nothing is set up here; first: setup.sh your-domain.com"
    local service wanted said
    said=$(docker compose config -q 2>&1) || fail "docker-compose.prod.yml or .env is wrong: ${said##*$'\n'}"
    if [[ $said == *"variable is not set"* ]]; then # the rest of the name is not shown: it may be a password's
        said=$(sed -nE 's/^([A-Z][A-Z0-9_]*)=([^'"'"']*[^$'"'"'])?\$[A-Za-z_{].*/\1/p' .env .env.production | paste -sd ' ')
        fail "${said:-a value} in .env or .env.production holds a \$, which compose takes for a variable's; put the value into single quotes"
    fi
    wanted=$(setting BACKENDS 2)
    [[ $wanted =~ ^[1-9][0-9]?$ ]] || fail "BACKENDS=$wanted in .env: a number from 1 to 99, please"
    for service in postgres backend frontend; do
        running "$service" || fail "$service does not run; first: docker compose up -d --wait"
    done
}

image_of() { docker inspect --format '{{.Config.Image}}' "$1"; }
has_image() { docker image inspect "steak-kenangan/$1" >/dev/null 2>&1; }
backends() { docker compose ps -q --status running --status restarting backend; }

backends_of() { # backends_of VERSION, or of all others: backends_of not VERSION
    local container not=""
    [ "$1" != not ] || { not=1; shift; }
    for container in $(backends); do
        if [ "$(image_of "$container")" = "steak-kenangan/backend:$1" ]; then
            [ -n "$not" ] || echo "$container"
        else
            [ -z "$not" ] || echo "$container"
        fi
    done
}
count() { grep -c . || true; }

health_of() { docker inspect --format '{{.State.Status}} {{.State.Health.Status}}' "$1"; }

start_one() { # start_one VERSION: one backend more; returns when nginx sends to it
    local before new
    before=$(docker compose ps -aq backend)
    POS_VERSION=$1 docker compose up -d --no-deps --no-recreate --scale "backend=$(($(echo "$before" | count) + 1))" backend >/dev/null 2>&1 || true
    new=$(docker compose ps -aq backend | grep -vxF "$before" | head -n 1)
    [ -n "$new" ] || { echo "no backend of $1 could be made" >&2; return 1; }
    serves "$new" || { docker rm -f "$new" >/dev/null; return 1; }
}

serves() { # serves CONTAINER: waits until it is ready and nginx sends to it, or says why not
    local address
    for _ in $(seq 180); do
        case $(health_of "$1") in
        "running healthy") break ;;
        exited* | *unhealthy | restarting*) break ;;
        esac
        sleep 1
    done
    if [ "$(health_of "$1")" != "running healthy" ]; then
        echo "a backend is not ready ($(health_of "$1")); its last words:" >&2
        docker logs --tail 20 "$1" >&2
        return 1
    fi
    address=$(address_of "$1")
    for _ in $(seq 30); do
        ! docker compose exec -T frontend backends.sh list </dev/null | grep -qxF "$address" || return 0
        sleep 0.5
    done
    echo "nginx does not send to the backend at $address" >&2
    return 1
}

address_of() { # in the network that nginx shares
    docker inspect --format "{{range \$name, \$at := .NetworkSettings.Networks}}{{\$name}} {{\$at.IPAddress}}
{{end}}" "$1" | sed -n 's/^.*_app //p'
}

stop_one() { # stop_one CONTAINER: out of nginx first, so that nothing new reaches it
    local address
    address=$(address_of "$1")
    if [ -n "$address" ]; then # one that does not come up has none
        docker compose exec -T frontend backends.sh drain "$address" </dev/null || return 1
        sleep 3 # nginx's old workers have let go
    fi
    docker stop -t 30 "$1" >/dev/null || return 1
    docker rm "$1" >/dev/null || return 1
    docker compose exec -T frontend backends.sh restore </dev/null
}

roll() { # roll VERSION: one backend after another
    local wanted old left
    wanted=$(setting BACKENDS 2)
    docker compose ps -aq --status exited --status created --status dead backend | xargs -r docker rm >/dev/null
    for left in $(backends_of "$1"); do # by a run that was killed, perhaps before it was ready
        serves "$left" || return 1
    done
    while :; do
        old=$(backends_of not "$1" | head -n 1)
        if [ "$(backends_of "$1" | count)" -lt "$wanted" ]; then
            start_one "$1" || return 1
        elif [ -z "$old" ]; then
            break
        fi
        [ -z "$old" ] || stop_one "$old" || { echo "an old backend could not be stopped" >&2; return 1; }
    done
}

publish() { # publish VERSION: the pages, and what runs beside the backends
    POS_VERSION=$1 docker compose run --rm -T --no-deps pages </dev/null >/dev/null 2>&1 || { echo "the pages could not be published" >&2; return 1; }
    POS_VERSION=$1 docker compose up -d --no-deps --wait watch backup >/dev/null 2>&1 || { echo "watch or backup do not run" >&2; return 1; }
}

smoke() { # smoke VERSION: asks as a till does, through nginx
    local url code
    url="http://$(setting HTTP_BIND 127.0.0.1 | sed 's/^0\.0\.0\.0$/127.0.0.1/'):$(setting HTTP_PORT 8080)"
    for expected in "200 /" "200 /readyz" "200 /api/v1/public/menu" "401 /api/v1/orders" "404 /assets/none.js"; do
        code=$(answer_of "$url${expected#* }")
        [ "$code" = "${expected%% *}" ] || { echo "${expected#* } answers $code, not ${expected%% *}" >&2; return 1; }
    done
    [ -z "$(backends_of not "$1")" ] || { echo "not all backends are of $1" >&2; return 1; }
}

answer_of() { # the status of a GET, by bash alone
    local rest=${1#http://} host port path code
    host=${rest%%:*} path=/${rest#*/} port=${rest#*:}
    port=${port%%/*}
    exec 3<>"/dev/tcp/$host/$port" || { echo none; return; }
    printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$path" "$host" >&3
    read -r -t 10 _ code _ <&3 || code=none
    exec 3>&-
    echo "$code"
}

serve_version() { # serve_version VERSION: all of it; again, for a version that is served already
    roll "$1" && publish "$1" && smoke "$1"
}
