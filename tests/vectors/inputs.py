"""What the test vectors sign: every key, secret and token here is made up.

Each input differs from the plain one in one respect, so that a failing case names its cause; the
"mixed" inputs vary everything at once. Both signers accept all of these, non-ASCII included. Two kinds
of input are left out: upper-case hosts, which botocore lowers and awscrt keeps, and empty tokens, which
awscrt drops.
"""

import calendar
import datetime
import random

BOTH = ("botocore", "awscrt")
TOKEN = "made/up+session+token//////////EXAMPLE/EXAMPLE+EXAMPLE/EXAMPLE+made/up=="

AWKWARD = {
    "slash": "/", "plus": "+", "equals": "=", "ampersand": "&", "percent": "%", "space": " ",
    "percent-encoded slash": "%2F", "percent and no hex": "%zz", "double quote": '"', "quote": "'",
    "question mark": "?", "hash": "#", "tilde": "~", "hyphen, dot, underscore": "-._",
    "star": "*", "exclamation mark": "!", "parentheses": "()", "colon": ":", "semicolon": ";",
    "comma": ",", "at": "@", "dollar": "$", "brackets": "[]", "braces": "{}", "backslash": "\\",
    "angle brackets": "<>", "pipe, caret, backtick": "|^`", "2-byte UTF-8": "é",
    "3-byte UTF-8": "鍵", "4-byte UTF-8": "🔑", "combining accent": "e\u0301",
}

# One region of each partition and its DNS suffix; the other regions follow.
PARTITIONS = {
    "us-east-1": "amazonaws.com", "cn-north-1": "amazonaws.com.cn", "us-gov-west-1": "amazonaws.com",
    "eusc-de-east-1": "amazonaws.eu", "us-iso-east-1": "c2s.ic.gov", "us-isob-east-1": "sc2s.sgov.gov",
    "eu-isoe-west-1": "cloud.adc-e.uk", "us-isof-south-1": "csp.hci.ic.gov",
}
OTHER_REGIONS = {
    "cn-northwest-1": "amazonaws.com.cn", "us-gov-east-1": "amazonaws.com",
    "us-iso-west-1": "c2s.ic.gov", "us-isof-east-1": "csp.hci.ic.gov",
} | dict.fromkeys("""
    us-east-2 us-west-1 us-west-2 af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3
    ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 ca-central-1 ca-west-1
    eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3
    il-central-1 me-central-1 me-south-1 mx-central-1 sa-east-1""".split(), "amazonaws.com")

HOSTS = ["localhost", "127.0.0.1", "192.0.2.255", "[::1]", "[2001:db8::8a2e:370:7334]",
         "xn--bcher-kva.example", "a1b2c3d4e5f6g7.ats.iot.cn-north-1.amazonaws.com.cn"]
PORTS = [443, 8443]

DATES = [
    "1970-01-01 00:00:00", "1999-12-31 23:59:59", "2000-01-01 00:00:00", "2000-02-29 12:00:00",
    "2001-09-09 01:46:40", "2023-02-28 23:59:59", "2023-03-01 00:00:00", "2024-02-29 00:00:00",
    "2024-02-29 23:59:59", "2024-03-01 00:00:00", "2024-12-31 23:59:59", "2025-01-01 00:00:00",
    "2025-10-26 01:30:00", "2038-01-19 03:14:07", "2038-01-19 03:14:08", "2099-12-31 23:59:59",
    "2100-02-28 23:59:59", "2100-03-01 00:00:00", "2106-02-07 06:28:16",
]
MINUTE, DAY, YEAR = 60, 86_400, 31_536_000
OFFSETS = [
    ("2026-01-02 03:04:05", (-YEAR, -DAY, -4 * MINUTE, -1, 1, 4 * MINUTE, DAY, YEAR)),
    ("2024-02-28 23:58:00", (4 * MINUTE, DAY)), ("2024-03-01 00:02:00", (-4 * MINUTE, -DAY)),
    ("2024-12-31 23:58:00", (4 * MINUTE,)), ("2025-01-01 00:02:00", (-4 * MINUTE,)),
    ("2038-01-19 03:14:07", (1,)), ("2100-02-28 23:58:00", (4 * MINUTE,)),
]


def unix(text):
    """Unix seconds of a UTC date and time."""
    return calendar.timegm(datetime.datetime.fromisoformat(text).timetuple())


def plain(**changes):
    """The plain input, its fields in the order they are written, with some of them changed."""
    return {"access_key": "AKIAIOSFODNN7EXAMPLE", "secret": "made/up+secret=key", "session_token": None,
            "region": "us-east-1", "host": "example.com", "port": 443,
            "time": unix("2026-01-02 03:04:05"), "clock_offset": 0, "expires": 300} | changes


def endpoint(region, suffix):
    """The input of a region's IoT endpoint."""
    return plain(region=region, host=f"a1b2c3d4e5f6g7-ats.iot.{region}.{suffix}")


def sigv4():
    """Yield the name of each SigV4 input, the signers to sign it, and the input."""
    yield "plain", BOTH, plain()
    yield "temporary credentials", BOTH, plain(access_key="ASIAFAKE0001", session_token=TOKEN)
    for label, text in AWKWARD.items():
        mixed_in = f"{text}Made{text}{text}Up{text}"  # first, last, doubled
        yield f"access key: {label}", BOTH, plain(access_key=f"AKIA{mixed_in}")
        yield f"secret: {label}", BOTH, plain(secret=mixed_in)
        yield f"token: {label}", BOTH, plain(session_token=mixed_in)
    yield "token of 1 byte", BOTH, plain(session_token="x")
    yield "token of 4 KiB", BOTH, plain(session_token=(TOKEN * 64)[:4096])
    yield "token of 4 KiB, all escaped", BOTH, plain(session_token="/+=é" * 819 + "/")
    yield "access key of 128 bytes", BOTH, plain(access_key="AKIAfake" * 16)
    for length in (1, 59, 60, 61, 128):  # HMAC hashes a key, here "AWS4" and the secret, beyond 64
        yield f"secret of {length} bytes", BOTH, plain(secret=("made/up+" * 16)[:length])
    for region, suffix in PARTITIONS.items():
        yield f"region {region}", BOTH, endpoint(region, suffix)
    for region, suffix in OTHER_REGIONS.items():
        yield f"region {region}", BOTH[:1], endpoint(region, suffix)
    for host in HOSTS:
        for port in PORTS:
            yield f"host {host}, port {port}", BOTH, plain(host=host, port=port)
    for port in (1, 80, 8883, 65535):
        yield f"port {port}", BOTH, plain(port=port)
    for date in DATES:
        yield f"date {date}", BOTH, plain(time=unix(date))
    for date, offsets in OFFSETS:
        for offset in offsets:
            yield f"date {date}, clock off {offset:+}", BOTH, plain(time=unix(date), clock_offset=offset)
    for number in range(1, 121):
        yield f"mixed {number}", BOTH[:1], mixed(number)


def mixed(number):
    """An input with every field drawn at random, the same for the same number."""
    draw = random.Random(number).random  # the one method whose sequence Python promises to keep

    def pick(items):
        return items[int(draw() * len(items))]

    def text(longest):
        printable = [chr(code) for code in range(0x20, 0x7F)] + ["é", "ß", "鍵", "🔑"]
        return "".join(pick(printable) for _ in range(1 + int(draw() * longest)))

    region, suffix = pick(list((PARTITIONS | OTHER_REGIONS).items()))
    return endpoint(region, suffix) | {
        "access_key": pick(("AKIA", "ASIA")) + text(24), "secret": text(90),
        "session_token": pick((None, text(400))), "port": pick((443, 8443, 8883)),
        "time": int(draw() * unix("2100-01-01 00:00:00")),
    }


def sigv4a():
    """Yield the name of each SigV4a input and the input, its region replaced by a region set."""

    def regions(region_set, **changes):
        return {("region_set" if field == "region" else field): value
                for field, value in plain(region=region_set, **changes).items()}

    for region_set in ("us-east-1", "*", "us-east-1,eu-west-1", "us-*", "us-*,eu-west-1,ap-southeast-2",
                       "cn-north-1", "us-gov-west-1", "eusc-de-east-1", "us-isob-east-1"):
        yield f"region set {region_set}", regions(region_set)
        yield f"region set {region_set}, token", regions(region_set, session_token=TOKEN)
    for what, key in (("x", "AKIAFAKE0037"), ("y", "AKIAFAKE0065"), ("the private key", "AKIAFAKE0239")):
        yield f"{what} begins with a zero byte", regions("*", access_key=key)
    for label in ("slash", "percent", "space", "tilde", "4-byte UTF-8"):
        mixed_in = f"{AWKWARD[label]}Made{AWKWARD[label]}Up{AWKWARD[label]}"
        yield f"keys and token: {label}", regions(
            "*", access_key=f"ASIA{mixed_in}", secret=mixed_in, session_token=mixed_in)
    yield "token of 4 KiB", regions("*", session_token=(TOKEN * 64)[:4096])
    yield "secret of 128 bytes", regions("*", secret="made/up+" * 16)
    for host, port in (("example.com", 8443), ("127.0.0.1", 443), ("[::1]", 443), ("[::1]", 8443)):
        yield f"host {host}, port {port}", regions("*", host=host, port=port)
    for date in ("1970-01-01 00:00:00", "2024-02-29 23:59:59", "2038-01-19 03:14:08", "2099-12-31 23:59:59"):
        yield f"date {date}", regions("*", time=unix(date))
    for offset in (-YEAR, -4 * MINUTE, 4 * MINUTE, DAY):
        yield f"clock off {offset:+}", regions("*", clock_offset=offset)
