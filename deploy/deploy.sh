#!/bin/bash
# Replaces the version that serves by the one of this checkout, without losing a request; whatever
# fails, the version before goes on, or is brought back.
#   sudo deploy/deploy.sh VERSION [--accept-migrations]
#   CHECKOUT=..   where the sources are
# VERSION names the images, for example 1.4.0 or a commit. var/deploy.log has who deployed what.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=lib.sh
. ./lib.sh

version=${1:-} accepted="" sources=${CHECKOUT:-..}
[[ $version =~ ^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$ ]] || fail "name the version: $0 VERSION, for example 1.4.0"
[ "$#" -le 2 ] || fail "$3: one version, please, and perhaps --accept-migrations"
case ${2:-} in
"") ;;
--accept-migrations) accepted=1 ;;
*) fail "$2: not known; only --accept-migrations is" ;;
esac

preflight() {
    need_engine
    need_space 5
    need_stack
    export CHECKOUT=$sources
    [ -n "$(find "$(setting BACKUPS ./backups)/daily" -name '*.dump.gz' -mmin -1560 2>/dev/null | head -n 1)" ] ||
        fail "no daily backup is younger than 26 hours; make one: docker compose exec backup posapp backup daily"
}
build() {
    has_image "backend:$version" && has_image "frontend:$version" && return 0
    POS_VERSION=$version docker compose build -q backend pages
}
lint() { # of the migrations that this database has not seen
    local revision said
    revision=$(docker compose exec -T postgres psql -h /run/postgresql -U postgres -d steak_kenangan -Atc \
        "SELECT version_num FROM alembic_version" </dev/null) || return 1
    DOCKER_BUILDKIT=1 docker build -q --network "${BUILD_NETWORK:-default}" --target migrations -f "$sources/deploy/backend.Dockerfile" \
        -t "steak-kenangan/migrations:$version" "$sources" >/dev/null || return 1
    said=$(docker run --rm --read-only --tmpfs /tmp --network none "steak-kenangan/migrations:$version" "$revision" 2>&1) && return 0
    echo "$said" >&2
    [ -n "$accepted" ] || return 1
    note "$version: migrations accepted as they are"
}
configuration() { # whether it starts with what this machine tells it
    POS_VERSION=$version docker compose run --rm -T --no-deps backend \
        with-secrets.sh /app/.venv/bin/gunicorn --config deploy/gunicorn.conf.py --check-config </dev/null
}
backup() { docker compose exec -T backup posapp backup pre-deploy </dev/null; }
migrate() { POS_VERSION=$version docker compose run --rm -T --no-deps migrate </dev/null; }
return_to() { # the version before, as it was
    note "$version failed: $1; going back to $before"
    if serve_version "$before"; then
        note "$before serves"
        exit 1
    fi
    note "$before could not be brought back whole; the backends that are ready go on: docker compose ps"
    exit 1
}
step() { # step NAME COMMAND…: a line in the log, then the work
    local name=$1
    shift
    note "$version: $name"
    "$@"
}

one_at_a_time
preflight
before=$(setting POS_VERSION local)
note "$version: begins; $before serves"
untouched() { # nothing has been changed yet
    note "$version failed: $1; $before serves"
    exit 1
}
step build build || untouched "it cannot be built"
step lint lint || untouched "its migrations would stop sales or the version that runs; mend them, or add --accept-migrations"
step configuration configuration || untouched "it does not start with this configuration"
step backup backup || untouched "no backup could be made"
step migrate migrate || untouched "its migrations were undone"
step roll roll "$version" || return_to "a backend of it is not ready"
step publish publish "$version" || return_to "pages, watcher or backups do not run"
step smoke smoke "$version" || return_to "it does not answer as it should"
if [ "$before" = "$version" ]; then
    set_setting POS_VERSION "$version"
else # in one: a rollback would else know only the version that serves
    set_setting PREVIOUS_VERSION "$before" POS_VERSION "$version"
fi
note "$version serves; back to $(setting PREVIOUS_VERSION nothing) by: rollback.sh"
