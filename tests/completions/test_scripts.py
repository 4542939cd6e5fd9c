import json
import subprocess
from pathlib import Path

import pytest

from tests.support.radar import run_radar
from tests.support.requirements import require_program

_FOLDER = Path(__file__).parents[2] / "completions"
FILES = {"bash": "radar.bash", "zsh": "_radar", "fish": "radar.fish"}


@pytest.mark.parametrize("shell", FILES)
def test_it_prints_the_file_that_packagers_install(shell: str) -> None:
    done = run_radar("completion", shell)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == (_FOLDER / FILES[shell]).read_bytes()


def test_it_prints_json_too() -> None:
    data = json.loads(run_radar("completion", "fish", "--json").stdout)["data"]
    assert data == {"shell": "fish", "script": (_FOLDER / "radar.fish").read_text()}


@pytest.mark.parametrize("words", [(), ("tcsh",), ("words",)])
def test_it_knows_three_shells(words: tuple[str, ...]) -> None:
    done = run_radar("--no-color", "completion", *words, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("shell", FILES)
def test_its_shell_can_parse_it(shell: str) -> None:
    words = [require_program(shell), "-n", str(_FOLDER / FILES[shell])]
    done = subprocess.run(words, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
