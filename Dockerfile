# The agent and its portal: `docker compose up --build` (compose.yaml says what to lay beside it first).
# A tag moves: whoever wants the same image again writes the digest behind it (name:tag@sha256:..., from `docker pull`).
# The paths are those of a server, so that one env file serves both.

FROM node:24-slim AS charts
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev --no-audit --no-fund

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /opt/build \
    && python -m venv --without-pip /opt/spelar_eu/.venv \
    && /opt/build/bin/pip install --require-hashes --only-binary :all: -r requirements-build.lock \
    && /opt/build/bin/pip --python /opt/spelar_eu/.venv install --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml package-lock.json README.md ./
COPY domain domain
COPY adapters adapters
COPY entrypoints entrypoints
COPY vps vps
COPY scripts scripts
COPY web web
COPY --from=charts /src/node_modules node_modules
RUN python -c "from scripts.vendor import lay_out; lay_out()" \
    && /opt/build/bin/python -m hatchling build --target wheel --directory /opt/build/dist \
    && /opt/build/bin/pip --python /opt/spelar_eu/.venv install --no-deps --no-index --find-links /opt/build/dist spelar

FROM python:3.11-slim
COPY --from=build /opt/spelar_eu/.venv /opt/spelar_eu/.venv
RUN install --directory --owner=10001 --group=10001 /var/lib/spelar /opt/spelar_eu/web/data
ENV PATH=/opt/spelar_eu/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    STATE_DIR=/var/lib/spelar \
    OUT_DIR=/opt/spelar_eu/web/data
WORKDIR /opt/spelar_eu
USER 10001:10001
VOLUME ["/var/lib/spelar", "/opt/spelar_eu/web/data"]
HEALTHCHECK --interval=60s --timeout=20s --start-period=120s --retries=3 CMD ["spelar", "status"]
CMD ["spelar", "run"]
