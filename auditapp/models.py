"""The tables, their querysets and what the database itself refuses. Reads are querysets here; writes are verbs in the noun modules."""

from __future__ import annotations

import secrets
import threading
import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from auditapp.people.sessions import SessionStore

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_one_at_a_time = threading.Lock()
_newest = 0


def new_id(prefix: str) -> str:
    """A sortable id such as ``run_06a1m2k3c4...``: 48 bits of milliseconds and 80 of chance (UUIDv7's content) in Crockford's base 32.

    Ids of one process rise even within a millisecond (RFC 9562, 6.2, method 2), because runs wait in the order of theirs.
    """
    global _newest
    with _one_at_a_time:
        number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
        if number >> 80 <= _newest >> 80:
            number = _newest + 1 + secrets.randbits(64)
        _newest = number
    digits = ""
    for _ in range(26):
        number, rest = divmod(number, 32)
        digits = _ALPHABET[rest] + digits
    return f"{prefix}_{digits}"


def workspace_id() -> str: return new_id("ws")
def token_id() -> str: return new_id("tok")
def dataset_id() -> str: return new_id("ds")
def run_id() -> str: return new_id("run")
def model_id() -> str: return new_id("mdl")
def report_id() -> str: return new_id("rep")
def statements_id() -> str: return new_id("sta")
def sign_off_id() -> str: return new_id("sgn")
def webhook_id() -> str: return new_id("whk")
def delivery_id() -> str: return new_id("msg")
def invitation_id() -> str: return new_id("inv")
def share_link_id() -> str: return new_id("shr")
def cohort_id() -> str: return new_id("coh")


class Workspace(models.Model):
    """Owns everything. Nobody outside sees that it exists."""

    id = models.CharField(primary_key=True, max_length=40, default=workspace_id, editable=False)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)
    retention_days = models.PositiveSmallIntegerField(null=True)
    """Tables that no run has used for so long are deleted (`auditapp.retention`); None: never."""
    retention_since = models.DateTimeField(null=True)
    deletion_asked_at = models.DateTimeField(null=True)
    """Nobody is a member any more; `auditapp.people.workspaces` removes what is in it."""

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    class Role(models.TextChoices):
        VIEWER = "viewer"      # read, download, verify
        ANALYST = "analyst"    # viewer, and upload, run, cancel
        REVIEWER = "reviewer"  # viewer, and statements and sign-off
        OWNER = "owner"        # all, members, tokens, deletion

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "user"], name="one_membership_a_workspace"),
            models.CheckConstraint(condition=Q(role__in=["viewer", "analyst", "reviewer", "owner"]), name="membership_role_known"),
        ]


class ApiToken(models.Model):
    """``plb_<id>_<secret>``; only the sha256 of the 256-bit secret is stored."""

    id = models.CharField(primary_key=True, max_length=40, default=token_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="tokens")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=200)
    secret_sha256 = models.CharField(max_length=64)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)


class LoginLink(models.Model):
    """A login that works once and soon expires; only its sha256 is stored."""

    secret_sha256 = models.CharField(primary_key=True, max_length=64)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class Invitation(models.Model):
    """A place in a workspace, offered to an address. The link works once and expires; only the sha256 of its secret is stored. Written by `auditapp.people.members` only."""

    id = models.CharField(primary_key=True, max_length=40, default=invitation_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Membership.Role.choices)
    secret_sha256 = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    mailed_at = models.DateTimeField(null=True)
    """When a mail server took the mail with the link, which nobody else was shown; None: whoever invited handed it on."""
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.CheckConstraint(condition=Q(role__in=["viewer", "analyst", "reviewer", "owner"]), name="invitation_role_known")]


class Person(models.Model):
    """What is kept of somebody beside Django's account; made when it is first needed. Written by `auditapp.people.accounts` only."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="person")
    reset_mailed_at = models.DateTimeField(null=True)
    verified_email = models.EmailField(default="")
    """The address that a link was mailed to and opened from. Only while it is the account's own does anything go there."""
    notices = models.CharField(max_length=4, default="none")
    """Of which runs' ends they want a mail: none, mine (started by them), all (of their workspaces)."""
    language = models.CharField(max_length=2, default="en")
    """What mails to them are written in: as they last chose for the pages, or had when they asked for the mails."""

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(notices__in=["none", "mine", "all"]), name="person_notices_known")]


class RecoveryCode(models.Model):
    """Stands in for a lost phone, once; only its sha256 is kept. Written by `auditapp.people.second_step` only."""

    sha256 = models.CharField(primary_key=True, max_length=64)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes")


class BrowserSession(AbstractBaseSession):
    """A session that its person can see in a list and end. Written by `auditapp.people.sessions`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="browser_sessions")
    browser = models.CharField(max_length=100, default="")
    """In words: "Firefox on Linux"."""
    since = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-seen_at"]

    @classmethod
    def get_session_store_class(cls) -> type[SessionStore]:
        from auditapp.people.sessions import SessionStore

        return SessionStore


class InWorkspace(models.QuerySet):
    """Reads that belong to a workspace; `auditapp.access` decides which workspaces a person sees."""

    def visible_to(self, user: User) -> InWorkspace:
        return self.filter(workspace__memberships__user=user)


class Dataset(models.Model):
    """An uploaded table: content-addressed bytes and the name somebody gave it. Written by `auditapp.datasets` only."""

    id = models.CharField(primary_key=True, max_length=40, default=dataset_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="datasets")
    name = models.CharField(max_length=200)
    filename = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    bytes = models.BigIntegerField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)

    objects = InWorkspace.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]


class Leased(models.Model):
    """Work that one worker at a time holds: state, attempt (the fence), lease and beat, all by the database's clock."""

    state = models.CharField(max_length=10, default="queued")
    attempt = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=2)
    queued_at = models.DateTimeField(auto_now_add=True)
    rung_at = models.DateTimeField(null=True)
    """When the reconciler last rang the doorbell again, so that parallel sweeps ring once."""
    lease_until = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    owner = models.CharField(max_length=200, default="")
    failure_code = models.CharField(max_length=20, default="")
    failure_text = models.TextField(default="")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


FAILURE_CODES = ("bad_input", "out_of_memory", "time_limit", "worker_lost", "storage_full", "internal")


class Profile(Leased):
    """What a dataset holds, read once per reading options. States: queued, running, ready, failed."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="profiles")
    options = models.JSONField(default=dict)
    """`TableOptions` and missing markers, as JSON."""
    options_sha256 = models.CharField(max_length=64)
    document = models.JSONField(null=True)
    """`automl.evidence.DatasetProfile`."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "options_sha256"], name="one_profile_a_reading"),
            models.CheckConstraint(condition=Q(state__in=["queued", "running", "ready", "failed"]), name="profile_state_known"),
            models.CheckConstraint(condition=Q(state="failed") ^ Q(failure_code=""), name="profile_failure_says_why"),
            models.CheckConstraint(condition=~Q(state="ready") | Q(document__isnull=False), name="profile_ready_has_document"),
        ]


class Run(Leased):
    """One audit, from submission to signed report. States and moves: `auditapp.runs`, the only writer."""

    id = models.CharField(primary_key=True, max_length=40, default=run_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=12)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="runs")
    test_dataset = models.ForeignKey(Dataset, null=True, on_delete=models.PROTECT, related_name="runs_as_test")
    title = models.CharField(max_length=200)
    spec = models.JSONField()
    stage = models.CharField(max_length=10, default="")
    percent = models.PositiveSmallIntegerField(default=0)
    progress = models.JSONField(default=dict)
    """The last `automl.hooks.Progress`, as JSON."""
    audit_number = models.PositiveIntegerField(default=1)
    cancel_requested_at = models.DateTimeField(null=True)
    finish_requested_at = models.DateTimeField(null=True)
    parent = models.ForeignKey("self", null=True, on_delete=models.SET_NULL)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = InWorkspace.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["queued_at"], condition=Q(state="queued"), name="run_waiting"),
            models.Index(fields=["lease_until"], condition=Q(state="running"), name="run_leased"),
            models.Index(fields=["workspace", "-created_at"], name="run_of_workspace"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["queued", "running", "succeeded", "failed", "cancelled"]), name="run_state_known"),
            models.CheckConstraint(condition=Q(kind__in=["training", "predictions"]), name="run_kind_known"),
            models.CheckConstraint(condition=Q(failure_code__in=["", *FAILURE_CODES]), name="run_failure_code_known"),
            models.CheckConstraint(condition=Q(state="failed") ^ Q(failure_code=""), name="run_failure_says_why"),
            models.CheckConstraint(condition=Q(attempt__lte=models.F("max_attempts")), name="run_attempts_bounded"),
            # Two claims at once may both see an idle workspace (PostgreSQL, READ COMMITTED): the database lets one through
            models.UniqueConstraint(fields=["workspace"], condition=Q(state="running"), name="one_running_run_a_workspace"),
            models.CheckConstraint(condition=Q(state="running") ^ Q(lease_until__isnull=True), name="run_lease_only_while_running"),
            models.CheckConstraint(
                condition=Q(state__in=["succeeded", "failed", "cancelled"]) ^ Q(finished_at__isnull=True), name="run_finished_at_only_at_the_end"),
        ]


class SavedCohort(models.Model):
    """An error slice of a run under a name, to be measured in audits to come; it goes with the run. Written by `auditapp.cohorts` only."""

    id = models.CharField(primary_key=True, max_length=40, default=cohort_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="cohorts")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="saved_cohorts")
    name = models.CharField(max_length=80)
    where = models.JSONField()
    """Conditions, as `automl.spec.RowCondition`."""
    words = models.TextField()
    """The same as the evidence says it."""
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = InWorkspace.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="one_cohort_a_name")]


class RunPart(Leased):
    """One more worker's share in a run's search. States: queued, running, ended, failed. Written by `auditapp.parts` only."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveSmallIntegerField()
    """From 1; the leading part is the run itself."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="one_row_a_part"),
            models.CheckConstraint(condition=Q(state__in=["queued", "running", "ended", "failed"]), name="part_state_known"),
            models.CheckConstraint(condition=Q(state="failed") ^ Q(failure_code=""), name="part_failure_says_why"),
            models.CheckConstraint(condition=Q(state="running") ^ Q(lease_until__isnull=True), name="part_lease_only_while_running"),
        ]


class RunEvent(models.Model):
    """What happened to a run, written in the transaction that made it happen."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    attempt = models.PositiveIntegerField()
    kind = models.CharField(max_length=30)
    """submitted, claimed, stage, trial, part, requeued, cancel_requested, finish_requested, succeeded, failed, cancelled ..."""
    text = models.TextField(default="")
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]


class RunTrial(models.Model):
    """A finished trial: all that a resumed attempt needs of it lies in storage under ``sha256``."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="trials")
    number = models.PositiveIntegerField()
    attempt = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    bytes = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="one_row_a_trial")]


class RunNotice(models.Model):
    """A mail that is owed to a person: a run has ended. Gone when it was sent. Written by `auditapp.people.notices` only."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="notices")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "user"], name="one_notice_a_run_and_person")]


class Artifact(models.Model):
    """A file of a succeeded run: ``name`` is its place in the bundle ("evidence.json", "charts/roc.svg", "model/model.json")."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="artifacts")
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    bytes = models.BigIntegerField()
    media_type = models.CharField(max_length=100)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["run", "name"], name="one_artifact_a_name")]


class AuditedModel(models.Model):
    """The model that a training run ended in. Its files are artifacts ``model/*`` of the run."""

    id = models.CharField(primary_key=True, max_length=40, default=model_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="models")
    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="model")
    model_sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = InWorkspace.as_manager()


class Report(models.Model):
    """A version of a run's PDF: {evidence digest, statements version, sign-offs}. Versions are added, never replaced: the first by `auditapp.runs`, later ones by `auditapp.report_versions`."""

    id = models.CharField(primary_key=True, max_length=40, default=report_id, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="reports")
    version = models.PositiveIntegerField()
    state = models.CharField(max_length=20)
    evidence_digest = models.CharField(max_length=64)
    statements_version = models.PositiveIntegerField(default=0)
    sign_offs = models.PositiveIntegerField(default=0)
    """How many of the run's sign-offs it prints."""
    unsigned_sha256 = models.CharField(max_length=64)
    pdf_sha256 = models.CharField(max_length=64, default="")
    picture_sha256 = models.CharField(max_length=64, default="")
    """PNG of its first page; empty for a report from before there were any."""
    signer = models.CharField(max_length=200, default="")
    signed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(fields=["run", "version"], name="one_report_a_version"),
            models.CheckConstraint(condition=Q(state__in=["signed", "awaiting_signature"]), name="report_state_known"),
            models.CheckConstraint(condition=Q(state="signed") ^ Q(pdf_sha256=""), name="report_signed_has_pdf"),
        ]


class ShareLink(models.Model):
    """Opens one signed report version to whoever has the link, until it ends; only the sha256 of its secret is stored. Written by `auditapp.people.share_links` only."""

    id = models.CharField(primary_key=True, max_length=40, default=share_link_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="share_links")
    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="share_links")
    name = models.CharField(max_length=200)
    """For whom it is, in the words of whoever made it."""
    secret_sha256 = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    downloads = models.PositiveIntegerField(default=0)
    last_download_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]


class SignedExport(models.Model):
    """A document for others as PDF: drawn when it was first asked for, of one version of the statements, signed by whoever holds the key. Written by `auditapp.signed_exports` only."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="signed_exports")
    name = models.CharField(max_length=40)
    """A key of `auditapp.exports.EXPORTS`."""
    withhold = models.BooleanField()
    statements_version = models.PositiveIntegerField()
    unsigned_sha256 = models.CharField(max_length=64)
    pdf_sha256 = models.CharField(max_length=64, default="")
    """Empty while it awaits its signature."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["run", "name", "withhold", "statements_version"], name="one_export_a_version")]


class ReportRendering(Leased):
    """A further report version that was asked for, and what it is to say. States: queued, running, done, failed. Written by `auditapp.report_versions` only."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="renderings")
    version = models.PositiveIntegerField()
    document = models.JSONField()
    """`auditapp.statements.document.Statements`, complete: what the PDF prints and attaches."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["version"]
        constraints = [
            models.UniqueConstraint(fields=["run", "version"], name="one_rendering_a_version"),
            models.CheckConstraint(condition=Q(state__in=["queued", "running", "done", "failed"]), name="rendering_state_known"),
            models.CheckConstraint(condition=Q(state="failed") ^ Q(failure_code=""), name="rendering_failure_says_why"),
            models.CheckConstraint(condition=Q(state="running") ^ Q(lease_until__isnull=True), name="rendering_lease_only_while_running"),
        ]


class StatementsVersion(models.Model):
    """All that people have said of a run, as of one version. Append-only by trigger; goes with its run. Written by `auditapp.statements.changes` only."""

    id = models.CharField(primary_key=True, max_length=40, default=statements_id, editable=False)
    # No cascade: the triggers let these rows go only when the ledger says that the run was deleted (`runs.delete_run`)
    run = models.ForeignKey(Run, on_delete=models.DO_NOTHING, db_constraint=False, related_name="statements")
    version = models.PositiveIntegerField()
    fields = models.JSONField(default=dict)
    """{name: `auditapp.statements.document.Statement`}; a field that is absent was not provided."""
    changed = models.JSONField(default=list)
    """Names of the fields that differ from the version before."""
    author = models.CharField(max_length=200)
    role = models.CharField(max_length=10)
    at = models.DateTimeField()

    class Meta:
        ordering = ["version"]
        constraints = [models.UniqueConstraint(fields=["run", "version"], name="one_row_a_statements_version")]


class SignOffEntry(models.Model):
    """One person's review or approval of a report version. Append-only by trigger; goes with its run. Written by `auditapp.statements.sign_offs` only."""

    id = models.CharField(primary_key=True, max_length=40, default=sign_off_id, editable=False)
    run = models.ForeignKey(Run, on_delete=models.DO_NOTHING, db_constraint=False, related_name="sign_offs")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    """`auditapp.statements.document.SignOff`."""

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="one_row_a_sign_off")]


class Webhook(models.Model):
    """Where a workspace's events are sent. Its secrets are made from the installation's key and stored nowhere. Written by `auditapp.webhooks.outbox` only."""

    id = models.CharField(primary_key=True, max_length=40, default=webhook_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=1000)
    events = models.JSONField(default=list)
    description = models.CharField(max_length=200, default="")
    secret_number = models.PositiveIntegerField(default=1)
    former_until = models.DateTimeField(null=True)
    """Until when the secret before this one signs too."""
    disabled_at = models.DateTimeField(null=True)
    disabled_why = models.CharField(max_length=300, default="")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = InWorkspace.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]


class Delivery(models.Model):
    """One event for one webhook, written in the transaction that made it happen and kept until it has arrived or was given up. Written by `auditapp.webhooks.outbox` only."""

    id = models.CharField(primary_key=True, max_length=40, default=delivery_id, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    type = models.CharField(max_length=30)
    body = models.JSONField()
    state = models.CharField(max_length=10, default="waiting")
    attempt = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    sending_until = models.DateTimeField(null=True)
    """While a worker sends it; later than that, the worker is gone."""
    attempts = models.JSONField(default=list)
    """The last of them: [{at, status, sentence}]."""
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["due_at"], condition=Q(state="waiting"), name="delivery_waiting")]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["waiting", "delivered", "failed"]), name="delivery_state_known"),
            models.CheckConstraint(condition=Q(state="waiting") ^ Q(ended_at__isnull=False), name="delivery_ended_at_only_at_the_end"),
        ]


class LedgerEntry(models.Model):
    """One link of a workspace's hash chain: hash = sha256(previous_hash || canonical row). Append-only by trigger. Written by `auditapp.ledger`."""

    workspace = models.ForeignKey(Workspace, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    actor = models.CharField(max_length=200)
    action = models.CharField(max_length=50)
    subject = models.CharField(max_length=100)
    data = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["workspace", "number"]
        constraints = [models.UniqueConstraint(fields=["workspace", "number"], name="one_ledger_entry_a_number")]


class IdempotencyKey(models.Model):
    """The answer a creating call gave; the same key, user, route and body get it again for 24 hours."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    key = models.CharField(max_length=255)
    route = models.CharField(max_length=100)
    body_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    """None while the first call is still in flight."""
    response = models.JSONField(null=True)
    location = models.CharField(max_length=300, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_answer_a_key")]
