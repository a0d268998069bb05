"""Each example in the documents runs as it is printed, and each file and link that they name exists."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from guides import DOCUMENTS, FIXTURES, PACKAGE, ROOT, answered, name_of, parsed, python_examples
from server import Server, serving

from streamcore import Limits

pytest_plugins = ["pytester"]

_TEST = re.compile(r"^def test_", re.MULTILINE)
WITH_TESTS_OF_THEIR_OWN = {
    # A proxy, a certificate and streams that stall: see `aiohttp/test_aiohttp_readme.py`.
    PACKAGE / "aiohttp" / "README.md",
    # An environment with the frameworks: see `ecosystem/test_frameworks.py`.
    PACKAGE / "api" / "FRAMEWORKS.md",
    # Redis, a browser and processes that are killed: see `test_resuming.py`.
    PACKAGE / "RESUMING.md",
}
WITH_EXAMPLES = [path for path in DOCUMENTS if list(parsed(path).examples()) and path not in WITH_TESTS_OF_THEIR_OWN]


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like that of a clone, in which examples may write files."""
    shutil.copytree(FIXTURES, tmp_path / "fixtures")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving(always=answered) as server:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "key")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        yield server


@pytest.mark.usefixtures("clone", "server")
@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=name_of)
def test_the_examples_run_one_after_the_other(path: Path) -> None:
    for example in parsed(path).examples():
        # Those that are tests run in `test_the_examples_that_are_tests_pass`.
        if not _TEST.search(str(example.parsed)):
            example.evaluate()


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(example, id=f"{name_of(path)}-{number}")
        for path in WITH_EXAMPLES
        for number, example in enumerate(python_examples(path))
        if _TEST.search(example)
    ],
)
def test_the_examples_that_are_tests_pass(example: str, pytester: pytest.Pytester) -> None:
    shutil.copytree(FIXTURES, pytester.path / "fixtures")
    pytester.makeini("[pytest]\nfilterwarnings = error\naddopts = --strict-markers -p no:cacheprovider\n")
    pytester.makepyfile(test_it=example)
    outcomes = pytester.runpytest_inprocess().parseoutcomes()
    assert set(outcomes) == {"passed"}


# Names of files, and links


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_lead_to_files_and_headings(path: Path) -> None:
    text = _without_code(path.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, heading = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        assert file.exists(), f"{name_of(path)}: {target}"
        assert not heading or heading in _anchors(file), f"{name_of(path)}: {target}"


_FILE = re.compile(r"`([\w./-]+(?:\.(?:py|sse|jsonl|svg|toml|yml|yaml|md)|/))`")


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path.name != "CHANGELOG.md"], ids=name_of)
def test_the_files_that_documents_name_exist(path: Path) -> None:
    text = _without_code(path.read_text(encoding="utf-8"))
    before = path.parent
    for name in _FILE.findall(text):
        # A folder is named once for the files that follow it: `sse/_frames.py`, `_sections.py`.
        found = [place / name for place in (path.parent, ROOT, PACKAGE, before) if (place / name).exists()]
        assert found or name in _NOT_OURS, f"{name_of(path)}: {name}"
        if found:
            before = found[0] if found[0].is_dir() else found[0].parent


# Files of a program that uses streamcore, in texts about it.
_NOT_OURS = {"relay.py", "test_forecast.py", "weather.jsonl"}


def _without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def _anchors(path: Path) -> set[str]:
    """Return the names that GitHub gives to the headings of a document."""
    headings = re.findall(r"^#+ (.*)$", _without_code(path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


MAP = (PACKAGE / "README.md").read_text(encoding="utf-8").partition("## Where a new thing goes")[2]


@pytest.mark.parametrize("row", [row for row in MAP.splitlines() if row.startswith("| ")][2:])
def test_the_map_names_what_is_in_the_files(row: str) -> None:
    files: list[Path] = []
    for part in row.split(";"):
        names = re.findall(r"`(\w+)`", part)
        # A part without a file is about that of the part before it.
        named = [path for file in _FILE.findall(part) for path in (PACKAGE / file, ROOT / file) if path.is_file()]
        files = named or files
        source = "".join(path.read_text(encoding="utf-8") for path in files)
        for name in names:
            assert re.search(rf"\b{name}\b", source), f"{name} is in none of {files}"


@pytest.mark.parametrize(
    "text",
    [
        MAP.partition("### Where limits are checked today")[2],
        (PACKAGE / "EMBEDDING.md").read_text(encoding="utf-8").partition("## Limits")[2],
    ],
    ids=["map", "guide"],
)
def test_the_tables_of_limits_have_each_limit(text: str) -> None:
    rows = [row.split("|") for row in text.splitlines() if row.startswith("| `max_")]
    assert sorted(row[1].strip(" `") for row in rows) == sorted(field.name for field in attrs.fields(Limits))


def test_the_guide_says_the_defaults_of_the_limits() -> None:
    text = (PACKAGE / "EMBEDDING.md").read_text(encoding="utf-8")
    for name, value in attrs.asdict(Limits()).items():
        shown = f"{value // 1024**2} MB" if name.endswith("_size") else f"{value:,}"
        assert f"| `{name}` | {shown} |" in text


def test_each_guide_is_linked_from_the_readme_or_the_map() -> None:
    linked = {
        (page.parent / target).resolve()
        for page in (ROOT / "README.md", PACKAGE / "README.md")
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    }
    assert [name_of(path) for path in PACKAGE.rglob("*.md") if path.resolve() not in linked] == []
