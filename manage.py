#!/usr/bin/env python
"""Django's command line; a new PLUMBLINE_HOME is prepared before the first command runs."""

import os
import select
import sys

# These look at the code or make the database themselves: preparing a home first would only be in their way
NEEDS_NO_HOME = {"", "help", "version", "--help", "-h", "--version", "check", "makemigrations", "migrate", "test", "collectstatic", "makemessages", "compilemessages"}
READER_GONE = 141
"""The exit code of a program that a closed pipe ended, as shells write it: 128 + SIGPIPE."""


def main() -> int:
    """Run the command of the line. Whoever reads may stop reading, as ``| head`` does: that is no error to tell of."""
    try:
        try:
            return _run()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        if not _reader_is_gone():
            raise
        # What is still held back would be written, and complained of, when Python ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE


def _reader_is_gone() -> bool:
    """Of our output, and not of some connection that a command held."""
    pipe = select.poll()
    pipe.register(sys.stdout.fileno(), 0)  # that nobody reads is told unasked
    return any(event & select.POLLERR for _, event in pipe.poll(0))


def _run() -> int:
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
