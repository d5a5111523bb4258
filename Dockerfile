FROM python:3.13-slim AS build
WORKDIR /src
COPY . .
RUN pip wheel --no-cache-dir --wheel-dir /wheels .

FROM python:3.13-slim
# It runs as any user and with a file system that is read-only: /data alone is written to, and /tmp
# where https is served.
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --find-links /wheels mockgraph \
    && useradd --system --no-create-home --uid 10001 --gid 0 mockgraph \
    && install --directory --mode 1777 /data
USER 10001:0
VOLUME /data
EXPOSE 8365
# Inside the container every address is the container's own; what is published is up to the host.
ENV MOCKGRAPH_HOST=0.0.0.0 \
    HOME=/data \
    PYTHONDONTWRITEBYTECODE=1
STOPSIGNAL SIGTERM
# By the shell: to start Python every few seconds would cost more than the server does.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/${MOCKGRAPH_PORT:-8365} && printf 'GET /_mockgraph/health HTTP/1.0\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]
ENTRYPOINT ["mockgraph"]
CMD ["serve"]
