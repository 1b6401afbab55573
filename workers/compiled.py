"""The machine code of trees and their explainer, compiled once by a process that may write beside the code and lent to a child that may not.

A child gets a copy in its own folder: what it writes there, nobody else loads.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from auditapp.embedded.install import COMPILED


def lend_compiled(folder: Path) -> None:
    """Before numba is imported: have it look, and keep what it compiles, in ``folder``. Code of another machine or another source is compiled anew."""
    for source in COMPILED:
        place = source.parent
        # numba's own name for the folder of a source file (numba.core.caching, get_suitable_cache_subpath)
        mine = folder / f"{place.name}_{hashlib.sha1(str(place).encode(), usedforsecurity=False).hexdigest()}"
        mine.mkdir(parents=True, exist_ok=True)
        for file in (place / "__pycache__").glob(f"{source.stem}.*.nb?"):
            shutil.copyfile(file, mine / file.name)
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
