import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('auditapp', '0003_ledger_guard'),
    ]

    operations = [
        migrations.CreateModel(
            name='RunPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(default='queued', max_length=10)),
                ('attempt', models.PositiveIntegerField(default=0)),
                ('max_attempts', models.PositiveIntegerField(default=2)),
                ('queued_at', models.DateTimeField(auto_now_add=True)),
                ('rung_at', models.DateTimeField(null=True)),
                ('lease_until', models.DateTimeField(null=True)),
                ('heartbeat_at', models.DateTimeField(null=True)),
                ('owner', models.CharField(default='', max_length=200)),
                ('failure_code', models.CharField(default='', max_length=20)),
                ('failure_text', models.TextField(default='')),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('number', models.PositiveSmallIntegerField()),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='auditapp.run')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('run', 'number'), name='one_row_a_part'), models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'running', 'ended', 'failed'])), name='part_state_known'), models.CheckConstraint(condition=models.Q(('state', 'failed'), ('failure_code', ''), _connector='XOR'), name='part_failure_says_why'), models.CheckConstraint(condition=models.Q(('state', 'running'), ('lease_until__isnull', True), _connector='XOR'), name='part_lease_only_while_running')],
            },
        ),
    ]
