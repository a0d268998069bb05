"""The name and the dependencies of the distribution: `streamcore` on the package index is somebody else's project."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
WORKFLOWS = ROOT / ".github" / "workflows"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TEXTS = [
    *ROOT.glob("*.*"),
    ROOT / ".ci" / "run",
    *(
        path
        for folder in ("streamcore", "tests", "benchmarks", "fixtures")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".md", ".toml") and "node_modules" not in path.parts
    ),
]


def test_the_distribution_has_a_name_of_its_own() -> None:
    assert PROJECT["name"] == "streamcore-messages"


def test_no_text_names_the_other_project_as_something_to_install() -> None:
    # As a requirement, `streamcore` would have extras, a version or a URL after it, or an install command before it.
    named = re.compile(r"""install[ \w.-]*\s['"]?streamcore(?![\w-])|['"]streamcore\s*(\[[a-z]|[=<>~!]=|@ )""")
    assert len(TEXTS) > 200
    found = [
        f"{path}:{number}"
        for path in TEXTS
        if path.is_file() and path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if named.search(line)
    ]
    assert found == []
    assert named.search("pip install 'streamcore[cli]'")
    assert named.search("pip install streamcore")
    assert not named.search("pip install 'streamcore-messages[cli]'")


def test_extras_refer_to_this_project_and_to_extras_that_exist() -> None:
    extras = PROJECT["optional-dependencies"]
    for requirements in extras.values():
        for requirement in map(Requirement, requirements):
            assert requirement.name != "streamcore"
            if requirement.name == PROJECT["name"]:
                assert requirement.extras <= extras.keys()


def test_those_who_work_on_it_get_every_extra() -> None:
    extras = PROJECT["optional-dependencies"]
    for name in ("docs", "dev"):
        own = next(each for each in map(Requirement, extras[name]) if each.name == PROJECT["name"])
        assert extras.keys() - {"bench", "fuzz", "ecosystem", "docs", "dev"} <= own.extras, name


def test_the_readme_has_a_row_for_each_extra() -> None:
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("| extra |")[2].partition("\n\n")[0]
    first_cells = [row.split("|")[1] for row in table.splitlines()[2:]]
    named = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    assert named == PROJECT["optional-dependencies"].keys()


def test_the_linters_and_what_tests_compare_with_are_pinned() -> None:
    extras = PROJECT["optional-dependencies"]
    pinned = {
        requirement.name
        for requirement in map(Requirement, [*extras["bench"], *extras["dev"]])
        if [specifier.operator for specifier in requirement.specifier] == ["=="]
    }
    assert {"anthropic", "httpx", "httpx2", "httpx-sse", "jiter", "orjson", "pydantic", "vcrpy"} <= pinned
    assert {"mypy", "pyright", "ruff"} <= pinned


def test_a_release_is_published_only_after_all_checks_of_ci() -> None:
    jobs = yaml.safe_load((WORKFLOWS / "release.yml").read_text(encoding="utf-8"))["jobs"]
    assert jobs["checks"]["uses"] == "./.github/workflows/ci.yml"
    assert "checks" in jobs["publish"]["needs"]
    # YAML reads the key `on` as true.
    assert "workflow_call" in yaml.safe_load((WORKFLOWS / "ci.yml").read_text(encoding="utf-8"))[True]
