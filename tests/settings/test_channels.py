"""The `[notify.NAME]` tables: what they may hold, which one wins, and what is wrong with one."""

from pathlib import Path

import pytest

from radar_cli.core.errors import ConfigError
from radar_cli.settings.channels import ChannelTable, read_channels
from radar_cli.settings.profiles import Config
from tests.settings.conftest import Loader

HOOK = "[notify.chat]\nwebhook = 'https://chat.example/TOKEN'\n"


def only(config: Config) -> ChannelTable:
    (table,) = read_channels(config)
    return table


def test_it_reads_each_kind_of_channel(load_with: Loader) -> None:
    config = load_with(
        """
        [notify.pager]
        command = ["/usr/local/bin/page", "--loud"]
        on = ["down"]
        tags = ["db", "web"]

        [notify.chat]
        webhook = "https://chat.example:8443/hook?a=1"
        secret = "s3cret"
        headers = { Authorization = "Bearer x" }
        ca_file = "ca.pem"

        [notify.ops]
        email = ["ops@example.com", "root"]
        from = "radar@example.com"
        smtp = "smtp+starttls://ann%40example.com@mail.example"
        password = "correct horse"

        [notify.local]
        email = "root"
        sendmail = "~/bin/sendmail"

        [notify.phone]
        apprise = ["ntfy://topic", "file:urls"]
        """
    )
    tables = {table.name: table for table in read_channels(config)}
    assert config.warnings == []
    kinds = {name: table.kind for name, table in tables.items()}
    assert kinds == {
        "pager": "command",
        "chat": "webhook",
        "ops": "email",
        "local": "email",
        "phone": "apprise",
    }
    assert not any(table.fault for table in tables.values())
    assert tables["pager"].values["command"] == ["/usr/local/bin/page", "--loud"]
    assert tables["local"].values["email"] == ["root"]
    assert tables["chat"].values["headers"] == {"Authorization": "Bearer x"}


def test_it_hears_what_it_is_told_to(load_with: Loader) -> None:
    every = only(load_with(HOOK))
    assert (every.on, every.tags) == (("down", "up", "fault"), ())
    assert every.hears("down", ())
    assert every.hears("up", ("db",))
    some = only(load_with(HOOK + "on = 'down'\ntags = ['db', 'web']"))
    assert some.hears("down", ("web", "x"))
    assert not some.hears("up", ("web",))
    assert not some.hears("down", ("x",))
    assert not some.hears("down", ())
    assert some.hears("test", ())


def test_the_persons_channel_stands_over_the_systems(load_with: Loader, user_file: Path) -> None:
    system = (
        "[notify.chat]\nwebhook = 'https://a.example'\nsecret = 's'\n[notify.more]\nemail = 'r'"
    )
    config = load_with(HOOK, system)
    chat, more = read_channels(config)
    assert (chat.name, chat.file.path) == ("chat", str(user_file))
    assert chat.values == {"webhook": "https://chat.example/TOKEN"}
    assert more.name == "more"


def test_a_broken_one_of_the_person_is_not_replaced_by_the_systems(load_with: Loader) -> None:
    table = only(load_with("[notify.chat]\nwebhok = 'https://b.example'", HOOK))
    assert table.fault
    assert table.kind == ""


@pytest.mark.parametrize(
    ("lines", "warning"),
    [
        ("", "needs one of command, webhook, email, apprise"),
        ("webhook = 'https://a'\nemail = 'root'", "has webhook and email (a channel has one"),
        ("command = 'tell'", "command must be a list of words"),
        ("command = []", "command must be a list of words"),
        ("command = ['a', 1]", "command must be a list of words"),
        ("command = ['']", "command names no program"),
        ('command = ["a\\u0000b"]', "command names no program"),
        ("webhook = 'chat.example'", "webhook is no URL"),
        ("webhook = 'ftp://chat.example'", "webhook is no URL"),
        ("webhook = 'https://a b'", "webhook holds a space"),
        ("webhook = 'https://ann:pw@a.example'", "webhook holds a user or password"),
        ("webhook = 'https://a:99999'", "webhook has a bad port"),
        ("webhook = 5", "webhook must be a string"),
        ("webhook = ''", "webhook is empty"),
        ("webhook = 'https://a'\nheaders = { 'a b' = '1' }", "'a b' can't be the name of a header"),
        ("email = []", "email must be a list of strings"),
        ("email = 'ops@'", "'ops@' is no mail address"),
        ("email = '-oQ/tmp'", "'-oQ/tmp' is no mail address"),
        ("email = 'a@b, c@d'", "is no mail address"),
        ('email = "a@b\\nBcc: c@d"', "email holds a control character"),
        ("email = 'Ann <a@b>'", "is no mail address"),
        ("email = 'a@b'\nsmtp = 'mail.example'", "smtp is no URL that begins with one of smtp://"),
        ("email = 'a@b'\nsmtp = 'smtp://u:pw@h'", "smtp holds a password"),
        ("email = 'a@b'\nsmtp = 'smtp://h/x'", "something behind the host"),
        ("email = 'a@b'\nsmtp = 'smtp://h:x'", "smtp has a bad port"),
        ("email = 'a@b'\nsmtp = 'smtps://h'", "smtp needs from"),
        ("email = 'a@b'\nsmtp = 'smtps://u%40x@h'", "a user in smtp and a password need one"),
        ("email = 'a@b'\nfrom = 'r@b'\nsmtp = 'smtps://h'\nsendmail = '/x'", "smtp and sendmail"),
        (
            "email = 'a@b'\nsmtp = 'smtp://u%40x@h'\npassword = 'p'",
            "smtp would send the password for all to read (use smtp+starttls://",
        ),
        ("apprise = 'ntfy'", "apprise holds what is no URL"),
        ("apprise = []", "apprise must be a list of strings"),
    ],
)
def test_it_warns_once_of_a_channel_that_cannot_work(
    load_with: Loader, user_file: Path, lines: str, warning: str
) -> None:
    config = load_with(f"[notify.one]\n{lines}")
    assert only(config).fault
    (found,) = config.warnings
    assert found.startswith(f"{user_file}: notify.one: ")
    assert warning in found


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (HOOK + "secert = 's'", "unknown key 'notify.chat.secert' (did you mean 'secret'?)"),
        (HOOK + "zzz = 1", "unknown key 'notify.chat.zzz' (there is command, webhook,"),
        (
            HOOK + "on = ['latte']",
            "on: 'latte' is not one of down, up, late, fault, did you mean 'late'? (ignored until",
        ),
        (HOOK + "tags = 5", "tags must be a list of strings (ignored until"),
        (HOOK + "from = 'a@b'", "from means nothing to a channel of kind webhook (remove it)"),
        ("[notify.one]\nemail = 'root'\npassword = 'p'", "password has no user"),
    ],
)
def test_it_uses_a_channel_in_spite_of_a_slip(load_with: Loader, text: str, warning: str) -> None:
    config = load_with(text)
    table = only(config)
    assert table.fault == ""
    assert table.hears("down", ())
    (found,) = config.warnings
    assert warning in found


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("notify = 1", "notify must be tables (write [notify.NAME])"),
        (
            "[notify]\nwebhook = 'https://a'",
            "notify.webhook: must be a table (write",
        ),
        ("[notify.'a b']\nwebhook = 'https://a'", "bad channel name 'a b'"),
    ],
)
def test_it_warns_of_what_is_no_channel(load_with: Loader, text: str, warning: str) -> None:
    config = load_with(text)
    assert all(table.fault for table in read_channels(config))
    assert warning in config.warnings[0]


def test_pings_need_not_know_of_channels(load_with: Loader) -> None:
    config = load_with("[notify.one]\nnonsense = 1\n")
    config.profile(None, explicit=False)
    assert config.warnings == []


@pytest.mark.parametrize(
    "lines",
    [
        "webhook = 'https://a'\nsecret = 'hunter2'",
        "email = 'a@b'\nsmtp = 'smtps://u%40x@h'\npassword = 'hunter2'",
        "apprise = 'ntfys://hunter2@h/t'",
        "apprise = ['file:urls', 'ntfys://hunter2@h/t']",
    ],
)
def test_it_warns_of_a_secret_that_others_can_read(
    load_with: Loader, user_file: Path, lines: str
) -> None:
    load_with(f"[notify.one]\n{lines}")
    user_file.chmod(0o644)
    config = load_with()
    assert not only(config).fault
    (warning,) = config.warnings
    assert "holds a key and others can read it" in warning
    assert f"(chmod 600 {user_file})" in warning
    assert "hunter2" not in warning


@pytest.mark.parametrize(
    "lines",
    ["webhook = 'https://a'\nsecret = 'cmd:pass show x'", "apprise = 'file:/urls'", "email = 'r'"],
)
def test_others_may_read_a_file_without_a_secret(
    load_with: Loader, user_file: Path, lines: str
) -> None:
    load_with(f"[notify.one]\n{lines}")
    user_file.chmod(0o644)
    config = load_with()
    assert not only(config).fault
    assert config.warnings == []


def test_a_secret_may_have_spaces_and_more_than_ascii(load_with: Loader, tmp_path: Path) -> None:
    path = tmp_path / "phrase"
    path.write_text("très long phrase\n")
    path.chmod(0o600)
    config = load_with(HOOK + "secret = 'file:phrase'")
    assert only(config).secret("secret", config) == "très long phrase"


@pytest.mark.parametrize("content", [b"a\x1bb\n", b"\xff\n", b"one\r\x00\n"])
def test_a_secret_may_not_hold_controls(load_with: Loader, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "phrase"
    path.write_bytes(content)
    path.chmod(0o600)
    config = load_with(HOOK + "secret = 'file:phrase'")
    with pytest.raises(ConfigError, match=r"notify\.chat\.secret .* is no clean text"):
        only(config).secret("secret", config)
