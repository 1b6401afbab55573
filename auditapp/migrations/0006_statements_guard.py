"""What people said and signed off is append-only for everybody, the application included: no row is changed, and none goes before the ledger says that its run was deleted."""

from django.db import migrations

TABLES = ("auditapp_statementsversion", "auditapp_signoffentry")
SAID = "statements and sign-offs are append-only"
# The ledger and not the table of runs: SQLite renames no table that a trigger of another one names, and that of runs will be remade some day
DELETED = "SELECT 1 FROM auditapp_ledgerentry WHERE action = 'run.deleted' AND subject = OLD.run_id"


def put_up(connection):
    postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        if postgresql:
            cursor.execute(
                "CREATE FUNCTION statements_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"IF TG_OP = 'DELETE' THEN IF EXISTS ({DELETED}) THEN RETURN OLD; END IF; END IF; "
                f"RAISE EXCEPTION '{SAID}'; END $$")
        for table in TABLES:
            if postgresql:
                cursor.execute(f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION statements_refuse()")
                cursor.execute(f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION statements_refuse()")
            else:
                cursor.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, '{SAID}'); END")
                cursor.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN NOT EXISTS ({DELETED}) "
                               f"BEGIN SELECT RAISE(ABORT, '{SAID}'); END")


def take_down(connection):
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("DROP FUNCTION IF EXISTS statements_refuse() CASCADE")
            return
        for table in TABLES:
            for event in ("update", "delete"):
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{event}")


class Migration(migrations.Migration):
    dependencies = [("auditapp", "0005_statements")]

    operations = [
        migrations.RunPython(lambda apps, editor: put_up(editor.connection), lambda apps, editor: take_down(editor.connection)),
    ]
