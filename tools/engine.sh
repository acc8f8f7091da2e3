#!/bin/bash
# A Docker engine for the tests of the whole production, on a machine with Debian's packages alone.
#   tools/engine.sh start    has one answer, and the images that the Dockerfiles and compose name
#   tools/engine.sh stop     ends the one that it started
# Needs root. Compose and buildx are those of Debian's next release; where no image can be pulled,
# base images are stood in for by a tree of debootstrap, under the same tags (tests/compose/).
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${ENGINE_DIR:-/var/tmp/pos-engine}
say() { echo "engine: $*" >&2; }
fail() { say "$@"; exit 2; }

next_release() { # the one after this machine's
    . /etc/os-release
    case ${VERSION_CODENAME:-} in
    bookworm) echo trixie ;;
    *) fail "${PRETTY_NAME:-this system}: no engine is known for it; install Docker and its compose plugin" ;;
    esac
}
packages() {
    local missing=()
    command -v dockerd >/dev/null || missing+=(docker.io)
    command -v debootstrap >/dev/null || missing+=(debootstrap)
    command -v iptables >/dev/null || missing+=(iptables)
    [ "${#missing[@]}" -gt 0 ] || return 0
    say "installing ${missing[*]}"
    apt-get update -qq || true
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
plugins() {
    docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1 && return 0
    local place=$folder/apt release
    release=$(next_release)
    say "unpacking compose and buildx of Debian's $release"
    mkdir -p "$place/lists/partial" "$place/unpacked" ~/.docker/cli-plugins
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $release main" >"$place/sources.list"
    local options=(-o "Dir::Etc::sourcelist=$place/sources.list" -o "Dir::Etc::sourceparts=/dev/null"
        -o "Dir::State::lists=$place/lists" -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache=" -o "APT::Sandbox::User=root")
    apt-get "${options[@]}" update -qq
    (cd "$place" && apt-get "${options[@]}" download -qq "docker-compose/$release" "docker-buildx/$release")
    for package in "$place"/*.deb; do dpkg -x "$package" "$place/unpacked"; done
    find "$place/unpacked" -path '*cli-plugins/*' -type f -exec cp -t ~/.docker/cli-plugins {} +
}
daemon() {
    docker info >/dev/null 2>&1 && return 0
    say "starting dockerd, its log is $folder/dockerd.log"
    setsid dockerd >"$folder/dockerd.log" 2>&1 9>&- & # it must not hold the lock
    echo $! >"$folder/dockerd.pid"
    for _ in $(seq 60); do
        ! docker info >/dev/null 2>&1 || return 0
        kill -0 "$(cat "$folder/dockerd.pid")" 2>/dev/null || break
        sleep 0.5
    done
    fail "dockerd does not answer: $(tail -n 1 "$folder/dockerd.log")"
}
has() { docker image inspect "$1" >/dev/null 2>&1 || docker pull -q "$1" >/dev/null 2>&1; }
base() { # the tags that the Dockerfiles begin with
    local tag missing=()
    while read -r tag; do
        has "$tag" || missing+=("$tag")
    done < <(sed -n 's/^ARG [A-Z]*=\(.*:.*\)$/\1/p' deploy/*.Dockerfile | sort -u)
    [ "${#missing[@]}" -gt 0 ] || return 0
    say "no image can be pulled: ${missing[*]} are stood in for by debootstrap"
    local tree=$folder/tree changes=() name
    rm -rf "$tree"
    debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv bookworm "$tree" \
        http://deb.debian.org/debian >"$folder/debootstrap.log"
    # What this machine trusts, so that pip and npm reach their packages from within a build.
    cp /etc/ssl/certs/ca-certificates.crt "$tree/etc/ssl/certs/ca-certificates.crt"
    rm -rf "$tree"/var/cache/apt/archives/*.deb "$tree"/var/lib/apt/lists/*
    for name in SSL_CERT_FILE NODE_EXTRA_CA_CERTS PIP_CERT REQUESTS_CA_BUNDLE; do
        changes+=(--change "ENV $name=/etc/ssl/certs/ca-certificates.crt")
    done
    tar -C "$tree" -c . | docker import "${changes[@]}" --change 'CMD ["bash"]' - "${missing[0]}" >/dev/null
    for tag in "${missing[@]:1}"; do docker tag "${missing[0]}" "$tag"; done
    rm -rf "$tree"
}
stand_in() { # stand_in KIND TAG
    has "$2" || build "tests/compose/stand-ins/$1.Dockerfile" "$2"
}
build() {
    say "building $2"
    DOCKER_BUILDKIT=1 docker build -q --network host -f "$1" -t "$2" . >/dev/null
}
tag_of() { sed -n "s#^ *image: \($1:.*\)#\1#p" deploy/docker-compose.prod.yml; }

case ${1:-} in
start)
    [ "$(id -u)" = 0 ] || docker info >/dev/null 2>&1 || fail "no engine answers, and only root may start one"
    mkdir -p "$folder"
    exec 9>"$folder/lock"
    flock 9
    packages
    plugins
    daemon
    base
    stand_in postgres "$(tag_of postgres)"
    stand_in kuma "$(tag_of louislam/uptime-kuma)"
    build deploy/frontend.Dockerfile steak-kenangan/frontend:local & # it mostly waits for npm
    frontend=$!
    build deploy/backend.Dockerfile steak-kenangan/backend:local
    wait "$frontend"
    ;;
stop)
    [ -s "$folder/dockerd.pid" ] || exit 0
    pid=$(cat "$folder/dockerd.pid")
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 240); do # its containers have their time to end
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.5
    done
    ! kill -0 "$pid" 2>/dev/null || fail "dockerd does not end; see $folder/dockerd.log"
    rm -f "$folder/dockerd.pid"
    ;;
*) fail "start or stop?" ;;
esac
