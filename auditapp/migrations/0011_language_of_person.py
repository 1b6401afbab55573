"""Mails are written in the language that a person chose for the pages."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("auditapp", "0010_verified_email")]

    operations = [migrations.AddField("person", "language", models.CharField(default="en", max_length=2))]
