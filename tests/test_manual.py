"""The reference and the man pages are those that the command table makes."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from radar_cli.cli.commands import COMMANDS
from tests import manual, pictures
from tests.support import docs


@pytest.mark.slow
def test_the_pages_are_current(tmp_path: Path) -> None:
    manual.main(tmp_path)
    made = {path.relative_to(tmp_path) for path in tmp_path.rglob("*.*") if path.is_file()}
    assert made >= {Path("man/radar.1"), *(Path(f"man/radar-{name}.1") for name in COMMANDS)}
    for name in made:
        hint = "python -m tests.manual makes it anew"
        assert (tmp_path / name).read_text() == (docs.CHECKOUT / "docs" / name).read_text(), hint
    kept = docs.CHECKOUT / "docs/man"
    assert {path.name for path in kept.iterdir()} == {n.name for n in made if n.suffix == ".1"}


@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff here")
def test_groff_has_nothing_to_say_of_the_man_pages() -> None:
    pages = sorted(map(str, (docs.CHECKOUT / "docs/man").iterdir()))
    words = ["groff", "-man", "-Tutf8", "-ww", "-z", *pages]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_readme_is_a_page_whose_links_lead_somewhere() -> None:
    assert len(docs.README.splitlines()) <= 200
    targets = re.findall(r"""(?:\]\(|src="|srcset=")([^)":#]+)""", docs.README)
    assert targets
    for target in targets:
        assert (docs.CHECKOUT / target).exists(), target


def test_the_drawing_of_lateness_is_current() -> None:
    for name, colors in (("lateness", pictures.LIGHT), ("lateness-dark", pictures.DARK)):
        kept = (docs.CHECKOUT / f"docs/pictures/{name}.svg").read_text()
        assert kept == pictures.draw_lateness(colors)
