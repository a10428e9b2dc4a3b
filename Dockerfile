# One image for every part; the command says which. Debian testing, because it is the one that has Asterisk 22 LTS.
FROM debian:forky-slim AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 python3-venv nodejs npm ca-certificates \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
RUN python3 -m venv .venv
COPY requirements.lock ./
RUN .venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . .
RUN .venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation --editable . \
 && npm ci --silent --ignore-scripts --omit=dev \
 && .venv/bin/python -m api.console.collect \
 && rm -rf node_modules

FROM debian:forky-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 asterisk asterisk-core-sounds-en espeak-ng ca-certificates tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 12345 --home-dir /var/lib/hotline --create-home hotline
COPY --from=build --chown=root:root /app /app
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH HOTLINE_STATE_DIR=/var/lib/hotline PYTHONUNBUFFERED=1
USER hotline
VOLUME /var/lib/hotline
STOPSIGNAL SIGTERM
ENTRYPOINT ["hotline"]
CMD ["api"]
