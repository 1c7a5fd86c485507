# hotline as a container: built in one stage, run in another by a user who may write to /data alone.
#
#   docker build -t hotline .
#   docker run --rm -v hotline:/data hotline keys add 热线系统 --scope tag,read
#   docker run -d -p 127.0.0.1:8345:8345 -v hotline:/data --read-only --tmpfs /tmp hotline

FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml hatch_build.py README.md ./
COPY classifier classifier
COPY training training
COPY api api
COPY models/default models/default
RUN python -m venv /opt/hotline && /opt/hotline/bin/pip install --no-cache-dir .

FROM python:3.12-slim
COPY --from=build /opt/hotline /opt/hotline
RUN useradd --system --uid 10001 --home-dir /data --create-home hotline
USER hotline
WORKDIR /data
ENV PATH=/opt/hotline/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HOTLINE_HOST=0.0.0.0 \
    HOTLINE_LOG=json
# Without a key the service refuses to listen beyond its container: make one first.
EXPOSE 8345
VOLUME /data
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8345/readyz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["hotline"]
CMD ["serve"]
