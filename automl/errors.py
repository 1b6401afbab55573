"""The two ways a run ends early on purpose. Everything else that is raised is a defect of ours."""


class BadInput(Exception):
    """Something the person who asked can mend. The text is shown as it is: one sentence that names the row, column or option and the limit."""

    def __init__(self, sentence: str, *, pointer: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.pointer = pointer
        """Where in the spec the fault lies, as a JSON pointer (``/sensitive/0``); None where it lies in the table."""


class Stopped(Exception):
    """The person asked to cancel; nothing is written after it."""
