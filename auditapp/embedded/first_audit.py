"""`python -m auditapp.embedded.first_audit`: beside the running processes, audits the bundled sample once, by the same way as any upload,
and tells the person at the terminal where to go. A second `make run` finds the run it made and only tells."""

from __future__ import annotations

import io
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from auditapp.models import Run

LINK_MINUTES = 60
WEB_SECONDS = 90
ENDED = ("succeeded", "failed", "cancelled")


def main() -> int:
    """Wait for the web process, audit the sample, print address, login link and PDF. 1 with one sentence when something of it fails."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "auditapp.settings")
    django.setup()
    address = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
    if not _answers(address + "/healthz"):
        print(f"The web process does not answer on {address}; see the log under PLUMBLINE_HOME/logs.", file=sys.stderr)
        return 1
    user = _demo()
    print(f"Plumbline answers on {address}/ (log in once: {_login_link(address, user)})", flush=True)
    run = sample_run(user)
    _follow(run)
    _tell(run, address, user)
    return 0 if run.state == "succeeded" else 1


def _answers(url: str) -> bool:
    deadline = time.monotonic() + WEB_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own address, built above
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    return False


def _demo() -> User:
    from django.contrib.auth.models import User

    from auditapp.home import DEMO_USER

    return User.objects.get(username=DEMO_USER)


def sample_run(user: User) -> Run:
    """The run of the bundled sample in the workspace of ``user``: the one that an earlier start made, else a new one. A failed one is tried again."""
    from auditapp.datasets import store_upload
    from auditapp.models import Dataset, Run, Workspace
    from auditapp.runs import submit
    from auditapp.sample import SAMPLE_FILENAME, SAMPLE_SPEC, sample_csv
    from automl.spec import parse_spec

    workspace = Workspace.objects.filter(memberships__user=user).earliest("created_at")
    earlier = Run.objects.filter(workspace=workspace, created_by=user, dataset__filename=SAMPLE_FILENAME, title=SAMPLE_SPEC["title"]).exclude(state="failed").first()
    if earlier:
        return earlier
    dataset = Dataset.objects.filter(workspace=workspace, created_by=user, filename=SAMPLE_FILENAME, deleted_at=None).first()
    if dataset is None:
        dataset = store_upload(io.BytesIO(sample_csv()), name="Sample: loan applications", filename=SAMPLE_FILENAME, workspace=workspace, user=user)
    return submit(workspace=workspace, dataset=dataset, kind="training", spec=parse_spec(SAMPLE_SPEC, "training"), user=user)


def _follow(run: Run) -> None:
    """Print one line per stage and per 10 % until the run has ended."""
    if run.state not in ENDED:
        print("The bundled sample is being audited; this takes about a minute.", flush=True)
    shown: tuple[str, int] = ("", 0)
    while run.state not in ENDED:
        time.sleep(0.5)
        run.refresh_from_db()
        now = (run.stage, run.percent // 10)
        if now != shown and run.stage:
            best = run.progress.get("best")
            score = f"  best {run.progress.get('metric') or 'score'} {best:.4f}" if isinstance(best, float) else ""
            print(f"  {run.percent:3d} %  {run.stage}{score}", flush=True)
            shown = now


def _tell(run: Run, address: str, user: User) -> None:
    from django.urls import reverse

    if run.state == "succeeded":
        print(f"The sample's audit is done.\n  page        {address}{reverse('results', args=[run.pk])}")
        _tell_pdf(run)
    elif run.state == "failed":
        print(f"The sample's audit failed ({run.failure_code}): {run.failure_text}", file=sys.stderr)
    print(f"  login link  {_login_link(address, user)}  (works once, for {LINK_MINUTES} minutes)")
    print("Ctrl-C stops Plumbline.", flush=True)


def _tell_pdf(run: Run) -> None:
    from auditapp.results import NotSigned

    try:
        print(f"  signed PDF  {export_pdf(run)}")
    except NotSigned as error:
        print(f"  signed PDF  none: {error}")


def export_pdf(run: Run) -> Path:
    """The run's newest signed report as ``HOME/sample/audit.pdf``. Raises `auditapp.results.NotSigned`."""
    from django.conf import settings

    from auditapp.home import make_private
    from auditapp.results import open_report

    make_private(settings.HOME / "sample")
    path: Path = settings.HOME / "sample" / "audit.pdf"
    with open_report(run) as report:
        draft = path.with_suffix(".draft")
        draft.write_bytes(report.read())
    draft.replace(path)
    return path


def _login_link(address: str, user: User) -> str:
    from django.urls import reverse

    from auditapp.access import make_login_link

    return address + reverse("login-link", args=[make_login_link(user, minutes=LINK_MINUTES)])


if __name__ == "__main__":
    sys.exit(main())
