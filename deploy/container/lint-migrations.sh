#!/bin/bash
# lint REVISION: exit 1 with a line for each fault of the migrations after it.
set -euo pipefail
cd /app
PYTHONPATH=/app .venv/bin/python migration_sql.py "${1:?which revision?}" >/tmp/migrations.sql
/squawk/bin/squawk --reporter gcc --assume-in-transaction --pg-version 18 \
    --exclude prefer-bigint-over-int,prefer-text-field,prefer-robust-stmts,prefer-identity,ban-drop-constraint,ban-drop-not-null \
    /tmp/migrations.sql
