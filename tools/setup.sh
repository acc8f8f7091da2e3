#!/bin/sh
# Makes .venv/ as the lock files say, and nothing when it is so already.
#   tools/setup.sh        what runs        tools/setup.sh dev    and what tests it
# PYTHON names the Python; else it is the first on the PATH that is new enough.
set -eu
cd "$(dirname "$0")/.."
if [ -z "${SETUP_ALONE:-}" ] && command -v flock >/dev/null 2>&1; then
    SETUP_ALONE=1 exec flock tools/setup.sh tools/setup.sh "$@" # `make run` and `make test` at once
fi
say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$@"; exit 2; }

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
find_python() {
    for python in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        ! new_enough "$python" || return 0
    done
    fail "Python 3.11 or newer is needed${PYTHON:+, and $PYTHON is not}; name it with: PYTHON=/path/to/python3 make …"
}

# Debian's python3 comes without ensurepip: its pip will do, and root can have python3-venv.
bare() { ! "$python" -c 'import ensurepip' 2>/dev/null; }
has_pip() { "$python" -m pip --version >/dev/null 2>&1; }
get_ensurepip() {
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "this Python has neither ensurepip nor pip: installing Debian's $package"
        apt-get update -qq || true
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" \
            >/dev/null 2>&1 || true
    fi
    ! bare || fail "this Python has neither ensurepip nor pip; on Debian and Ubuntu, as root: apt-get install $package"
}
make_environment() {
    find_python
    rm -rf .venv
    if ! bare; then
        "$python" -m venv .venv
    elif has_pip; then
        "$python" -m venv --without-pip .venv
        "$python" -m pip --python .venv/bin/python install -qq pip
    else
        get_ensurepip
        "$python" -m venv .venv
    fi
}
install() { # install STAMP LOCK
    stamp=.venv/.setup-$1
    sum=$(cat "$2" pyproject.toml healthkit/pyproject.toml plugins/*/pyproject.toml | cksum)
    [ "$(cat "$stamp" 2>/dev/null || true)" != "$sum" ] || return 0
    say "installing $2"
    .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r "$2" ||
        fail "pip could not install $2, and says above why; when the package index is within reach, try again"
    if [ "$1" = run ]; then
        own="-e ."
        for dir in healthkit plugins/*/; do own="$own -e ./${dir%/}"; done
        # shellcheck disable=SC2086
        .venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation $own ||
            fail "the repository's own packages could not be installed; pip says above why"
    fi
    printf '%s' "$sum" >"$stamp"
}

[ -w . ] || fail "$PWD is not yours to write to; clone the repository to a folder of your own"
# An environment that was broken off, or whose Python has gone, is made anew.
.venv/bin/python -m pip --version >/dev/null 2>&1 || make_environment
install run requirements.lock
[ "${1:-}" != dev ] || install dev requirements-dev.lock
