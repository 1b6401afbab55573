#!/usr/bin/env python
"""Django's command line; a new PLUMBLINE_HOME is prepared before the first command runs."""

import os
import sys

# These look at the code or make the database themselves: preparing a home first would only be in their way
NEEDS_NO_HOME = {"", "help", "version", "--help", "-h", "--version", "check", "makemigrations", "migrate", "test", "collectstatic", "makemessages", "compilemessages"}


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "auditapp.settings")
    try:
        import django
    except ImportError:
        print("Plumbline is not installed in this Python; run `make run` once, then `.venv/bin/python manage.py ...`", file=sys.stderr)
        return 1
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from auditapp.home import HomeUnusable, prepare_home

    try:
        if (sys.argv[1:2] or [""])[0] not in NEEDS_NO_HOME and not {"-h", "--help"} & set(sys.argv[2:]):
            django.setup()
            prepare_home()
        execute_from_command_line(sys.argv)
    except (HomeUnusable, ImproperlyConfigured) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
