#!/bin/sh
# Restores a backup, or lists what there is; thin, over `posapp restore`.
#   deploy/restore.sh [FILE | s3://BUCKET/KIND/NAME | latest] [--skip-confirm]
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
posapp=$here/.venv/bin/posapp
[ -x "$posapp" ] || posapp=posapp # in a container it is on the PATH
exec "$posapp" restore "$@"
