"""E-mail addresses are verified before anything goes to them. Those that accounts have by now have been written to so far, and stay as good as they were."""

from typing import Any

from django.db import migrations, models


def keep_present(apps: Any, schema_editor: Any) -> None:
    user, person = apps.get_model("auth", "User"), apps.get_model("auditapp", "Person")
    for pk, email in user.objects.exclude(email="").values_list("pk", "email"):
        person.objects.update_or_create(user_id=pk, defaults={"verified_email": email})


class Migration(migrations.Migration):
    dependencies = [("auditapp", "0009_signed_exports_and_pictures")]

    operations = [
        migrations.AddField("person", "verified_email", models.EmailField(default="", max_length=254)),
        migrations.AddField("invitation", "mailed_at", models.DateTimeField(null=True)),
        migrations.RunPython(keep_present, migrations.RunPython.noop),
    ]
