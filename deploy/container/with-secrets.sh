#!/bin/sh
# Runs a program with its secrets: each file of SECRETS_DIR, or of systemd's CREDENTIALS_DIRECTORY, is
# a variable of the same name in upper case. A variable that has a value already keeps it; an empty
# file counts as not set. In the image it is called posapp and healthkit, and runs the one of its name.
#   with-secrets.sh /opt/steak-kenangan/.venv/bin/posapp serve
set -eu
mark=$(printf '\357\273\277') ending=$(printf '\r') # UTF-8's, and of a line's end: an editor's on Windows
for file in "${SECRETS_DIR:-${CREDENTIALS_DIRECTORY:-/run/secrets}}"/*; do
    [ -f "$file" ] || continue
    [ -r "$file" ] || {
        echo "$file: cannot be read by user $(id -u); on the host: deploy/setup.sh gives it the right owner" >&2
        exit 2
    }
    name=$(basename "$file" | tr '[:lower:]' '[:upper:]')
    case $name in *[!A-Z0-9_]* | [0-9]*) continue ;; esac
    eval "given=\${$name:-}"
    [ -z "$given" ] || continue
    value=$(cat "$file")
    # PostgreSQL's image takes them for a part of its password.
    [ "$name" = DB_PASSWORD ] || { value=${value#"$mark"} && value=${value%"$ending"}; }
    [ -z "$value" ] || export "$name=$value"
done
unset given value file name mark ending
case $0 in
*/with-secrets.sh) exec "$@" ;;
*) exec "/app/.venv/bin/$(basename "$0")" "$@" ;;
esac
