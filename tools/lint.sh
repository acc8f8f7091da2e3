#!/bin/sh
# Every rule of the house, the independent ones side by side; what each has to say stands together.
#   tools/lint.sh        all        tools/lint.sh types shell        only these
set -eu
cd "$(dirname "$0")/.."
bin=.venv/bin

step_types() { $bin/mypy --no-error-summary healthkit/src plugins/*/src posapp; }
step_front_end() { $bin/python tools/build_web.py --lint; }
step_api_document() {
    $bin/posapp openapi | diff - posapp/web/openapi.json >/dev/null ||
        { echo "posapp/web/openapi.json is not what the code says: make openapi"; return 1; }
}
step_architecture() { PYTHONPATH=. $bin/lint-imports; }
step_format() { $bin/ruff format --check --quiet . || { echo "to mend it: $bin/ruff format"; return 1; }; }
step_lint() { $bin/ruff check --quiet .; }
# shellcheck disable=SC2046
step_dockerfiles() { $bin/hadolint $(find deploy tests -name "*.Dockerfile"); }
step_shell() {
    if command -v shellcheck >/dev/null 2>&1; then
        # shellcheck disable=SC2046
        shellcheck -x -P SCRIPTDIR $(find .ci tools deploy tests -name "*.sh" -o -name run)
    elif [ "${CI:-}" = true ]; then
        echo "shellcheck is missing" >&2; return 1
    else
        echo "skipped, shellcheck is not installed"; return 3
    fi
}

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
steps=${*:-types front_end api_document architecture format lint shell dockerfiles} # the longest begins first
for step in $steps; do
    { code=0; "step_$step" >"$out/$step" 2>&1 || code=$?; echo "$code" >"$out/$step.code"; } &
done
wait
broken=""
for step in $steps; do
    case $(cat "$out/$step.code") in
        0) echo "· $step" ;;
        3) echo "· $step: $(cat "$out/$step")" ;;
        *) echo "× $step"; sed 's/^/  /' "$out/$step"; broken="$broken $step" ;;
    esac
done
[ -z "$broken" ] || { echo "lint: broken:$broken" >&2; exit 1; }
echo "lint: all right"
