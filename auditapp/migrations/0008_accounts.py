import auditapp.models
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

ROLES = [("viewer", "Viewer"), ("analyst", "Analyst"), ("reviewer", "Reviewer"), ("owner", "Owner")]


class Migration(migrations.Migration):

    dependencies = [
        ("auditapp", "0007_webhooks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(model_name="workspace", name="retention_days", field=models.PositiveSmallIntegerField(null=True)),
        migrations.AddField(model_name="workspace", name="retention_since", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="workspace", name="deletion_asked_at", field=models.DateTimeField(null=True)),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.CharField(default=auditapp.models.invitation_id, editable=False, max_length=40, primary_key=True, serialize=False)),
                ("email", models.EmailField(max_length=254)),
                ("role", models.CharField(choices=ROLES, max_length=10)),
                ("secret_sha256", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(null=True)),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("invited_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("workspace", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="invitations", to="auditapp.workspace")),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "constraints": [models.CheckConstraint(condition=models.Q(("role__in", ["viewer", "analyst", "reviewer", "owner"])), name="invitation_role_known")],
            },
        ),
        migrations.CreateModel(
            name="Person",
            fields=[
                ("user", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="person", serialize=False, to=settings.AUTH_USER_MODEL)),
                ("reset_mailed_at", models.DateTimeField(null=True)),
                ("notices", models.CharField(default="none", max_length=4)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("notices__in", ["none", "mine", "all"])), name="person_notices_known")],
            },
        ),
        migrations.CreateModel(
            name="RecoveryCode",
            fields=[
                ("sha256", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="recovery_codes", to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name="BrowserSession",
            fields=[
                ("session_key", models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="session key")),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("browser", models.CharField(default="", max_length=100)),
                ("since", models.DateTimeField(null=True)),
                ("seen_at", models.DateTimeField(null=True)),
                ("user", models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name="browser_sessions", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "ordering": ["-seen_at"],
            },
        ),
        migrations.CreateModel(
            name="RunNotice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField(db_index=True)),
                ("run", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="notices", to="auditapp.run")),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("run", "user"), name="one_notice_a_run_and_person")],
            },
        ),
        migrations.CreateModel(
            name="ShareLink",
            fields=[
                ("id", models.CharField(default=auditapp.models.share_link_id, editable=False, max_length=40, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=200)),
                ("secret_sha256", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
                ("downloads", models.PositiveIntegerField(default=0)),
                ("last_download_at", models.DateTimeField(null=True)),
                ("created_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("report", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="share_links", to="auditapp.report")),
                ("workspace", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="share_links", to="auditapp.workspace")),
            ],
            options={
                "ordering": ["-created_at", "-id"],
            },
        ),
    ]
