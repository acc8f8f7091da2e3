#!/bin/sh
# Makes a backup; thin, over `posapp backup`.
#   deploy/backup.sh [daily|weekly|monthly|pre-deploy] [--dry-run]
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
posapp=$here/.venv/bin/posapp
[ -x "$posapp" ] || posapp=posapp # in a container it is on the PATH
case ${1:-} in
"" | -*) set -- daily "$@" ;;
esac
exec "$posapp" backup "$@"
