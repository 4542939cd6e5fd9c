"""Signed links: good for one outage of one monitor, for a week, and in no other form."""

import pytest

from radar_cli.notify.signing import LASTS_S, Link, LinkError, Signer

_NOW = 1_795_000_000.0
_SIGNER = Signer(b"s" * 32, "https://radar.example/r")


def _token() -> str:
    return _SIGNER.sign("backup", "flip-1", "mail", _NOW)


def test_it_reads_what_it_has_signed_until_it_expires() -> None:
    expected = Link("backup", "flip-1", "mail", round(_NOW) + LASTS_S)
    assert _SIGNER.read(_token(), _NOW) == expected
    assert _SIGNER.read(_token(), _NOW + LASTS_S) == expected
    with pytest.raises(LinkError, match="expired"):
        _SIGNER.read(_token(), _NOW + LASTS_S + 1)
    url = _SIGNER.link("backup", "flip-1", "mail", _NOW)
    assert url == f"https://radar.example/r/act?t={_token()}"


def test_no_other_form_of_a_link_is_good() -> None:
    """Each character changed, left out or added; another secret; what is no link at all."""
    token = _token()
    forged = [
        *(
            token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
            for at in range(len(token))
        ),
        *(token[:at] + token[at + 1 :] for at in range(len(token))),
        *(f"{token}{more}" for more in ("A", "=", "==", " ", "\n", "é")),
        *("", "x", "=", "A" * 43, "A" * 5000, "%00", "é", token + token),
        Signer(b"t" * 32, "https://radar.example").sign("backup", "flip-1", "mail", _NOW),
    ]
    for each in forged:
        with pytest.raises(LinkError, match="not right"):
            _SIGNER.read(each, _NOW)
