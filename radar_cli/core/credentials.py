"""Secrets, known by the names of the variables and headers that hold them.

A name is read word by word, `dbPassword` as `DB_PASSWORD`; parts of words say nothing: PASSENGER,
MONKEY, AUTHOR. A value that is too short, a word of settings, or the path of a file is none.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A shorter value (`1`, `true`, `root`) stands in too many innocent places.
SHORTEST = 6
# Each of these makes a name a secret's, wherever it stands in it.
_SECRETS = _words(
    """
    SECRET SECRETS TOKEN TOKENS PASSWORD PASSWORDS PASSWD PASSWRD PASSPHRASE PASSPHRASES PASSCODE
    PASSKEY CREDENTIAL CREDENTIALS CRED CREDS COOKIE COOKIES JWT BEARER AUTHORIZATION PSK MNEMONIC
    APIKEY APIKEYS APPKEY AUTHKEY ACCESSKEY SECRETKEY PRIVATEKEY PRIVKEY MASTERKEY SIGNINGKEY
    ENCRYPTIONKEY LICENSEKEY SSHPASS DBPASS PGPASS MYSQLPASS SMTPPASS MAILPASS FTPPASS LDAPPASS
    SUDOPASS ROOTPASS ADMINPASS USERPASS VNCPASS KEYPASS STOREPASS BINDPW ROOTPW ADMINPW USERPW
    DBPW DBPWD
    """
)
# So do words that end like this: PGPASSWORD, GHTOKEN. What begins so is something else: TOKENIZER.
_SECRET_ENDS = ("PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "APIKEY", "CREDENTIALS")
# These say it only at the end of a name: DB_PASS, but PASS_RATE.
_LAST_SECRETS = _words("PASS PW PWD PAT AUTH KEY KEYS SALT PEPPER DSN")
_KEYS = _words("KEY KEYS")
# With one of these before it, a key is secret anywhere in a name: AWS_ACCESS_KEY_ID, API_KEY_EU.
_SECRET_KEYS = _words(
    """
    API APP ACCESS PRIVATE MASTER SIGNING ENCRYPTION LICENSE AUTH DEPLOY ACCOUNT STORAGE UNSEAL
    RECOVERY FERNET
    """
)
# Keys that open nothing.
_OPEN_KEYS = _words(
    """
    PRIMARY FOREIGN UNIQUE PUBLIC PUB AUTHORIZED SORT PARTITION CACHE ROUTING INDEX RANGE GROUP ROW
    CONFIG REGISTRY OBJECT S3 ENTER HOT ARROW FUNCTION KNOWN TRUSTED HOST DICT
    """
)
# What ends so is about a secret, and none itself: TOKEN_URL, PASSWORD_FILE, COOKIE_DOMAIN.
_ABOUT = _words(
    """
    FILE FILES FILENAME PATH DIR DIRECTORY FOLDER LOCATION SOCK COMMAND CMD HELPER URL URI ENDPOINT
    HOST PORT DOMAIN REGION USER USERNAME NAME NAMES ALIAS ARN TYPE KIND MODE METHOD FORMAT HEADER
    FIELD PREFIX SUFFIX SCOPE SCOPES AUDIENCE ISSUER COUNT LENGTH LEN SIZE MIN MAX LIMIT TTL TIMEOUT
    AGE EXPIRY EXPIRES EXPIRATION LIFETIME INTERVAL RATE ROTATION POLICY ENABLED DISABLED REQUIRED
    SECURE HTTPONLY SAMESITE PROMPT VERSION ALGORITHM ALG PROVIDER BACKEND STORE ENGINE FD
    PARALLELISM
    """
)
# With one of these, tokens are what a language model is paid for.
_AMOUNTS = _words("MAX MIN NUM COMPLETION OUTPUT INPUT")
# Which one of several it is: nothing that a name's last word is looked for in.
_STAGES = _words("PROD PRODUCTION STAGING DEV TEST OLD NEW CURRENT PREVIOUS BASE64")
_NAMES = _words("BW_SESSION DOCKER_AUTH_CONFIG PAGERDUTY_ROUTING_KEY")
_NAME_STARTS = ("OP_SESSION_",)
# Headers are about the request: `X-Auth` and `X-Session` hold what it is allowed by.
_HEADER_SECRETS = _words("AUTH SESSION SIGNATURE KEY KEYS")
# What these hold may be `user:password`.
_PAIRS = _words("AUTH CRED CREDS CREDENTIAL CREDENTIALS DSN")
# Values that are words of settings.
_SETTINGS = _words(
    """
    none null nil undefined default auto empty unset true false yes no on off enable enabled disable
    disabled required optional always never prompt ask basic bearer digest negotiate kerberos gssapi
    trust peer plain login oauth oauth2 cookie session password passwd secret token apikey keyring
    keychain osxkeychain environment scram-sha-256 public private localhost postgres example
    """
)
_SCHEMES = _words("basic bearer token apikey digest geniekey key")
_PASSWORD_MAX_BYTES = 512
_LONG_PATH_BYTES = 20
# What stands between the pairs of a connection string, a query or a command line.
_BETWEEN_PAIRS = bytes.maketrans(b";&?\t\r\n\"',", b"         ")
_HEX = b"0123456789abcdefABCDEF"


def secrets_of(environ: dict[bytes, bytes], own: list[str]) -> list[bytes]:
    """The literal secrets to take out: radar's own keys and what the environment holds.

    Longest first, so that one which contains another goes as a whole.
    """
    found: set[bytes] = set()
    for key in own:
        found.update(_lines(key.encode()))
    for name, value in environ.items():
        found.update(piece for piece in _secrets_in(name, value) if _is_worth_it(piece, environ))
    return sorted((s for s in found if len(s) >= SHORTEST), key=len, reverse=True)


def secrets_in_headers(headers: dict[str, str]) -> list[str]:
    """The credentials in headers whose names look secret: `X-Auth`, `Authorization`, `Cookie`.

    With the token after `Bearer`, what `Basic` encodes, and each cookie's value alone.
    """
    found: list[bytes] = []
    for name, value in headers.items():
        words = split_name(name)
        if _is_secret(words) or not _HEADER_SECRETS.isdisjoint(words):
            raw = value.encode()
            found += [raw, *_after_scheme(raw), *_in_cookies(raw)]
    return [secret.decode("utf-8", "replace") for secret in dict.fromkeys(found) if secret]


def passwords_in_urls(raw: bytes) -> list[tuple[int, int]]:
    """Find the passwords in URLs like `postgres://user:password@host/`."""
    spans = []
    for begin, userinfo in _userinfos(raw):
        user, colon, password = userinfo.partition(b":")
        if colon and password:
            at = begin + len(user) + 1
            spans.append((at, at + len(password)))
    return spans


def is_secret_name(name: str) -> bool:
    """Whether a variable of this name holds a secret."""
    return name.upper() in _NAMES or name.startswith(_NAME_STARTS) or _is_secret(split_name(name))


def split_name(name: str) -> list[str]:
    """The words of a name in capitals, without the numbers at their ends.

    `dbPassword2` has DB and PASSWORD, `AWSSecretKey` AWS, SECRET and KEY.
    """
    words, word = [], ""
    for at, letter in enumerate(name):
        is_new = letter.isupper() and (
            word[-1:].islower() or (word[-1:].isupper() and name[at + 1 : at + 2].islower())
        )
        if word and (is_new or not letter.isalnum()):
            words.append(word)
            word = ""
        if letter.isalnum():
            word += letter
    stripped = ((each.rstrip("0123456789") or each).upper() for each in [*words, word] if each)
    return [each for each in stripped if not each.isdigit()]


def _is_secret(words: list[str]) -> bool:
    """Whether the words of a name say that it is a secret's."""
    while words and words[-1] in _STAGES:
        words = words[:-1]
    if not words or words[-1] in _ABOUT:
        return False
    if words[-1] == "TOKENS" and not _AMOUNTS.isdisjoint(words):
        return False
    if any(word in _SECRETS or word.endswith(_SECRET_ENDS) for word in words):
        return True
    before = ["", *words]
    pairs = list(zip(before, words, strict=False))
    if any(first in _SECRET_KEYS and second in _KEYS for first, second in pairs):
        return True
    first, last = pairs[-1]
    if last not in _LAST_SECRETS:
        return False
    if last == "PWD":  # alone it is where the shell is
        return first not in ("", "OLD")
    return last not in _KEYS or first not in _OPEN_KEYS


def _secrets_in(name: bytes, value: bytes) -> "Iterator[bytes]":
    """Each secret that a variable holds, in all the parts in which it may be printed."""
    text = os.fsdecode(name)
    value = value.strip()
    has_url = b"://" in value
    if len(value) >= SHORTEST and is_secret_name(text):
        words = split_name(text)
        # The key of a DSN is its user's name; without a URL it is all of it.
        if not (has_url and words[-1] == "DSN"):
            yield from _lines(value)
            yield from _after_scheme(value)
        if "COOKIE" in words or "COOKIES" in words:
            yield from _in_cookies(value)
        if not has_url and not _PAIRS.isdisjoint(words):
            # In a DSN without a URL the password ends where the host begins.
            yield (value.rpartition(b"@")[0] or value).partition(b":")[2]
        if value.startswith(b"{"):
            yield from _in_json(value)
    if has_url:
        yield from _in_urls(text, value)
    if b"=" in value:
        yield from _in_pairs(value)


def _is_worth_it(value: bytes, environ: dict[bytes, bytes]) -> bool:
    """Whether a value can be a secret: neither a word of settings nor the path of a file."""
    if len(value) < SHORTEST or os.fsdecode(value.lower()) in _SETTINGS or not value.strip(b"*"):
        return False
    if b"/" not in value or len(value) > 4096:
        return True
    path = value
    if value.startswith(b"~/"):
        path = environ.get(b"HOME", b"~") + value[1:]
    return not os.path.exists(path)


def _lines(value: bytes) -> "Iterator[bytes]":
    r"""A value, and its lines alone: a key may be printed with something before each line.

    Some keep a key in one line, with `\n` for its newlines.
    """
    yield value
    if b"\n" in value or b"\\n" in value:
        for line in value.replace(b"\\n", b"\n").splitlines():
            text = line.strip(b' \t",{}[]')
            # `-----BEGIN PRIVATE KEY-----` is the same in every key.
            if not text.startswith(b"-----") and len(text) > SHORTEST:
                yield text


def _after_scheme(value: bytes) -> "Iterator[bytes]":
    """The token after `Bearer`; of what `Basic` encodes also the password alone."""
    scheme, _, token = value.partition(b" ")
    token = token.strip()
    if not token or os.fsdecode(scheme.lower()) not in _SCHEMES:
        return
    yield token
    if scheme.lower() == b"basic":
        import binascii

        try:
            pair = binascii.a2b_base64(token)
        except ValueError:
            return
        yield pair
        yield pair.partition(b":")[2]


def _in_cookies(value: bytes) -> "Iterator[bytes]":
    if b"=" in value:
        for part in value.split(b";"):
            yield part.partition(b"=")[2].strip(b' "')


def _in_json(value: bytes) -> "Iterator[bytes]":
    """The texts in JSON whose own names say that they are secret (a service account's key, say)."""
    import json

    try:
        found: list[tuple[str, object]] = [("", json.loads(value))]
    except (ValueError, RecursionError):
        return
    while found:
        name, item = found.pop()
        if isinstance(item, dict):
            found += [(str(key), each) for key, each in item.items()]
        elif isinstance(item, list):
            found += [(name, each) for each in item]
        elif isinstance(item, str) and _is_secret(split_name(name)):
            yield from _lines(item.encode("utf-8", "surrogateescape"))


def _in_urls(name: str, value: bytes) -> "Iterator[bytes]":
    """Passwords in a value's URLs, a DSN's key, and the path that is a webhook's secret."""
    is_dsn = "DSN" in split_name(name)
    for _, userinfo in _userinfos(value):
        user, colon, password = userinfo.partition(b":")
        # GitHub and others take a token as the user's name.
        is_key = (is_dsn and not colon) or (colon and password in (b"", b"x-oauth-basic"))
        for each in (user if is_key else b"", password):
            yield each
            yield unquote(each)
    if "WEBHOOK" in split_name(name):
        _, slash, path = value.partition(b"://")[2].partition(b"/")
        if len(path) >= _LONG_PATH_BYTES:
            yield slash + path
            yield path.rpartition(b"/")[2]


def _in_pairs(value: bytes) -> "Iterator[bytes]":
    """The values of pairs whose names are secret: in a query, a connection string, options."""
    for part in value.translate(_BETWEEN_PAIRS).split():
        name, equals, text = part.partition(b"=")
        is_value = equals and len(text) >= SHORTEST and not text.startswith((b"$", b"="))
        if is_value and _is_secret(split_name(os.fsdecode(name))):
            yield text
            yield unquote(text)


def _userinfos(raw: bytes) -> "Iterable[tuple[int, bytes]]":
    """Yield what stands before the `@` in each URL, and where it begins."""
    at = raw.find(b"://")
    while at >= 0:
        start = at + 3
        authority = raw[start : start + _PASSWORD_MAX_BYTES]
        for stop in (b"/", b" ", b"\n", b"\r", b'"', b"'", b"<", b">", b"\t"):
            authority = authority.partition(stop)[0]
        userinfo, mark, _ = authority.rpartition(b"@")
        if mark and userinfo:
            yield start, userinfo
        at = raw.find(b"://", start)


def unquote(text: bytes) -> bytes:
    """`text` without its %XX; urllib's does the same after an import of 10 ms."""
    first, *rest = text.split(b"%")
    parts = [first]
    for part in rest:
        digits = part[:2]
        if len(digits) == 2 and all(digit in _HEX for digit in digits):
            parts += [bytes((int(digits, 16),)), part[2:]]
        else:
            parts += [b"%", part]
    return b"".join(parts)
