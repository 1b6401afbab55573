"""Error slices under a name, to be measured in audits to come."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import auditapp.models


class Migration(migrations.Migration):
    dependencies = [("auditapp", "0011_language_of_person"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="SavedCohort",
            fields=[
                ("id", models.CharField(default=auditapp.models.cohort_id, editable=False, max_length=40, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=80)),
                ("where", models.JSONField()),
                ("words", models.TextField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("created_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL)),
                ("run", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="saved_cohorts", to="auditapp.run")),
                ("workspace", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="cohorts", to="auditapp.workspace")),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "constraints": [models.UniqueConstraint(fields=("workspace", "name"), name="one_cohort_a_name")],
            },
        ),
    ]
