"""The README tells the truth: its settings, its folders, its commands."""

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest
import typer

from cli.main import tree

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text()
CHINESE = (ROOT / "README.zh.md").read_text()


def between(mark: str) -> str:
    found = re.search(rf"<!-- {mark} -->\n(.*?)<!-- /{mark} -->", README, re.DOTALL)
    assert found is not None
    return found[1]


def folders_in_tree() -> set[str]:
    found, above = set(), ""
    for line in between("tree").splitlines():
        entry = re.match(r"( *)(\w+)/ ", line)
        if entry and not entry[1]:
            above = entry[2]
            found.add(above)
        elif entry:
            found.add(f"{above}/{entry[2]}")
    return found


def folders_in_git() -> set[str]:
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    parents = {Path(name).parent for name in listing.splitlines()}
    return {"/".join(path.parts[:2]) for path in parents if path.parts} | {
        path.parts[0] for path in parents if path.parts
    }


def test_the_settings_table_is_the_one_of_the_code() -> None:
    spec = importlib.util.spec_from_file_location("settings_table", ROOT / "scripts/settings_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert between("settings").strip() == module.table(), "run `python scripts/settings_table.py` and paste its output"


def test_every_folder_of_the_tree_exists() -> None:
    assert {name for name in folders_in_tree() if not (ROOT / name).is_dir()} == set()


def test_every_folder_that_exists_is_in_the_tree() -> None:
    shown = {name for name in folders_in_git() if not name.startswith((".", "tests/", "bench/", "docs/"))}
    assert shown - folders_in_tree() == set()


@pytest.mark.parametrize("text", [README, CHINESE], ids=["README.md", "README.zh.md"])
def test_every_command_that_is_shown_exists(text: str) -> None:
    group = typer.main.get_command(tree(()))
    assert hasattr(group, "commands")
    shown = set(re.findall(r"`(?:\.venv/bin/)?hotline (\w+)|^\.venv/bin/hotline (\w+)", text, re.MULTILINE))
    assert {first or second for first, second in shown} <= set(group.commands)


@pytest.mark.parametrize("text", [README, CHINESE], ids=["README.md", "README.zh.md"])
def test_every_make_target_that_is_shown_exists(text: str) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = set(re.findall(r"(?:`|^)make (\w+)", text, re.MULTILINE))
    assert {"run", "test"} <= shown <= targets


@pytest.mark.parametrize("text", [README, CHINESE], ids=["README.md", "README.zh.md"])
def test_every_link_leads_somewhere(text: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (ROOT / target).exists(), target


def test_every_decision_is_listed_with_its_title() -> None:
    folder = ROOT / "docs/adr"
    listing = (folder / "README.md").read_text()
    for decision in folder.glob("0*.md"):
        title = decision.read_text().splitlines()[0].removeprefix("# ")
        assert f"[{title}]({decision.name})" in listing
