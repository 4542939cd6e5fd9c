"""Which variables hold a secret, by name and value: what goes, and what has to stay."""

import base64
from pathlib import Path

import pytest

from radar_cli.core.credentials import is_secret_name, secrets_in_headers, secrets_of
from radar_cli.core.redaction import redact
from tests.support.pings import last_ping
from tests.support.radar import environment, run_radar

VALUE = "Qx7-hunter/Plum+9"

GOES = """
PGPASSWORD MYSQL_PWD RESTIC_PASSWORD RESTIC_PASSWORD2 BORG_PASSPHRASE BORG_NEW_PASSPHRASE
PASSPHRASE KOPIA_PASSWORD RCLONE_CONFIG_PASS RCLONE_CONFIG_OFFSITE_SECRET_ACCESS_KEY
B2_ACCOUNT_KEY B2_APPLICATION_KEY DUPLICITY_PASSPHRASE SIGN_PASSPHRASE RSYNC_PASSWORD SSHPASS
REDISCLI_AUTH AUTHORIZATION HTTP_AUTHORIZATION PROXY_AUTHORIZATION BASIC_AUTH HTTP_BASIC_AUTH
NPM_CONFIG__AUTH AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_SECURITY_TOKEN
aws_secret_access_key AZURE_CLIENT_SECRET AZURE_STORAGE_KEY AZURE_STORAGE_SAS_TOKEN
AZURE_DEVOPS_EXT_PAT GITHUB_PAT GOOGLE_API_KEY GCP_SERVICE_ACCOUNT_CREDENTIALS
DIGITALOCEAN_ACCESS_TOKEN HCLOUD_TOKEN LINODE_TOKEN CLOUDFLARE_API_TOKEN CF_API_KEY HEROKU_API_KEY
FLY_API_TOKEN VERCEL_TOKEN NETLIFY_AUTH_TOKEN GITHUB_TOKEN GH_TOKEN GH_ENTERPRISE_TOKEN
githubToken GITLAB_TOKEN GITLAB_PRIVATE_TOKEN CI_JOB_TOKEN CI_JOB_JWT CI_REGISTRY_PASSWORD
CI_DEPLOY_PASSWORD BITBUCKET_APP_PASSWORD CIRCLE_TOKEN DRONE_RPC_SECRET
BUILDKITE_AGENT_ACCESS_TOKEN ACTIONS_RUNTIME_TOKEN ACTIONS_ID_TOKEN_REQUEST_TOKEN
JENKINS_API_TOKEN NPM_TOKEN NODE_AUTH_TOKEN npm_config__authToken PYPI_TOKEN TWINE_PASSWORD
UV_PUBLISH_TOKEN CARGO_REGISTRY_TOKEN HOMEBREW_GITHUB_API_TOKEN NUGET_API_KEY DOCKER_PASSWORD
DOCKERHUB_TOKEN SENTRY_AUTH_TOKEN CODECOV_TOKEN COVERALLS_REPO_TOKEN SONAR_TOKEN SNYK_TOKEN
HF_TOKEN OPENAI_API_KEY ANTHROPIC_API_KEY SLACK_BOT_TOKEN SLACK_SIGNING_SECRET TELEGRAM_BOT_TOKEN
PUSHOVER_USER_KEY PAGERDUTY_ROUTING_KEY DD_API_KEY NEW_RELIC_LICENSE_KEY GRAFANA_API_KEY
GF_SECURITY_ADMIN_PASSWORD TWILIO_AUTH_TOKEN SENDGRID_API_KEY MAILGUN_API_KEY STRIPE_KEY
STRIPE_SECRET_KEY STRIPE_WEBHOOK_SECRET VAULT_TOKEN VAULT_UNSEAL_KEY_1 VAULT_SECRET_ID
VAULT_DEV_ROOT_TOKEN_ID CONSUL_HTTP_TOKEN NOMAD_TOKEN TF_VAR_db_password TF_TOKEN_app_terraform_io
ANSIBLE_VAULT_PASSWORD ANSIBLE_BECOME_PASS SUDO_PASS SECRET_KEY DJANGO_SECRET_KEY SECRET_KEY_BASE
RAILS_MASTER_KEY APP_KEY FLASK_SECRET_KEY JWT_SECRET JWT BEARER GITHUB_BEARER SESSION_COOKIE
COOKIE COOKIES COOKIE_SECRET SESSION_SECRET ERLANG_COOKIE AIRFLOW__CORE__FERNET_KEY FERNET_KEY
ENCRYPTION_KEY SIGNING_KEY MASTER_KEY PRIVATE_KEY SSH_PRIVATE_KEY GPG_PRIVATE_KEY DEPLOY_KEY
API_KEY API_KEYS api_key apiKey API_KEY_EU API_KEY_2 X_API_KEY APIKEY dbPassword DBPASSWORD
db_password DB-PASSWORD db.password DB_PASS DB_PASS_PROD DB_PASSWD DB_PW DB_PWD
MYSQL_ROOT_PASSWORD POSTGRES_PASSWORD MONGO_INITDB_ROOT_PASSWORD RABBITMQ_DEFAULT_PASS
REDIS_PASSWORD ELASTIC_PASSWORD LDAP_BIND_PW LDAP_BINDPW SMTP_PASS SMTP_PASSWORD MAIL_PASSWORD
FTP_PASSWORD KEYSTORE_PASSWORD KEY_PASSPHRASE WIFI_PSK OS_PASSWORD CREDENTIALS GIT_CREDENTIALS
OAUTH2_TOKEN accessToken AWSSecretKey client_secret refresh_token RADAR_API_KEY CRONRADAR_API_KEY
HC_PING_KEY NGROK_AUTHTOKEN TS_AUTHKEY BW_SESSION OP_SESSION_my OP_SERVICE_ACCOUNT_TOKEN
LICENSE_KEY PASSWORD1 PASS PW KEY TOKEN SECRET WORDPRESS_AUTH_SALT MAXMIND_LICENSE_KEY MY_SECRETS
DOCKER_AUTH_CONFIG
""".split()  # noqa: SIM905 (a table, to be read)

STAYS = {
    "PWD": "/srv/nightly-build",
    "OLDPWD": "/srv/elsewhere",
    "SSH_AUTH_SOCK": "/tmp/ssh-XXXXabcd/agent.1234",
    "XAUTHORITY": "/home/ann/.Xauthority",
    "GIT_AUTHOR_NAME": "Ann Author",
    "GIT_AUTHOR_EMAIL": "ann@example.org",
    "GIT_COMMITTER_NAME": "Ann Author",
    "PATH": "/usr/local/bin:/usr/bin",
    "PASSENGER_COUNT": "150000",
    "PASSIVE_MODE": "extended",
    "PASSTHROUGH": "devices",
    "PASS_RATE": "99.125",
    "BYPASS_CACHE": "always-so",
    "COMPASS_URL": "http://compass.example",
    "SSH_ASKPASS": "/usr/bin/ssh-askpass",
    "GIT_ASKPASS": "/usr/bin/git-askpass",
    "BORG_PASSCOMMAND": "cat /srv/keys/.borg",
    "RESTIC_PASSWORD_FILE": "/srv/keys/.restic",
    "RESTIC_PASSWORD_COMMAND": "pass show restic",
    "BORG_PASSPHRASE_FD": "1234567",
    "PASSWORD_STORE_DIR": "/home/ann/.password-store",
    "PASSWORD_MIN_LENGTH": "100000",
    "PASSWORDLESS": "everywhere",
    "AWS_SHARED_CREDENTIALS_FILE": "/home/ann/.aws/credentials",
    "AWS_REGION": "eu-west-1",
    "AWS_PROFILE": "production",
    "AWS_SECRET_NAME": "prod/database",
    "GIT_CREDENTIAL_HELPER": "cache --timeout 3600",
    "KEYBOARD": "dvorak-intl",
    "KEYMAP": "de-latin1",
    "KEYTAB": "/etc/krb5.keytab.host",
    "MONKEY": "capuchin",
    "TURKEY_RECIPE": "stuffing",
    "DONKEYS": "seventeen",
    "PRIMARY_KEY": "customer_id",
    "FOREIGN_KEY": "order_id",
    "PARTITION_KEY": "tenant_id",
    "SORT_KEY": "created_at",
    "CACHE_KEY": "pip-cache-v3",
    "CELERY_DEFAULT_ROUTING_KEY": "task.default",
    "PUBLIC_KEY": "ssh-ed25519 AAAAC3Nza",
    "SSH_PUBLIC_KEY": "ssh-ed25519 AAAAC3Nzb",
    "AUTHORIZED_KEYS": "/home/ann/.ssh/authorized_keys",
    "GPG_KEY_ID": "0xDEADBEEF",
    "KEY_VAULT_NAME": "vault-of-mine",
    "AUTHOR": "Ann Author",
    "AUTHORS": "Ann and Bob",
    "AUTH_METHOD": "certificate",
    "AUTH_URL": "https://login.example/start",
    "POSTGRES_HOST_AUTH_METHOD": "scram-sha-512",
    "OAUTH_SCOPES": "read:packages",
    "AUTHENTICATION_CLASSES": "rest_framework.Session",
    "TOKENIZERS_PARALLELISM": "falsehood",
    "TOKENIZER": "cl100k_base",
    "MAX_TOKENS": "128000",
    "OPENAI_MAX_TOKENS": "200000",
    "TOKEN_URL": "https://login.example/token",
    "TOKEN_TTL": "864000",
    "TOKEN_EXPIRES": "20301231",
    "JWT_ALGORITHM": "RS256-sha",
    "JWT_ISSUER": "https://login.example",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://pipelines.example/token",
    "SECRETARY": "Ms Moneypenny",
    "SECRETS_DIR": "/run/secrets.d",
    "COOKIE_DOMAIN": "shop.example",
    "COOKIE_NAME": "sessionid",
    "COOKIECUTTER_CONFIG": "/home/ann/.cookiecutterrc",
    "SESSION_COOKIE_SECURE": "strictly",
    "XDG_SESSION_ID": "c1234567",
    "DESKTOP_SESSION": "plasma-wayland",
    "SESSION_MANAGER": "local/host:@/tmp/.ICE-unix/1",
    "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/user/1000/bus",
    "TERM_SESSION_ID": "w0t0p0:8F2C",
    "PATTERN": "*.tar.gz",
    "PATCH_LEVEL": "20241105",
    "SPATIAL_INDEX": "rtree-index",
    "DSNLESS": "somewhere",
    "KUBECONFIG": "/home/ann/.kube/config",
    "SALTSTACK_MASTER": "salt.example",
    "HOSTNAME": "build-7.example",
    "LOGNAME": "annauthor",
    "USER": "annauthor",
    "USERNAME": "annauthor",
    "LANG": "en_GB.UTF-8",
    "HISTFILE": "/home/ann/.bash_history",
    "DATABASE_HOST": "db.internal.example",
    "DATABASE_NAME": "customers",
    "SMTP_USER": "robot@example.org",
    "REDIS_HOST": "redis.internal.example",
    "VAULT_ADDR": "https://vault.example:8200",
    "VAULT_ROLE_ID": "role-of-this-job",
    "CI_COMMIT_SHA": "0f4c2e1f9a",
    "GITHUB_ACTOR": "annauthor",
    "GITHUB_REPOSITORY": "ann/secrets-manager",
    "CREDIT_LIMIT": "1000000",
    "ACCREDITATION": "ISO-27001",
    "SECURITY_LEVEL": "paranoid",
    "CERT_FILE": "/etc/ssl/cert.pem.d",
    "PINNED_VERSION": "2024.11.05",
    # By their values: short, words of settings, masks.
    "USE_TOKEN": "true!",
    "SHORT_PASSWORD": "12345",
    "API_TOKEN": "none",
    "DB_PASSWORD": "default",
    "SMTP_AUTH": "basic",
    "REGISTRY_AUTH": "required",
    "PG_PASSWORD": "postgres",
    "ADMIN_PASSWORD": "password",
    "USE_KEY": "disabled",
    "MASKED_TOKEN": "********",
}


def test_the_corpus_is_large_enough() -> None:
    assert len(set(GOES)) + len(STAYS) >= 250
    assert not set(GOES) & set(STAYS)


@pytest.mark.parametrize("name", GOES)
def test_it_takes_out_what_this_variable_holds(name: str) -> None:
    secrets = secrets_of({name.encode(): VALUE.encode()}, [])

    assert redact(f"a {VALUE} b".encode(), secrets)[0] == b"a [redacted] b"


@pytest.mark.parametrize("name", STAYS)
def test_it_leaves_alone_what_this_variable_holds(name: str) -> None:
    assert secrets_of({name.encode(): STAYS[name].encode()}, []) == []


def test_it_does_the_same_to_what_a_job_prints() -> None:
    values = {name: f"{VALUE}{number:03}" for number, name in enumerate(GOES)}
    kept = {name: value for name, value in STAYS.items() if name != "PATH"}
    run_radar("run", "job", "--tail", "100000", "--", "env", env=environment() | values | kept)
    lines = set(last_ping().body.decode().split("\n"))

    assert {f"{name}=[redacted]" for name in values} <= lines
    assert {f"{name}={value}" for name, value in kept.items()} <= lines


@pytest.mark.parametrize("name", ["MY_TOKEN", "SSH_PRIVATE_KEY", "GOOGLE_CREDENTIALS"])
def test_it_leaves_the_path_of_a_file_alone(name: str, tmp_path: Path) -> None:
    home = {b"HOME": str(tmp_path.parent).encode()}
    path, short = str(tmp_path).encode(), f"~/{tmp_path.name}".encode()

    assert secrets_of({name.encode(): path}, []) == []
    assert secrets_of({name.encode(): short, **home}, []) == []
    assert secrets_of({name.encode(): path + b"/gone"}, []) == [path + b"/gone"]


@pytest.mark.parametrize(
    ("name", "value", "secret", "kept"),
    [
        ("DATABASE_URL", "postgres://app:hunter-22@db/x", "hunter-22", "app"),
        ("REDIS_URL", "redis://:hunter-22@cache:6379/0", "hunter-22", "cache:6379"),
        ("DATABASE_URL", "mysql://app:hunter%2F22@db/x", "hunter/22", "app"),
        ("DATABASE_URL", "mysql://app:hunter%2F22@db/x", "hunter%2F22", "app"),
        ("DATABASE_URL", "postgres://db/x?user=app&password=hunter-22", "hunter-22", "user=app"),
        ("CALLBACK", "https://a.example/x?api_key=k-123456&page=2", "k-123456", "page=2"),
        ("SENTRY_DSN", "https://0f4c2e1f9a@o1.ingest.example/7", "0f4c2e1f9a", "o1.ingest.example"),
        ("MYSQL_DSN", "app:hunter-22@tcp(db)/x", "hunter-22", "tcp(db)"),
        ("PG_DSN", "host=db user=app password=hunter-22", "hunter-22", "host=db"),
        ("REMOTE", "https://ghp_0f4c2e:x-oauth-basic@github.com/a", "ghp_0f4c2e", "github.com"),
        ("SLACK_WEBHOOK_URL", "https://hooks.example/services/T0/B0/0f4c2e", "0f4c2e", "hooks"),
        ("STORAGE", "AccountName=shop;AccountKey=0f4c2e==;Suffix=x", "0f4c2e==", "shop"),
        ("JAVA_OPTS", "-Xmx1g -Ddb.password=hunter-22", "hunter-22", "-Xmx1g"),
        ("AUTHORIZATION", "Bearer 0f4c2e1f9a", "0f4c2e1f9a", ""),
        ("AUTHORIZATION", "Basic " + base64.b64encode(b"ann:hunter-22").decode(), "hunter-22", ""),
        ("BASIC_AUTH", "ann:hunter-22", "hunter-22", ""),
        ("COOKIE", "lang=en; sid=0f4c2e1f9a", "0f4c2e1f9a", ""),
        ("DOCKER_AUTH_CONFIG", '{"auths": {"r": {"auth": "0f4c2e1f9a"}}}', "0f4c2e1f9a", ""),
        (
            "GOOGLE_CREDENTIALS",
            '{"type": "service_account", "private_key": "0f4c2e1f\\n9a8b7c6d\\n"}',
            "9a8b7c6d",
            "service_account",
        ),
    ],
)
def test_it_takes_the_secret_out_of_a_value_that_holds_more(
    name: str, value: str, secret: str, kept: str
) -> None:
    secrets = secrets_of({name.encode(): value.encode()}, [])

    assert redact(f"got {secret}!".encode(), secrets)[0] == b"got [redacted]!"
    assert kept.encode() not in secrets
    assert secret.encode() not in redact(value.encode(), secrets)[0]


@pytest.mark.parametrize(
    ("headers", "secrets"),
    [
        ({"X-Auth": "0f4c2e"}, ["0f4c2e"]),
        ({"Authorization": "Bearer 0f4c2e"}, ["Bearer 0f4c2e", "0f4c2e"]),
        ({"Cookie": "a=1; sid=0f4c2e"}, ["a=1; sid=0f4c2e", "1", "0f4c2e"]),
        ({"X-Api-Key": "0f4c2e"}, ["0f4c2e"]),
        ({"X-Amz-Security-Token": "0f4c2e"}, ["0f4c2e"]),
        ({"X-Author": "Ann", "X-Team": "billing", "User-Agent": "radar"}, []),
    ],
)
def test_it_knows_the_credentials_in_headers(headers: dict[str, str], secrets: list[str]) -> None:
    assert secrets_in_headers(headers) == secrets


def test_it_reads_names_word_by_word() -> None:
    assert is_secret_name("myApiKey")
    assert is_secret_name("HTTPPassword2")
    assert not is_secret_name("monkeyBusiness")
    assert not is_secret_name("")
