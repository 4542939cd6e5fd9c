"""A safe upgrade: beside what is there, then the link is switched; no start fails meanwhile."""

import subprocess
import threading
import venv
from pathlib import Path

import pytest

import radar_cli
from tests.support.depth import depth
from tests.support.radar import environment


def make_radar(folder: Path, version: str) -> Path:
    """An environment with a radar of that version, made of the installed one; its `radar`."""
    venv.create(folder, symlinks=True)
    [site] = folder.glob("lib/python3*/site-packages")
    packages = Path(radar_cli.__path__[0])
    for path in packages.parent.iterdir():
        if path.name != "radar_cli" and not path.name.endswith(".pth"):
            (site / path.name).symlink_to(path)
    subprocess.run(["cp", "-r", str(packages), str(site / "radar_cli")], check=True)
    init = site / "radar_cli/__init__.py"
    text = init.read_text()
    assert f'__version__ = "{radar_cli.__version__}"' in text
    init.write_text(text.replace(radar_cli.__version__, version))
    (folder / "bin/radar").write_text(
        f"#!{folder}/bin/python\nimport sys\nfrom radar_cli.launch.command import main\n"
        "sys.exit(main())\n"
    )
    (folder / "bin/radar").chmod(0o755)
    return folder / "bin/radar"


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_no_start_fails_while_radar_is_upgraded(tmp_path: Path) -> None:
    count = depth(20, 500)
    env = environment(measured=False)
    versions = ["1.0.0", "1.0.1"]
    radars = [make_radar(tmp_path / version, version) for version in versions]
    link = tmp_path / "link/radar"
    subprocess.run([str(radars[0]), "link", str(link)], env=env, check=True, capture_output=True)
    problems: list[str] = []
    seen: list[str] = []
    starts = 0

    def start_jobs() -> None:
        nonlocal starts
        while starts < count:
            starts += 1
            words = [str(link), "run", "job", "--no-output", "--", "sh", "-c", "exit 7"]
            done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
            if (done.returncode, done.stderr) != (7, ""):
                problems.append(f"{done.returncode} {done.stderr}")
            shown = subprocess.run(
                [str(link), "--version"], env=env, capture_output=True, text=True, check=False
            )
            seen.append(shown.stdout.strip())

    workers = [threading.Thread(target=start_jobs) for _ in range(2)]
    for worker in workers:
        worker.start()
    switches = 0
    while any(worker.is_alive() for worker in workers):
        switches += 1
        words = [str(radars[switches % 2]), "link", str(link)]
        subprocess.run(words, env=env, check=True, capture_output=True)
    for worker in workers:
        worker.join()
    assert problems == []
    assert set(seen) == {f"radar {version}" for version in versions}
    assert (starts >= count, switches > 1) == (True, True)
