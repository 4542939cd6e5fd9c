import pytest

from radar_cli.core.ids import is_key
from radar_cli.crontab.naming import make_unique, name_job


@pytest.mark.parametrize(
    ("command", "key"),
    [
        ("/usr/local/bin/backup.sh --all", "backup"),
        ("cd /srv/app && ./drain >/dev/null", "drain"),
        ("[ -x /opt/clean ] && /opt/clean -q", "clean"),
        ("test -x /usr/sbin/anacron || { cd / && run-parts /etc/cron.daily; }", "cron.daily"),
        ("cd / && run-parts --report /etc/cron.hourly", "cron.hourly"),
        ("nice -n 19 ionice -c3 flock -n /tmp/l timeout 1h /opt/sync", "sync"),
        ("sudo -u www php -f /srv/cron.php", "cron"),
        ("/usr/bin/python3 -u /opt/clean_up.py", "clean_up"),
        ("python -m reports.daily --x", "reports.daily"),
        ("php artisan schedule:run", "artisan-schedule-run"),
        ("cd /x && python manage.py clearsessions", "manage-clearsessions"),
        ("docker exec -t web /opt/x", "docker-exec"),
        ("bash -c 'a; b'", "bash"),
        ("A=b C='d e' /opt/JOB", "job"),
        ("sleep 60; /opt/start", "job-start"),
        ('"/opt/my job.sh" x', "my-job"),
        ("/opt/größe", "gr-e"),
        ("$(id)", "job"),
        ("/opt/7", "job-7"),
        ("env -u X A=b /opt/job", "job"),
        ("/bin/true", "true"),
        ("runitor -uuid 1234 -quiet -- /opt/shop.sh -x", "shop"),
        ("runitor -version", "runitor"),
        ("/usr/bin/cronitor --env web exec d3x0 /opt/dump --all", "dump"),
        ("cronitor exec d3x0 -- nice /opt/dump", "dump"),
        ("cronitor ping d3x0", "cronitor"),
        ("sentry-cli monitors run -s '@daily' shop -- python3 /opt/import.py", "import"),
        ("curl -fsS https://hc-ping.com/1/start; /opt/dump; curl https://hc-ping.com/1", "dump"),
        ("wget -q https://radar.example.com/ping/1", "wget"),
        ("curl -s https://example.com/rates | /opt/load", "curl"),
    ],
)
def test_it_names_a_job_by_what_it_does(command: str, key: str) -> None:
    named = name_job(command.encode())
    assert named.key == key
    assert is_key(key)


def test_keys_are_unique_by_a_word_and_else_by_a_number() -> None:
    named = name_job(b"/opt/dump 5 --db=shop https://user:secret@shop.example.com/x")
    assert make_unique(named, ()) == "dump"
    assert make_unique(named, {"dump"}) == "dump-db-shop"
    assert make_unique(named, {"dump", "dump-db-shop"}) == "dump-shop.example.com"
    taken = {"dump", "dump-db-shop", "dump-shop.example.com"}
    assert make_unique(named, taken) == "dump-2"
    assert make_unique(named, {*taken, "dump-2"}) == "dump-3"
