#!/bin/sh
# The official entrypoint's first start, as far as docker-compose.prod.yml asks for it.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    mkdir -p "$PGDATA"
    # shellcheck disable=SC2086
    initdb --username=postgres --encoding=UTF8 --locale=C.UTF-8 --auth-host=scram-sha-256 --auth-local=trust \
        --pwfile="$POSTGRES_PASSWORD_FILE" $POSTGRES_INITDB_ARGS >/dev/null
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    pg_ctl -w start -o "-c listen_addresses='' -c shared_preload_libraries=pg_stat_statements -k /tmp" >/dev/null
    createdb -h /tmp -U postgres "$POSTGRES_DB"
    for file in /docker-entrypoint-initdb.d/*.sql; do
        psql -q -v ON_ERROR_STOP=1 -h /tmp -U postgres -d "$POSTGRES_DB" -f "$file"
    done
    pg_ctl -w stop -m fast >/dev/null
fi
exec "$@" -k /run/postgresql "-clisten_addresses=*"
