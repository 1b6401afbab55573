"""Every address there is. A test walks this list against the permission matrix."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path

from auditapp.api import api
from auditapp.drafts import STEPS
from auditapp.problems import unknown_address
from auditapp.views import (
    account,
    deletion,
    errors,
    health,
    home,
    laws,
    live,
    members,
    new_audit,
    person,
    report,
    results,
    second_step,
    share,
    sign_in,
    verify,
    workspace,
)

_STEPS = "|".join(sorted({step for steps in STEPS.values() for step in steps}))

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", api.urls),
    re_path(r"^api/", unknown_address),
    path("", home.home, name="home"),
    path("login", sign_in.LogIn.as_view(), name="login"),
    path("login/link/<str:secret>", sign_in.login_link, name="login-link"),
    path("login/second", sign_in.second, name="login-second"),
    path("password/forgotten", sign_in.ForgottenPassword.as_view(), name="password-forgotten"),
    path("password/forgotten/sent", sign_in.forgotten_sent, name="password-sent"),
    path("password/new/<str:token>/<str:uidb64>", sign_in.NewPassword.as_view(), name="password-new"),
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
    path("runs/<str:run_id>/delete", deletion.delete_run, name="run-delete"),
    path("datasets/<str:dataset_id>/delete", deletion.delete_dataset, name="dataset-delete"),
    path("runs/<str:run_id>/results", results.section, name="results"),
    path("runs/<str:run_id>/results/<slug:section>", results.section, name="results-section"),
    path("runs/<str:run_id>/report", report.report_page, name="run-report-page"),
    path("runs/<str:run_id>/reports/<int:version>.pdf", report.version_pdf, name="run-report-version"),
    path("runs/<str:run_id>/reports/<int:version>/again", report.make_again, name="run-report-again"),
    path("runs/<str:run_id>/statements", report.statements_page, name="run-statements"),
    path("runs/<str:run_id>/statements/<int:number>", report.edit_statements, name="run-statements-edit"),
    path("runs/<str:run_id>/sign-off", report.sign_off, name="run-sign-off"),
    path("runs/<str:run_id>/shares", share.shares, name="run-shares"),
    path("runs/<str:run_id>/shares/<str:link_id>/revoke", share.revoke, name="run-share-revoke"),
    path("shared/<str:secret>", share.shared, name="shared"),
    path("shared/<str:secret>/report.pdf", share.shared_pdf, name="shared-pdf"),
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
    path("settings/account", person.account, name="account"),
    path("settings/account/email", person.email, name="account-email"),
    path("settings/account/password", person.password, name="account-password"),
    path("settings/account/notices", person.notices, name="account-notices"),
    path("settings/account/sessions/end-others", person.end_other_sessions, name="sessions-end-others"),
    path("settings/account/sessions/<str:session_id>/end", person.end_session, name="session-end"),
    path("settings/account/second-step", second_step.second_step, name="second-step"),
    path("settings/account/second-step/begin", second_step.begin, name="second-step-begin"),
    path("settings/account/second-step/codes", second_step.codes, name="second-step-codes"),
    path("settings/account/second-step/off", second_step.off, name="second-step-off"),
    path("settings/members", members.members, name="members"),
    path("settings/members/invite", members.invite, name="member-invite"),
    path("settings/members/leave", members.leave, name="member-leave"),
    path("settings/members/<int:member_id>/role", members.change_role, name="member-role"),
    path("settings/members/<int:member_id>/remove", members.remove, name="member-remove"),
    path("settings/invitations/<str:invitation_id>/withdraw", members.withdraw, name="invitation-withdraw"),
    path("invitations/<str:secret>", members.invitation, name="invitation"),
    path("settings/workspace", workspace.workspace, name="workspace"),
    path("settings/workspace/retention", workspace.keep_tables, name="workspace-retention"),
    path("settings/workspace/delete", workspace.delete_workspace, name="workspace-delete"),
    path("settings/workspace/new", workspace.new_workspace, name="workspace-new"),
    path("settings/workspace/change", members.change_workspace, name="change-workspace"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.broken
