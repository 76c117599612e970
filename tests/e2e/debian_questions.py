"""Ten questions about Debian's package index, put to our command line and answered beside it in plain Python.

``python -m tests.e2e.debian_questions --packages packages.jsonl --out raw.json`` with the file that
`tests.e2e.debian_index` makes of ``apt-cache dumpavail``. The test suite asks the same of `examples/`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec
import orjson

from bench.rivals.session import commit
from laura_fast.report.raw.record import Record
from tests.e2e.processes import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Package = dict[str, Any]
NAMESPACE: Final = "debian.packages"
INDEXES: Final = ("Package", "Section,-Size,Package", "Depends", '{"Size": -1, "Package": 1}')
ONE_PAGE: Final = 1_000
"""Documents that a server answers at once."""
COLUMNS: Final = ["what", "how", "answer", "seconds", "with indexes", "as in Python"]
CAVEATS: Final = [
    "Seconds are those of the whole command, Python's start of about half a second and the printing included.",
    "The last question is asked with indexes only: a sort that no index gives is done anew for each of many pages.",
    "Python's own answers are computed from the parsed file, by code that shares nothing with the server.",
]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, as a command, and what Python answers from the packages of the file.

    `paged`: the answer has many pages, for each of which a server without an index sorts anew.
    """

    text: str
    command: tuple[str, ...]
    expected: Callable[[list[Package]], list[Any]]
    paged: bool = False


def count(packages: list[Package]) -> list[Any]:
    return [{"packages": len(packages)}]


def sections(packages: list[Package]) -> list[Any]:
    counted = Counter(package["Section"] for package in packages)
    ranked = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return [{"_id": section, "packages": number} for section, number in ranked]


def largest(packages: list[Package]) -> list[Any]:
    ranked = sorted(packages, key=lambda package: (-package.get("Size", -1), package["Package"]))
    return [{"Package": package["Package"], "Size": package["Size"]} for package in ranked[:10]]


def architectures(packages: list[Package]) -> list[Any]:
    sizes: dict[str, list[int]] = defaultdict(list)
    for package in packages:
        if "Installed-Size" in package:
            sizes[package["Architecture"]].append(package["Installed-Size"])
    return [
        {"_id": name, "sum": sum(each), "mean": sum(each) / len(each), "least": min(each), "most": max(each)}
        for name, each in sorted(sizes.items())
    ]


def python_modules(packages: list[Package]) -> list[Any]:
    names = (package["Package"] for package in packages)
    return [{"Package": name} for name in sorted(names) if name.startswith("python3-")]


def databases(packages: list[Package]) -> list[Any]:
    names = sorted(package["Package"] for package in packages)
    found = [name for name in names if "sql" in name.lower() and not re.search("-(dev|doc)$", name)]
    return [{"Package": name} for name in found]


def on_libc(packages: list[Package]) -> list[Any]:
    held = [package for package in packages if any(need.split()[0] == "libc6" for need in package.get("Depends", ()))]
    return [{"packages": len(held)}]


def homeless(packages: list[Package]) -> list[Any]:
    left = ("libs", "libdevel")
    counted = Counter(
        package["Section"]
        for package in packages
        if "Homepage" not in package and package["Priority"] == "optional" and package["Section"] not in left
    )
    return [{"_id": section, "packages": counted[section]} for section in sorted(counted)]


def tags(packages: list[Package]) -> list[Any]:
    counted = Counter(tag for package in packages for tag in package.get("Tag", ()))
    ranked = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return [{"_id": tag, "packages": number} for tag, number in ranked[:10]]


def middling(packages: list[Package]) -> list[Any]:
    chosen = [package for package in packages if 10_000 <= package.get("Size", 0) < 1_000_000]
    chosen.sort(key=lambda package: (package["Section"], -package["Size"], package["Package"]))
    return [
        {"Section": package["Section"], "Size": package["Size"], "Package": package["Package"]} for package in chosen
    ]


def stages(*each: Any) -> tuple[str, ...]:
    return "aggregate", NAMESPACE, json.dumps(each)


QUESTIONS: Final = (
    Question("How many packages are there?", stages({"$count": "packages"}), count),
    Question(
        "How many are in each section, the largest first?",
        stages({"$group": {"_id": "$Section", "packages": {"$sum": 1}}}, {"$sort": {"packages": -1, "_id": 1}}),
        sections,
    ),
    Question(
        "Which ten are the largest to download?",
        ("find", NAMESPACE, "--sort", "-Size,Package", "--limit", "10", "-p", "Package,Size,-_id"),
        largest,
    ),
    Question(
        "What do the packages of each architecture take when installed?",
        stages(
            {"$match": {"Installed-Size": {"$exists": True}}},
            {
                "$group": {
                    "_id": "$Architecture",
                    "sum": {"$sum": "$Installed-Size"},
                    "mean": {"$avg": "$Installed-Size"},
                    "least": {"$min": "$Installed-Size"},
                    "most": {"$max": "$Installed-Size"},
                }
            },
            {"$sort": {"_id": 1}},
        ),
        architectures,
    ),
    Question(
        "Which are modules of Python 3, by their name's beginning?",
        ("find", NAMESPACE, '{"Package": {"$regex": "^python3-"}}', "--sort", "Package", "-p", "Package,-_id"),
        python_modules,
    ),
    Question(
        "Whose name speaks of SQL, in whatever case, and is neither for developers nor documentation?",
        (
            "find",
            NAMESPACE,
            '{"Package": {"$regex": "SQL", "$options": "i", "$not": {"$regex": "-(dev|doc)$"}}}',
            "--sort",
            "Package",
            "-p",
            "Package,-_id",
        ),
        databases,
    ),
    Question(
        "How many depend on libc6 directly?",
        stages({"$match": {"Depends": {"$regex": "^libc6( |$)"}}}, {"$count": "packages"}),
        on_libc,
    ),
    Question(
        "Of what is optional and no library, what has no home page, by section?",
        stages(
            {
                "$match": {
                    "Homepage": {"$exists": False},
                    "Priority": "optional",
                    "Section": {"$nin": ["libs", "libdevel"]},
                }
            },
            {"$group": {"_id": "$Section", "packages": {"$sum": 1}}},
            {"$sort": {"_id": 1}},
        ),
        homeless,
    ),
    Question(
        "Which ten tags are the most frequent?",
        stages(
            {"$unwind": "$Tag"},
            {"$group": {"_id": "$Tag", "packages": {"$sum": 1}}},
            {"$sort": {"packages": -1, "_id": 1}},
            {"$limit": 10},
        ),
        tags,
    ),
    Question(
        "What takes 10 kB to 1 MB to download, by section, the largest first, page after page?",
        (
            "find",
            NAMESPACE,
            '{"Size": {"$gte": 10000, "$lt": 1000000}}',
            "--sort",
            "Section,-Size,Package",
            "-p",
            "Section,Size,Package,-_id",
        ),
        middling,
        paged=True,
    ),
)


def run(server: str, *arguments: str) -> tuple[str, float]:
    """A command's output and the seconds it took."""
    began = time.monotonic()
    command = [sys.executable, "-m", "laura_fast", *arguments, "--server", server]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, time.monotonic() - began


def ask(server: str, question: Question) -> tuple[list[Any], float]:
    """The answer's documents and the seconds it took."""
    output, seconds = run(server, *question.command, "-o", "json", "--timeout", "5m")
    return [json.loads(line) for line in output.splitlines()], seconds


def load(server: str, file: Path) -> tuple[dict[str, Any], float]:
    """Imports the packages under their names."""
    flags = ("-n", NAMESPACE, "--id-field", "Package", "-o", "json")
    output, seconds = run(server, "import", str(file), *flags)
    told: dict[str, Any] = json.loads(output)
    return told, seconds


def exported(server: str, file: Path) -> tuple[list[Package], float]:
    """All packages as an export has them, in the order of their names."""
    _, seconds = run(server, "export", NAMESPACE, "--out", str(file), "--sort", "_id", "-p", "-_id")
    return read(file), seconds


def read(file: Path) -> list[Package]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def build_indexes(server: str) -> float:
    return sum(run(server, "index", "create", NAMESPACE, fields)[1] for fields in INDEXES)


def rows(server: str, file: Path, scratch: Path) -> Iterator[list[str]]:
    """The table, row by row: import, import again, export, indexes, and the ten questions."""
    packages = read(file)
    everything = f"{len(packages):,}"
    told, seconds = load(server, file)
    yield [
        "Import the file",
        "import",
        f"{told['inserted']:,} inserted",
        f"{seconds:.1f}",
        "",
        verdict(told["inserted"] == len(packages)),
    ]
    told, seconds = load(server, file)
    good = (told["inserted"], told["already_there"]) == (0, len(packages))
    yield ["Import it again", "import", f"{told['already_there']:,} already there", f"{seconds:.1f}", "", verdict(good)]
    back, seconds = exported(server, scratch / "out.jsonl")
    same = back == sorted(packages, key=lambda package: package["Package"])
    yield [
        "Export everything and compare",
        "export",
        f"{len(back):,} of {everything}",
        f"{seconds:.1f}",
        "",
        verdict(same),
    ]
    once = [question for question in QUESTIONS if not question.paged or len(packages) <= ONE_PAGE]
    plain = {question.text: ask(server, question) for question in once}
    seconds = build_indexes(server)
    yield ["Build four indexes", "index create", ", ".join(INDEXES), f"{seconds:.1f}", "", ""]
    for question in QUESTIONS:
        answer, quick = ask(server, question)
        before, slow = plain.get(question.text, (answer, None))
        right = answer == before == question.expected(packages)
        seconds_before = "" if slow is None else f"{slow:.1f}"
        yield [question.text, question.command[0], brief(answer), seconds_before, f"{quick:.1f}", verdict(right)]
    output, seconds = run(server, "verify", "--timeout", "10m")
    told_all, _, found = output.strip().partition(" checked: ")
    yield [
        "Check all of it",
        "verify",
        f"{told_all}: {found}",
        "",
        f"{seconds:.1f}",
        verdict(found == "everything agrees"),
    ]


def verdict(good: bool) -> str:
    return "yes" if good else "NO"


def brief(answer: list[Any]) -> str:
    """The only value, or how many there are and the first."""
    if len(answer) == 1 and len(answer[0]) == 1:
        return f"{next(iter(answer[0].values())):,}"
    first = " ".join(str(value) for value in answer[0].values()) if answer else ""
    return f"{len(answer):,}: {first}, …"


@click.command(help=__doc__)
@click.option("--packages", type=click.Path(path_type=Path, exists=True), default="examples/debian-packages.jsonl")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Raw file to write.")
def main(packages: Path, out: Path | None) -> None:
    """Asks everything of a fresh server; exit code 1 where an answer differs."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="laura-fast-debian-") as scratch:
        server = ServerProcess(Path(scratch), "--request-timeout", "5m")
        table = []
        try:
            for row in rows(server.address, packages, Path(scratch)):
                print(" | ".join(row), flush=True)
                table.append(row)
        finally:
            server.terminate()
    if out:
        kept = record(table, time.monotonic() - began)
        out.write_bytes(orjson.dumps(msgspec.to_builtins(kept), option=orjson.OPT_INDENT_2))
    sys.exit(1 if any(row[-1] == "NO" for row in table) else 0)


def record(table: list[list[str]], seconds: float) -> Record:
    """The table as `python -m laura_fast report` takes it."""
    return Record(
        title="Debian's package index: ten questions",
        command="apt-cache dumpavail | python -m tests.e2e.debian_index >packages.jsonl; "
        "python -m tests.e2e.debian_questions --packages packages.jsonl",
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        commit=commit(),
        seconds=seconds,
        columns=COLUMNS,
        rows=table,
        caveats=CAVEATS,
    )


if __name__ == "__main__":
    main()
