FROM python:3.13-slim AS build
WORKDIR /src
COPY . .
RUN pip wheel --no-cache-dir --wheel-dir /wheels .

FROM python:3.13-slim
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --find-links /wheels mockgraph \
    && useradd --system --create-home --uid 10001 mockgraph \
    && install --directory --owner mockgraph /data
USER mockgraph
VOLUME /data
EXPOSE 8365
# Inside the container every address is the container's own; what is published is up to the host.
ENV MOCKGRAPH_HOST=0.0.0.0
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8365/_mockgraph/health', timeout=2)"]
ENTRYPOINT ["mockgraph"]
CMD ["serve"]
