"""Changes of one monitor by several, and by its own pings meanwhile."""

import threading
from concurrent.futures import ThreadPoolExecutor

from tests.server.managing import MONITORS, RID, create
from tests.support.radar_server import RadarServer


def test_no_ping_changes_what_was_set(api: RadarServer) -> None:
    create(api, "job", every_s=3600)
    api.ping("job", every="60", name="sent")
    job = api.request("GET", f"{MONITORS}/job").json()
    assert (job["every_s"], job["name"]) == (3600, "sent")
    assert job["record"]["settled"] == ["every"]


def test_a_change_of_what_was_changed_meanwhile_is_refused(api: RadarServer) -> None:
    create(api, "job")
    seen = api.request("GET", f"{MONITORS}/job")
    tag = seen.headers["ETag"]
    assert tag == f'"{seen.json()["fingerprint"]}"'
    first = api.request(
        "PATCH", f"{MONITORS}/job", json={"name": "mine"}, headers={"If-Match": tag}
    )
    assert first.status_code == 200
    assert first.headers["ETag"] != tag
    late = {"If-Match": tag}
    for refused in (
        api.request("PATCH", f"{MONITORS}/job", json={"name": "yours"}, headers=late),
        api.request("PATCH", f"{MONITORS}/job", json={}, headers=late),
        api.request("DELETE", f"{MONITORS}/job", headers=late),
        api.request("DELETE", f"{MONITORS}/job", headers={"If-Match": "nonsense"}),
    ):
        assert (refused.status_code, refused.json()["error"]) == (412, "CHANGED_MEANWHILE")
    assert api.request("GET", f"{MONITORS}/job").json()["name"] == "mine"
    now = {"If-Match": f'"x", {first.headers["ETag"]}'}
    assert api.request("DELETE", f"{MONITORS}/job", headers=now).status_code == 200


def test_what_only_the_job_has_done_stops_no_change(api: RadarServer) -> None:
    create(api, "job", every_s=3600)
    tag = api.request("GET", f"{MONITORS}/job").headers["ETag"]
    api.ping("job/start", rid=RID, every="60")
    api.ping("job/fail", b"broken\n", rid=RID)
    seen = api.request("GET", f"{MONITORS}/job")
    assert (seen.json()["status"], seen.headers["ETag"]) == ("down", tag)
    changed = api.request(
        "PATCH", f"{MONITORS}/job", json={"name": "mine"}, headers={"If-Match": tag}
    )
    assert changed.status_code == 200
    # A pause is a person's doing, and so is its end; what a job declares is no news of a run.
    tags = [changed.headers["ETag"]]
    tags.append(api.request("POST", f"{MONITORS}/job/pause").headers["ETag"])
    tags.append(api.request("POST", f"{MONITORS}/job/resume").headers["ETag"])
    api.ping("job", tags="declared")
    tags.append(api.request("GET", f"{MONITORS}/job").headers["ETag"])
    assert len({tag, *tags}) == 5


def test_of_several_who_change_it_at_once_one_wins(api: RadarServer) -> None:
    create(api, "job", every_s=3600)
    editors, rounds = 6, 5
    together = threading.Barrier(editors + 1)

    def edit(number: int, turn: int, tag: str) -> tuple[int, str]:
        name = f"{turn}-{number}"
        together.wait(30)
        answer = api.request(
            "PATCH", f"{MONITORS}/job", json={"name": name}, headers={"If-Match": tag}
        )
        return answer.status_code, name

    def ping() -> None:
        together.wait(30)
        for _ in range(10):
            assert api.ping("job").status_code == 200

    with ThreadPoolExecutor(editors + 1) as pool:
        for turn in range(rounds):
            tag = api.request("GET", f"{MONITORS}/job").headers["ETag"]
            pinging = pool.submit(ping)
            edits = [pool.submit(edit, number, turn, tag) for number in range(editors)]
            answers = [each.result(60) for each in edits]
            pinging.result(60)
            assert sorted(status for status, _ in answers) == [200] + [412] * (editors - 1)
            (winner,) = [name for status, name in answers if status == 200]
            assert api.request("GET", f"{MONITORS}/job").json()["name"] == winner
    (job,) = api.request("GET", f"{MONITORS}?pings=1").json()["monitors"]
    assert (job["pings"], job["every_s"]) == (10 * rounds, 3600)
