#!/bin/bash
# Puts a build of the pages where nginx serves them, and keeps the files of the two builds before:
# a tab that was opened then still asks for them.
#   publish.sh [BUILD] [PAGES]
#   VITE_SENTRY_DSN   where the pages report their faults; no secret, for every browser reads it
set -euo pipefail
build=${1:-/usr/share/pages} pages=${2:-/srv/pages}
hashes=${STYLE_HASHES:-/usr/share/style-hashes}
fail() { echo "publish: $*" >&2; exit 2; }
[ -e "$build/index.html" ] || fail "$build: no build of the pages there"
[ -s "$hashes" ] || fail "$hashes: missing; the build writes it"
[ -w "$pages" ] || fail "$pages: not writable for user $(id -u)"
dsn=${VITE_SENTRY_DSN:-}
connect="'self'"
if [ -n "$dsn" ]; then
    [[ $dsn =~ ^(https?)://[A-Za-z0-9._:-]+@([A-Za-z0-9.:-]+)/([A-Za-z0-9._/-]*/)?[0-9]+$ ]] ||
        fail "VITE_SENTRY_DSN: not a Sentry DSN; write it like https://key@host/1"
    connect="'self' ${BASH_REMATCH[1]}://${BASH_REMATCH[2]}"
fi

exec 9>"$pages/.lock"
flock 9
id=$( (cd "$build" && find . -type f ! -name '.*' -print0 | sort -z | xargs -0 sha256sum; echo "$dsn"; cat "$hashes") |
    sha256sum | cut -c1-12)
rm -rf "$pages"/.coming-*
coming=$pages/.coming-$id
mkdir -p "$pages/assets" "$pages/builds" "$coming"
cp -r "$build"/. "$coming/"
find "$coming" -name '.*' -type f -delete
find "$coming/assets" -type f -printf '%f\n' >"$coming/.assets"
# Names carry their content's hash: one that is there already is the same. Renamed, never half there.
find "$coming/assets" -type f -exec mv -n -t "$pages/assets" {} +
rm -rf "$coming/assets"
if [ -n "$dsn" ]; then
    page=$(cat "$coming/index.html")
    printf '%s\n' "${page/<\/head>/<meta name=\"sentry-dsn\" content=\"$dsn\"></head>}" >"$coming/index.html"
    rm -f "$coming"/index.html.*
fi
cat >"$coming/.policy" <<END
map "" \$pages_policy {
    default "default-src 'self'; script-src 'self'; style-src 'self' $(paste -sd ' ' "$hashes"); img-src 'self' data: blob:; font-src 'self' data:; connect-src $connect; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
}
END
rm -rf "${pages:?}/builds/$id"
mv "$coming" "$pages/builds/$id"
touch "$pages/builds/$id"
ln -sfn "builds/$id" "$pages/.current"
mv -T "$pages/.current" "$pages/current"

mapfile -t builds < <(cd "$pages/builds" && ls -t)
for old in "${builds[@]:3}"; do rm -rf "${pages:?}/builds/$old"; done
cat "$pages"/builds/*/.assets | sort -u >"$pages/.kept"
(cd "$pages/assets" && find . -type f -printf '%P\n' | sort | comm -23 - ../.kept | xargs -r -d '\n' rm -f)
echo "published $id"
