"""Make, or with --check verify, test vectors for signing the WebSocket upgrade of AWS IoT Core.

presigned.json holds SigV4 URLs, sigv4a.json SigV4a URLs, as AWS's own signers make them, so that
another signer can be compared with them. Every case signs `GET /mqtt` for `iotdevicegateway` with
`host` as the only signed header and the hash of an empty payload; X-Amz-Security-Token is not signed.
Inputs are fixed and no clock is read, so presigned.json comes out byte for byte the same. ECDSA
signatures are random: in sigv4a.json everything else is compared, and each signature is verified.

The signed time is "time" plus "clock_offset", the error of the client's clock. The signers write the
same parameters in another order. botocore: Algorithm, Credential, Date, Expires, SignedHeaders,
Signature, and the token we append. awscrt: Algorithm, Credential, Date, SignedHeaders, Expires, token
(which it adds itself, unsigned), Region-Set (SigV4a only), Signature.
"""

import datetime
import hashlib
import itertools
import json
import os
import pathlib
import re
import sys
from unittest import mock
from urllib.parse import parse_qs, quote

from awscrt.auth import (AwsCredentialsProvider, AwsSignatureType, AwsSignedBodyValue,
                         AwsSigningAlgorithm, AwsSigningConfig, aws_sign_request)
from awscrt.http import HttpHeaders, HttpRequest
from botocore.auth import EMPTY_SHA256_HASH, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import inputs
import p256

FOLDER = pathlib.Path(__file__).parent
SERVICE = "iotdevicegateway"


def authority(case):
    """The host as the Host header and the URL spell it: with the port unless that is the default."""
    return case["host"] if case["port"] == 443 else f"{case['host']}:{case['port']}"


def signing_time(case):
    """The time the client believes it is."""
    return datetime.datetime.fromtimestamp(case["time"] + case["clock_offset"], datetime.timezone.utc)


def sign_with_botocore(case):
    """The URL made by botocore. It would sign the token, so it is not given the token."""
    request = AWSRequest("GET", f"https://{authority(case)}/mqtt")
    credentials = Credentials(case["access_key"], case["secret"])
    signer = SigV4QueryAuth(credentials, SERVICE, case["region"], case["expires"])
    now = signing_time(case).replace(tzinfo=None)  # botocore takes UTC without a time zone
    with mock.patch("botocore.auth.get_current_datetime", return_value=now):
        signer.add_auth(request)
    url = request.url.replace("https:", "wss:", 1)
    token = case["session_token"]
    return url if token is None else f"{url}&X-Amz-Security-Token={quote(token, safe='')}"


def sign_with_awscrt(case):
    """The URL by awscrt: SigV4a where the case names a region set, SigV4 where it names a region."""
    v4, v4a = AwsSigningAlgorithm.V4, AwsSigningAlgorithm.V4_ASYMMETRIC
    config = AwsSigningConfig(
        algorithm=v4a if "region_set" in case else v4,
        signature_type=AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS,
        credentials_provider=AwsCredentialsProvider.new_static(
            case["access_key"], case["secret"], case["session_token"]),
        region=case.get("region_set") or case["region"],
        service=SERVICE,
        date=signing_time(case),
        signed_body_value=AwsSignedBodyValue.EMPTY_SHA256,
        expiration_in_seconds=case["expires"],
        omit_session_token=True,
    )
    request = HttpRequest("GET", "/mqtt", HttpHeaders([("host", authority(case))]))
    return f"wss://{authority(case)}{aws_sign_request(request, config).result(timeout=60).path}"


SIGNERS = {"botocore": sign_with_botocore, "awscrt": sign_with_awscrt}


def presigned_cases():
    """The SigV4 cases; where both signers sign one input they must make the same parameters."""
    cases = []
    for name, signers, case in inputs.sigv4():
        parameters = set()
        for signer in signers:
            url = SIGNERS[signer](case)
            parameters.add(tuple(sorted(url.partition("?")[2].split("&"))))
            cases.append({"name": f"{name} ({signer})", "signer": signer, **case, "url": url})
        if len(parameters) != 1:
            sys.exit(f"{name}: the signers disagree")
    return cases


def sigv4a_cases():
    """The SigV4a cases, each with the public key derived here and its signature verified."""
    cases = []
    for name, case in inputs.sigv4a():
        private_key = p256.derive_private_key(case["access_key"], case["secret"])
        x, y = p256.multiply(private_key, p256.G)
        case = {"name": name, "signer": "awscrt", **case,
                "public_key_x": f"{x:064x}", "public_key_y": f"{y:064x}", "url": sign_with_awscrt(case)}
        if not sigv4a_signature_holds(case):
            sys.exit(f"{name}: the signature does not verify")
        cases.append(case)
    return cases


def sigv4a_signature_holds(case):
    """Whether the URL's signature verifies for the canonical request that its other parts describe."""
    query = case["url"].partition("?")[2].split("&")
    signed = sorted(p for p in query if not re.match("X-Amz-(Signature|Security-Token)=", p))
    values = {name: value for name, [value] in parse_qs("&".join(query)).items()}
    canonical_request = "\n".join(
        ["GET", "/mqtt", "&".join(signed), f"host:{authority(case)}", "", "host", EMPTY_SHA256_HASH])
    date, digest = values["X-Amz-Date"], hashlib.sha256(canonical_request.encode()).hexdigest()
    string_to_sign = f"AWS4-ECDSA-P256-SHA256\n{date}\n{date[:8]}/{SERVICE}/aws4_request\n{digest}"
    public_key = int(case["public_key_x"], 16), int(case["public_key_y"], 16)
    try:
        return p256.verify(public_key, string_to_sign.encode(), bytes.fromhex(values["X-Amz-Signature"]))
    except ValueError:
        return False


def lines(cases):
    """The lines of a file of cases: JSON, one case a line, all ASCII."""
    return ["[", *",\n".join(json.dumps(case) for case in cases).split("\n"), "]", ""]


def differences(name, stored, made):
    """Yield where the stored lines of a file differ from those made anew."""
    for number, (a, b) in enumerate(itertools.zip_longest(stored, made, fillvalue=""), 1):
        if a != b:
            at = max(0, len(os.path.commonprefix([a, b])) - 60)
            yield (f"{name}, line {number}, from character {at}:\n"
                   f"  stored {a[at:at + 120]!r}\n  made   {b[at:at + 120]!r}")


def problems(presigned, sigv4a):
    """What is wrong with the stored files, given the cases made anew."""
    def unsigned(text):
        return re.sub("(?<=X-Amz-Signature=)[0-9a-f]+", "", text).split("\n")

    try:
        stored = (FOLDER / "presigned.json").read_bytes().decode("ascii")
        stored_sigv4a = (FOLDER / "sigv4a.json").read_bytes().decode("ascii")
    except (OSError, ValueError) as error:
        return [str(error)]
    return [
        *differences("presigned.json", stored.split("\n"), lines(presigned)),
        *differences("sigv4a.json", unsigned(stored_sigv4a), unsigned("\n".join(lines(sigv4a)))),
    ] or [f"sigv4a.json: the signature of {case['name']!r} does not verify"
          for case in json.loads(stored_sigv4a) if not sigv4a_signature_holds(case)]


def main():
    presigned, sigv4a = presigned_cases(), sigv4a_cases()
    found = problems(presigned, sigv4a)
    if sys.argv[1:] == ["--check"]:
        if found:
            sys.exit("\n".join([*found[:5], f"{len(found)} problem(s), the first of them above"]))
    elif sys.argv[1:]:
        sys.exit("usage: generate.py [--check]")
    elif found:  # otherwise leave the files alone: new random signatures are no change to commit
        (FOLDER / "presigned.json").write_bytes("\n".join(lines(presigned)).encode("ascii"))
        (FOLDER / "sigv4a.json").write_bytes("\n".join(lines(sigv4a)).encode("ascii"))
    print(f"{len(presigned)} SigV4 and {len(sigv4a)} SigV4a cases")


if __name__ == "__main__":
    main()
