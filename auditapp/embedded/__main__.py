"""`python -m auditapp.embedded`: what `make run` calls once everything is installed."""

import sys

from auditapp.embedded.launch import main

if __name__ == "__main__":
    sys.exit(main())
