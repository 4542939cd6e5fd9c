"""What ARCHITECTURE.md names is there, and each room is named."""

import re
from pathlib import Path

from tests.benchmarks.ways import Walker, files_of, split, walk_run

_CHECKOUT = Path(__file__).parent.parent
_TEXT = (_CHECKOUT / "ARCHITECTURE.md").read_text()
_WORDS = (
    *("monitor", "run", "ping", "schedule", "slot", "grace", "deadline", "hung", "flip", "notice"),
    *("outbox", "destination", "outage", "fault", "finding", "channel", "profile"),
)
_IN_THE_STATE_DIRECTORY = {"spool/store/", "spool/DESTINATION/", "crontab/backups/"}
_NO_ROOMS = {"__pycache__"}


def _section(title: str) -> str:
    found = _TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    assert found, title
    return found


def _rooms() -> dict[str, str]:
    """What is said of each room, by its name."""
    entries = re.findall(r"^- \*\*(\w+)\*\* (.*?)(?=^- |^$)", _section("The rooms"), re.M | re.S)
    return dict(entries)


def _is_there(path: str, folders: list[Path]) -> bool:
    return any((folder / path).exists() for folder in folders)


def test_it_names_each_room_and_no_other() -> None:
    package = _CHECKOUT / "radar_cli"
    rooms = {path.name for path in package.iterdir() if path.is_dir()} - _NO_ROOMS
    assert set(_rooms()) == rooms | {"sdk"}


def test_each_file_of_a_room_is_there() -> None:
    for room, text in _rooms().items():
        named = re.findall(r"`([\w./]+(?:\.py|/))`", text)
        assert named, room
        folders = [_CHECKOUT, _CHECKOUT / "radar_cli" / room]
        folders += [path for path in folders[1].rglob("*") if path.is_dir()]
        missing = [path for path in named if not _is_there(path, folders)]
        assert missing == [], room


def test_each_path_is_there() -> None:
    """In the diagrams and tables, paths start at the checkout, at radar_cli or at its room."""
    rest = _TEXT.replace(_section("The rooms"), "")
    paths = set(re.findall(r"(?<![\w~./-])((?:\w+/)+(?:\w+\.py)?)(?![\w./])", rest))
    assert len(paths) > 50
    missing = [p for p in paths if not _is_there(p, [_CHECKOUT, _CHECKOUT / "radar_cli"])]
    assert set(missing) == _IN_THE_STATE_DIRECTORY


def test_each_file_that_stands_alone_is_there() -> None:
    """`signals.py` behind `wrap/run.py` stands for one in any room."""
    names = {path.name for path in (_CHECKOUT / "radar_cli").rglob("*.py")}
    names |= {path.name for path in (_CHECKOUT / "tests").rglob("*.py")}
    named = set(re.findall(r"(?<![\w./])(\w+\.py)", _TEXT))
    assert len(named) > 20
    assert named <= names


def test_each_name_is_defined_where_it_says() -> None:
    named = re.findall(r"`(\w+)` in `([\w/]+\.py)`", _TEXT)
    assert named
    for name, path in named:
        definition = rf"^(def {name}\(|{name} = )"
        assert re.search(definition, (_CHECKOUT / path).read_text(), re.MULTILINE), name


def test_the_glossary_has_all_words_each_once() -> None:
    words = re.findall(r"^\| ([a-z]+) \| .+ \| `.+` \|$", _section("Glossary"), re.M)
    assert sorted(words) == sorted(_WORDS)


def test_it_has_each_law() -> None:
    contracts = (_CHECKOUT / "pyproject.toml").read_text().count("[[tool.importlinter.contracts]]")
    laws = re.findall(r"^\d\. ", _section("The laws"), re.M)
    assert len(laws) == contracts


def test_a_run_writes_files_and_no_row(tmp_path: Path) -> None:
    calls, loaded = split(walk_run(Walker(tmp_path, None)))
    entered, loaded_files = files_of(calls), files_of(loaded)
    assert {"launch/command.py", "wrap/run.py", "outbox/spool.py"} <= set(entered)
    assert set(entered) <= set(loaded_files)
    rooms = {path.partition("/")[0] for path in loaded_files} - {"__init__.py"}
    assert rooms == {"launch", "wrap", "core", "delivery", "outbox", "model"}
    assert len(list((tmp_path / "state/spool/store").glob("*.ping"))) == 4
    assert not list((tmp_path / "state").glob("radar.db*"))


def test_comments_name_files_that_are_there() -> None:
    """A file that is named elsewhere, too, has moved along."""
    path = re.compile(r"(?<![\w/.-])(?:radar_cli|tests|completions)/[\w/]+\.\w+")
    missing = set()
    for folder in ("radar_cli", "tests", "completions"):
        for source in (_CHECKOUT / folder).rglob("*"):
            if source.suffix in (".py", "", ".bash", ".fish", ".html") and source.is_file():
                named = path.findall(source.read_text(errors="replace"))
                missing |= {
                    (source.name, each) for each in named if not _is_there(each, [_CHECKOUT])
                }
    assert missing == set()
