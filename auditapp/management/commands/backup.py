"""``python manage.py backup DIR``: a copy of this home, whole at one moment, while everything goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from auditapp.backup import NoBackup, take_backup
from auditapp.one_sentence import OneSentenceCommand


class Command(OneSentenceCommand):
    help = "Copy database, stored files and keys to DIR, which is then a home that PLUMBLINE_HOME can name (exit 0), or say why not (exit 2)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR", help="the folder that is made; it must be empty or absent")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = take_backup(options["folder"])
        except (NoBackup, OSError) as why:
            self.refuse(f"no backup: {why}")
        self.stdout.write(f"{options['folder']}: {made.files:,} files, {made.bytes:,} bytes. It holds the keys: keep it as secret as the home.")
