"""Completions as a person meets them: in a real bash, zsh and fish."""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.completions.cases import CASES, MONITORS, Case
from tests.completions.shells import SOURCED, Shell
from tests.support import docs
from tests.support.radar import radar_path

SHELLS = tuple(SOURCED)
# fish is asked by `complete --do-complete`; the other two have a keyboard.
TYPED_INTO = ("bash", "zsh")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PLANTED = """#!{python}
import sys
from radar_cli.cli.commands import COMMANDS
from radar_cli.wrap import options
options.TABLE += (("--planted", "text", "seed|tree", "planted by a test"),)
COMMANDS["plant"] = COMMANDS["status"]
from radar_cli.launch.command import main
sys.exit(main())
"""


def find_wrong(shell: Shell, cases: Sequence[Case] = CASES) -> str:
    """What is offered and mustn't be, or is missing, a line for each case."""
    wrong = []
    # What offers nothing comes last: after that, bash 5.2 inserts a single word instead of a list.
    for case in sorted(cases, key=lambda case: not case.offered):
        words = shell.offered(case.typed)
        missing = sorted(set(case.offered) - words)
        unwanted = sorted(set(case.withheld) & words)
        if missing or unwanted:
            wrong.append(f"{case.typed!r}: {missing=} {unwanted=} in {sorted(words)[:20]}")
    return "\n".join(wrong)


@pytest.mark.parametrize("name", SHELLS)
def test_it_offers_what_may_come_next(name: str, home: Path, world: Path, state_dir: Path) -> None:
    before = _contents(state_dir)
    assert find_wrong(Shell(name, home, SOURCED[name])) == ""
    assert _contents(state_dir) == before
    assert not (world / "asked-for-the-secret").exists()


@pytest.mark.parametrize("name", ["zsh", "fish"])
def test_it_shows_what_an_option_means(name: str, home: Path) -> None:
    shell = Shell(name, home, SOURCED[name], VERBOSE="1")
    (line,) = [line for line in shell.listed("radar run --qu") if "--quiet" in line]
    assert "Show the output only if the job fails" in line


@pytest.mark.parametrize("name", SHELLS)
def test_it_follows_the_tables_without_a_change_of_the_scripts(name: str, home: Path) -> None:
    program = home / "bin/radar"
    program.parent.mkdir()
    program.write_text(PLANTED.format(python=sys.executable))
    program.chmod(0o755)
    cases = [
        Case("radar pl", ("plant",)),
        Case("radar plant --verb", ("--verbose",)),
        Case("radar run --pl", ("--planted",)),
        Case("radar run --planted ", ("seed", "tree")),
        # The one that is typed is asked, not the one in PATH.
        Case("~/bin/radar run --pl", ("--planted",)),
        Case("radar run --planted seed backup --pl", (), ("--planted",)),
        Case(f"{radar_path()} run --pl", (), ("--planted",)),
    ]
    assert find_wrong(Shell(name, home, SOURCED[name]), cases) == ""


@pytest.mark.parametrize("name", SHELLS)
@pytest.mark.parametrize("damage", ["broken config", "broken store", "no radar"])
def test_it_stays_silent_whatever_is_broken(
    name: str, damage: str, home: Path, world: Path, state_dir: Path
) -> None:
    del world
    shell = Shell(name, home, SOURCED[name])
    if damage == "broken config":
        Path(os.environ["RADAR_CONFIG"]).write_text("[[[")
    elif damage == "broken store":
        (state_dir / "radar.db").write_bytes(b"no database" * 1000)
    else:
        shell = Shell(name, home, SOURCED[name].replace("radar", str(radar_path()), 1), PATH="")
    for typed in ("radar run only", "radar status only", "radar config get se", "radar run --to "):
        shell.listed(typed)
        assert not re.search("radar|error|found|Traceback|line", shell.seen), typed


@pytest.mark.parametrize("name", TYPED_INTO)
def test_it_completes_at_tab(name: str, home: Path, world: Path) -> None:
    del world
    shell = Shell(name, home, SOURCED[name])
    assert shell.run("radar con\tge\tping_t\t") == "10s"
    assert shell.run("radar run --lock=sk\tonly\t-- myto\tal\t") == "did alpha"
    assert shell.run("radar run --lock 'sk\tonly\tmyto\tbe\t") == "did beta"
    # What is behind the cursor (^B: one back) counts for nothing.
    assert shell.run("radar confi get tail\x01" + "\x06" * 11 + "\t") == "10000"


@pytest.mark.parametrize("name", TYPED_INTO)
def test_it_completes_behind_other_commands(name: str, home: Path, world: Path) -> None:
    del world
    shell = Shell(name, home, SOURCED[name])
    cases = [
        Case("true; radar run ", MONITORS),
        Case("VARIABLE=1 radar run ", MONITORS),
        Case("true | command radar run --lock=", ("skip", "wait", "fail")),
    ]
    assert find_wrong(shell, cases) == ""


def test_it_does_without_bash_completion(home: Path, world: Path) -> None:
    del world
    forget = "unset -f $(compgen -A function | grep -v '^_radar'); complete -r; "
    shell = Shell("bash", home, forget + SOURCED["bash"])
    cases = [
        Case("radar run ", MONITORS),
        Case("radar run --lock=s", ("skip",), ("wait",)),
        Case("radar run backup-db myto", ("mytool",)),
        Case("radar run backup-db -- mytool no", ("notes.txt",)),
        Case("radar config set ca_file no", ("notes.txt",)),
    ]
    assert find_wrong(shell, cases) == ""


@pytest.mark.parametrize("name", SHELLS)
def test_the_documented_line_installs_it(name: str, home: Path, world: Path) -> None:
    del world
    (line,) = re.findall(
        rf"^\| {name} \| `(.*)` \|$", docs.page("reference/commands"), re.MULTILINE
    )
    plain = Shell(name, home, "")
    assert not set(MONITORS) & plain.offered("radar run ")
    plain.carry_out(line)
    again = Shell(name, home, None)
    assert find_wrong(again, [Case("radar run ", MONITORS)]) == ""


def _contents(directory: Path) -> dict[str, bytes]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in files}


@pytest.mark.parametrize("name", SHELLS)
def test_it_offers_nothing_where_there_is_nothing_yet(name: str, home: Path) -> None:
    shell = Shell(name, home, SOURCED[name])
    cases = [
        Case("radar pause --", ("--for", "--tag"), ("words",)),
        Case("radar mon", ("monitors",), ("words",)),
        # The empty store: an empty answer has but the word that says what it is.
        *(
            Case(f"radar {words} ", (), ("words", "run", "files"))
            for words in ("status", "monitors pause", "run", "pause", "notify test")
        ),
    ]
    assert find_wrong(shell, cases) == ""
    assert shell.offered("radar status ") == set()
