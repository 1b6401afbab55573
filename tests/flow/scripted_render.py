"""A renderer that takes no time, for stories about everything around it; stands in for workers.render."""

import sys
from pathlib import Path

bundle = Path(sys.argv[1])
(bundle / "charts").mkdir()
(bundle / "charts" / "roc.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
(bundle / "audit.unsigned.pdf").write_bytes(b"%PDF-1.7 scripted")
