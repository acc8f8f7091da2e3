#!/bin/sh
# Every rule of the house; stops at the first that is broken.
set -eu
cd "$(dirname "$0")/.."
bin=.venv/bin
run() { printf '· %s\n' "$1"; shift; "$@"; }
run "format"        $bin/ruff format --check --quiet .
run "lint"          $bin/ruff check --quiet .
run "types"         $bin/mypy --no-error-summary healthkit/src plugins/*/src posapp
run "architecture"  env PYTHONPATH=. $bin/lint-imports --no-logo 2>/dev/null || PYTHONPATH=. $bin/lint-imports
run "API document"  sh -c "$bin/posapp openapi | diff - posapp/web/openapi.json >/dev/null || { echo 'posapp/web/openapi.json is not what the code says: make openapi'; exit 1; }"
if command -v shellcheck >/dev/null 2>&1; then
    # shellcheck disable=SC2046
    run "shell"     shellcheck $(find .ci tools deploy -name "*.sh" -o -name run)
elif [ "${CI:-}" = true ]; then
    echo "lint: shellcheck is missing" >&2; exit 1
else
    echo "· shell: skipped, shellcheck is not installed"
fi
run "front end"     $bin/python tools/build_web.py --lint
echo "lint: all right"
