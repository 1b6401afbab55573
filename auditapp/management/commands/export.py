"""``python manage.py export DIR NAME --out FILE``: a document for others made of a finished folder of `manage.py audit`, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from django.core.management.base import CommandParser
from pydantic import BaseModel, ValidationError

from auditapp.exports import EXPORTS, PDF, Asked, NoExport, NotDrawn, make_of
from auditapp.one_sentence import OneSentenceCommand
from auditapp.report.sign import sign_pdf
from auditapp.report.signing_key import NoSigningKey
from auditapp.statements.document import Statements, nothing_said
from automl.evidence import Evidence

_Document = TypeVar("_Document", bound=BaseModel)


class Command(OneSentenceCommand):
    help = "Write the summary of Local Law 144, the skeleton of Annex IV or the model card of an audit (exit 0), or say why there is none (exit 2)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR", help="the folder that an audit has written; its evidence.json is read")
        parser.add_argument("name", choices=EXPORTS, metavar="NAME", help=", ".join(EXPORTS))
        parser.add_argument("--statements", type=Path, metavar="FILE.json", help="what people have said, as a report carries it (statements.json)")
        parser.add_argument("--withhold", action="store_true", help="withhold categories of few people in the summary of Local Law 144")
        parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the file that is written; it must not exist")

    def handle(self, *args: Any, **options: Any) -> None:
        out: Path = options["out"]
        if out.exists():
            self.refuse(f"--out: {out} is there already; name a file that does not exist")
        evidence = self._read(options["folder"] / "evidence.json", Evidence)
        given: Path | None = options["statements"]
        said = nothing_said(evidence.run.id, evidence.digest) if given is None else self._read(given, Statements)
        if said.evidence_digest != evidence.digest:
            self.refuse(f"--statements: {given} is about other evidence than {options['folder']}")
        try:
            made = make_of(options["name"], Asked(evidence, said, options["withhold"]))
            if EXPORTS[options["name"]].media_type == PDF:
                made = sign_pdf(made).bytes
        except (NoExport, NotDrawn) as why:
            self.refuse(str(why))
        except NoSigningKey as why:
            self.refuse(f"{options['name']} cannot be signed, and is not written without: {why}")
        try:
            out.write_bytes(made)
        except OSError as error:
            self.refuse(f"--out: {out} cannot be written: {error.strerror}")

    def _read(self, path: Path, kind: type[_Document]) -> _Document:
        try:
            return kind.model_validate_json(path.read_bytes())
        except OSError as error:
            self.refuse(f"{path} cannot be read: {error.strerror}")
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            self.refuse(f"{path} is not what it should be, at {'/'.join(map(str, first['loc'])) or 'its beginning'}: {first['msg']}")
