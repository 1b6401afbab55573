"""The ledger is append-only for everybody, the application included: the database refuses to change or remove a row."""

from django.db import migrations

SQLITE = {
    "ledger_no_update": "CREATE TRIGGER ledger_no_update BEFORE UPDATE ON auditapp_ledgerentry BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
    "ledger_no_delete": "CREATE TRIGGER ledger_no_delete BEFORE DELETE ON auditapp_ledgerentry BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
}
POSTGRESQL = [
    "CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$",
    "CREATE TRIGGER ledger_no_change BEFORE UPDATE OR DELETE ON auditapp_ledgerentry FOR EACH ROW EXECUTE FUNCTION ledger_refuse()",
    "CREATE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON auditapp_ledgerentry FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()",
]


def put_up(connection):
    statements = POSTGRESQL if connection.vendor == "postgresql" else SQLITE.values()
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def take_down(connection):
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("DROP FUNCTION IF EXISTS ledger_refuse() CASCADE")
        else:
            for name in SQLITE:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


class Migration(migrations.Migration):
    dependencies = [("auditapp", "0002_rung_at_and_one_running")]

    operations = [
        migrations.RunPython(lambda apps, editor: put_up(editor.connection), lambda apps, editor: take_down(editor.connection)),
    ]
