"""What a verification found."""

from __future__ import annotations

from dataclasses import dataclass, field

from laura_fast.limits.storage import MAX_FINDINGS


@dataclass(slots=True)
class Report:
    """Counts of what was checked, and what is wrong.

    Attributes:
        documents: Records whose content, key and index entries were checked.
        entries: Index entries whose documents were checked.
        images: Old images that were checked.
        oplog: Oplog entries that were checked.
        outcomes: Outcomes of requests that were checked.
        replayed: Whether the log reached back to its beginning and was replayed on an empty engine.
        findings: One sentence each; at most `MAX_FINDINGS`.
        more: Findings beyond those.
        finished: Whether everything was checked.
    """

    documents: int = 0
    entries: int = 0
    images: int = 0
    oplog: int = 0
    outcomes: int = 0
    replayed: bool = False
    findings: list[str] = field(default_factory=list)
    more: int = 0
    finished: bool = False

    def found(self, finding: str) -> None:
        """Notes something wrong."""
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(finding)
        else:
            self.more += 1

    @property
    def sound(self) -> bool:
        """Nothing is wrong."""
        return self.finished and not self.findings
