from django.apps import AppConfig


class AuditAppConfig(AppConfig):
    name = "auditapp"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Plumbline"
