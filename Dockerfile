# Kotodom GPT as one image for all its parts: kotodom api, worker, poller, migrate, backup, restore …
# compose.yaml runs them. It takes BuildKit (Docker 23 or later) or buildah.
#
# Another base with Python 3.11 to 3.14 on Debian or Ubuntu: --build-arg PYTHON_IMAGE=NAME
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
ARG PIP_CACHE_DIR=/var/cache/pip
ARG npm_config_cache=/var/cache/npm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# The locked packages by themselves: a change of the code leaves this layer as it is.
COPY requirements.lock ./
RUN --mount=type=cache,target=/var/cache/pip \
    python3 -m venv /opt/kotodom \
    && /opt/kotodom/bin/pip install --no-deps --require-hashes --only-binary :all: \
        --requirement requirements.lock
COPY . .
# The web pages are built by what builds them everywhere; then all of it becomes one package.
RUN --mount=type=cache,target=/var/cache/pip --mount=type=cache,target=/var/cache/npm \
    make install \
    && /opt/kotodom/bin/pip install --no-deps --no-build-isolation . \
    && /opt/kotodom/bin/pip uninstall --yes hatchling editables pip

FROM ${PYTHON_IMAGE}
COPY --from=build /opt/kotodom /opt/kotodom
RUN groupadd --gid 10001 kotodom \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin kotodom
ENV PATH="/opt/kotodom/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
    CMD ["kotodom", "health", "api"]
ENTRYPOINT ["kotodom"]
CMD ["api"]
