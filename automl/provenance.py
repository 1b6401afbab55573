"""Where a result came from: code, libraries, machine, seeds and times; what somebody needs to make it again."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Any

from automl import __version__
from automl.evidence import NotMeasured, OnnxExport, Packages, Provenance, canonical_json
from automl.spec import AuditPolicy

LIBRARIES = ("numpy", "pandas", "pyarrow", "scipy", "scikit-learn", "statsmodels", "lightgbm", "torch", "optuna", "shap", "numba", "fairlearn", "altair", "pydantic", "onnx", "onnxruntime")


def provenance(
    spec: AuditPolicy, *, dataset_sha256: str, model_sha256: str | None, threads: int, started_at: datetime, onnx: OnnxExport | NotMeasured, now: datetime | None = None,
    devices: Mapping[str, str] | None = None,
) -> Provenance:
    """The provenance section; ``started_at`` is an aware UTC time, ``devices`` what each family of models learned on."""
    finished_at = now or datetime.now(UTC)
    return Provenance(
        dataset_sha256=dataset_sha256, config_sha256=config_sha256(spec), model_sha256=model_sha256, code_version=code_version(),
        libraries=installed_versions(), python=platform.python_version(), hardware=hardware() | {f"{family} learned on": device for family, device in (devices or {}).items()}, seeds={"run": spec.seed}, threads=threads,
        packages=installed_packages(),
        started_at=started_at.isoformat(timespec="seconds"), finished_at=finished_at.isoformat(timespec="seconds"), year_later=a_year_after(finished_at.date()).isoformat(),
        seconds=round((finished_at - started_at).total_seconds(), 3), onnx=onnx,
    )


def a_year_after(day: date) -> date:
    """The same day of the next year; of 29 February the 28th."""
    return day.replace(year=day.year + 1) if (day.month, day.day) != (2, 29) else date(day.year + 1, 2, 28)


def config_sha256(spec: AuditPolicy) -> str:
    """Hex sha256 of the spec's canonical JSON, defaults filled in."""
    return hashlib.sha256(canonical_json(spec.model_dump(mode="json"))).hexdigest()


@cache
def code_version() -> str:
    """The version and a hash over the engine's own source files: names the code even where nobody tagged it."""
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{__version__}+{digest.hexdigest()[:12]}"


def installed_versions() -> dict[str, str]:
    """Library to installed version, for those that a result can depend on."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def installed_packages() -> Packages:
    """Every distribution that this interpreter can import."""
    found = {}
    for one in distributions():
        record = one.read_text("RECORD")
        found[str(one.metadata["Name"])] = f"{one.version} {'none' if record is None else hashlib.sha256(record.encode()).hexdigest()}"
    packages = Packages(installed=len(found), sha256="", versions=dict(sorted(found.items(), key=lambda item: item[0].lower())))
    return packages.model_copy(update={"sha256": hashlib.sha256("".join(packages.lines).encode()).hexdigest()})


def hardware() -> dict[str, Any]:
    """CPU, cores and memory; the GPU where torch is loaded and sees one."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    torch = sys.modules.get("torch")
    gpu = torch.cuda.get_device_name(0) if torch is not None and torch.cuda.is_available() else None
    return {"cpu": _cpu_name(), "cores": os.cpu_count() or 1, "memory_bytes": memory, "gpu": gpu, "system": f"{platform.system()} {platform.machine()}"}


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        return platform.processor() or "unknown"
    return platform.processor() or "unknown"
