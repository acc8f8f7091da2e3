# Stands in for louislam/uptime-kuma where no image can be pulled: a page at its port.
ARG PYTHON=python:3.11-slim-bookworm
FROM ${PYTHON}
RUN useradd --uid 1000 kuma && install -d -o 1000 -g 1000 /app/data /app/extra \
    && printf '#!/bin/bash\nexec 3<>/dev/tcp/127.0.0.1/3001\n' >/app/extra/healthcheck \
    && chmod +x /app/extra/healthcheck
WORKDIR /app
CMD ["python3", "-m", "http.server", "--directory", "/app/data", "3001"]
