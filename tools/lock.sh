#!/bin/sh
# Writes the pins: requirements.lock (what runs) and requirements-dev.lock (what tests and measures).
set -eu
cd "$(dirname "$0")/.."
own=""
for file in pyproject.toml healthkit/pyproject.toml plugins/*/pyproject.toml; do
    own="$own --no-emit-package $(sed -n 's/^name = "\(.*\)"/\1/p' "$file" | head -n 1)"
done
export UV_CUSTOM_COMPILE_COMMAND="tools/lock.sh"
compile() {
    # shellcheck disable=SC2086
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url $own "$@"
}
compile pyproject.toml --group build --output-file requirements.lock
compile --group dev --group bench --constraint requirements.lock --output-file requirements-dev.lock
