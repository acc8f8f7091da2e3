#!/bin/sh
# Makes .venv/ as the lock files say, and nothing when it is so already.
#   tools/setup.sh        what runs        tools/setup.sh dev    and what tests it
set -eu
cd "$(dirname "$0")/.."
say() { printf '%s\n' "$*" >&2; }

python=${PYTHON:-python3}
if [ ! -x .venv/bin/python ]; then
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
        say "setup: Python 3.11 or newer is needed; name it with PYTHON=/path/to/python3 make …"
        exit 2
    }
    "$python" -m venv .venv 2>/dev/null || {
        # Debian's python3 comes without ensurepip; its pip, where there is one, can fill the environment.
        rm -rf .venv
        if "$python" -m pip --version >/dev/null 2>&1; then
            "$python" -m venv --without-pip .venv
            "$python" -m pip --python .venv/bin/python install -qq pip
        else
            say "setup: this Python has neither ensurepip nor pip; on Debian: apt-get install python3-venv"
            exit 2
        fi
    }
fi

install() { # install STAMP LOCK
    stamp=.venv/.setup-$1
    sum=$(cat "$2" pyproject.toml healthkit/pyproject.toml plugins/*/pyproject.toml | cksum)
    [ "$(cat "$stamp" 2>/dev/null || true)" = "$sum" ] && return 0
    say "setup: installing $2"
    .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r "$2"
    if [ "$1" = run ]; then
        own="-e ."
        for dir in healthkit plugins/*/; do own="$own -e ./${dir%/}"; done
        # shellcheck disable=SC2086
        .venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation $own
    fi
    printf '%s' "$sum" >"$stamp"
}
install run requirements.lock
[ "${1:-}" != dev ] || install dev requirements-dev.lock
