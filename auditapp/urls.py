"""Every address there is. A test walks this list against the permission matrix."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path

from auditapp.api import api
from auditapp.drafts import STEPS
from auditapp.problems import unknown_address
from auditapp.views import account, errors, health, home, laws, live, new_audit, report, results, sign_in, verify

_STEPS = "|".join(sorted({step for steps in STEPS.values() for step in steps}))

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", api.urls),
    re_path(r"^api/", unknown_address),
    path("", home.home, name="home"),
    path("login", sign_in.LogIn.as_view(), name="login"),
    path("login/link/<str:secret>", sign_in.login_link, name="login-link"),
    path("logout", sign_in.LogOut.as_view(), name="logout"),
    path("new", new_audit.upload, name="new"),
    path("new/sample", new_audit.use_sample, name="new-sample"),
    path("new/<str:dataset_id>/begin", new_audit.use_dataset, name="new-begin"),
    path("new/<str:dataset_id>/reading", new_audit.reading, name="new-reading"),
    re_path(rf"^new/(?P<dataset_id>[^/]+)/(?P<step>{_STEPS})$", new_audit.step, name="new-step"),
    path("runs/<str:run_id>", live.run_page, name="run"),
    path("runs/<str:run_id>/live", live.run_live, name="run-live"),
    path("runs/<str:run_id>/cancel", live.cancel, name="run-cancel"),
    path("runs/<str:run_id>/finish", live.finish, name="run-finish"),
    path("runs/<str:run_id>/again", live.again, name="run-again"),
    path("runs/<str:run_id>/repeat", live.repeat, name="run-repeat"),
    path("runs/<str:run_id>/results", results.section, name="results"),
    path("runs/<str:run_id>/results/<slug:section>", results.section, name="results-section"),
    path("runs/<str:run_id>/report", report.report_page, name="run-report-page"),
    path("runs/<str:run_id>/reports/<int:version>.pdf", report.version_pdf, name="run-report-version"),
    path("runs/<str:run_id>/reports/<int:version>.png", report.version_picture, name="run-report-picture"),
    path("runs/<str:run_id>/reports/<int:version>/again", report.make_again, name="run-report-again"),
    path("runs/<str:run_id>/statements", report.statements_page, name="run-statements"),
    path("runs/<str:run_id>/statements/<int:number>", report.edit_statements, name="run-statements-edit"),
    path("runs/<str:run_id>/sign-off", report.sign_off, name="run-sign-off"),
    path("runs/<str:run_id>/report.pdf", results.report_pdf, name="run-report"),
    path("runs/<str:run_id>/evidence.json", results.artifact, {"name": "evidence.json"}, name="run-evidence"),
    path("runs/<str:run_id>/modelcard.md", results.artifact, {"name": "modelcard.md"}, name="run-card"),
    path("runs/<str:run_id>/model.onnx", results.artifact, {"name": "model.onnx"}, name="run-onnx"),
    path("runs/<str:run_id>/reasons.csv", results.artifact, {"name": "reasons.csv"}, name="run-reasons"),
    path("runs/<str:run_id>/exports/<str:export>", laws.export, name="run-export"),
    path("runs/<str:run_id>/bundle.zip", results.bundle_zip, name="run-bundle"),
    path("runs/<str:run_id>/charts/<slug:name>.svg", results.chart_svg, name="run-chart"),
    path("runs/<str:run_id>/charts/<slug:name>.csv", results.chart_csv, name="run-chart-csv"),
    path("verify", verify.verify, name="verify"),
    path("settings/tokens", account.tokens, name="tokens"),
    path("settings/tokens/<str:token_id>/revoke", account.revoke, name="token-revoke"),
    path("settings/members", account.members, name="members"),
    path("settings/workspace", account.change_workspace, name="change-workspace"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.broken
