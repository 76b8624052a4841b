# Two stages: the first installs the locked wheels, the second holds them and the service, and no tool to install more.
ARG PYTHON_IMAGE=python:3.11-slim

FROM ${PYTHON_IMAGE} AS build
# A mirror is given as on any machine: --build-arg PIP_INDEX_URL=...
ARG PIP_INDEX_URL
COPY requirements.lock /build/requirements.lock
RUN python -m venv --without-pip /opt/love-bank \
 && python -m pip --python /opt/love-bank/bin/python install --no-cache-dir --require-hashes --only-binary :all: \
      -r /build/requirements.lock
COPY app /srv/love-bank/app
COPY migrations /srv/love-bank/migrations
# The file system is read-only later, so what Python would keep of its own work is made now.
RUN /opt/love-bank/bin/python -m compileall -q /srv/love-bank

FROM ${PYTHON_IMAGE}
COPY --from=build /opt/love-bank /opt/love-bank
COPY --from=build /srv/love-bank /srv/love-bank
WORKDIR /srv/love-bank
ENV PATH=/opt/love-bank/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LOVEBANK_ENVIRONMENT=production
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# Whether the process lives, not whether the database does: nothing is won by restarting the one for the other.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
ENTRYPOINT ["python", "-m", "app"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
