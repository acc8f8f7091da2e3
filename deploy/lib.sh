# shellcheck shell=bash
# What the scripts of this folder share; each has changed into it.

fail() { echo "$(basename "$0" .sh): $*" >&2; exit 2; }

# setting NAME DEFAULT: the value in .env
setting() {
    local value
    value=$(sed -n "s/^$1=//p" .env 2>/dev/null | tail -n 1)
    echo "${value:-${2:-}}"
}

# set_setting NAME VALUE: in .env, whole or not at all
set_setting() {
    { grep -v "^$1=" .env; echo "$1=$2"; } >.env.new
    chmod --reference=.env .env.new
    sync .env.new
    mv .env.new .env
}

random_hex() { od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }

at_least() { # at_least VERSION LOWEST
    [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

need_engine() {
    command -v docker >/dev/null || fail "docker is not installed; on Debian: apt-get install docker.io docker-compose"
    local engine compose
    engine=$(docker version --format '{{.Server.Version}}' 2>/dev/null) ||
        fail "Docker's engine does not answer; start it: systemctl start docker"
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
