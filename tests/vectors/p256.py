"""SigV4a's key derivation and ECDSA over NIST P-256, in plain integers.

Only for checking test vectors: slow, and not constant-time. Written from the standards rather than
taken from the library that makes the vectors, so that the code that checks a signature is not the code
that made it.
"""

import hashlib
import hmac

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF  # field prime
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # order of G
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def derive_private_key(access_key, secret):
    """The private scalar of a SigV4a key pair: NIST SP 800-108 in counter mode over HMAC-SHA256."""
    for counter in range(1, 255):
        label = b"AWS4-ECDSA-P256-SHA256\x00"
        context = access_key.encode() + bytes([counter])
        message = (1).to_bytes(4, "big") + label + context + (256).to_bytes(4, "big")
        digest = hmac.digest(b"AWS4A" + secret.encode(), message, "sha256")
        candidate = int.from_bytes(digest, "big")
        if candidate <= N - 2:
            return candidate + 1
    raise ValueError("no counter gives a private key")


def add(a, b):
    """The sum of two points in affine coordinates; None is the point at infinity."""
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(scalar, point):
    """The point added to itself scalar times (double and add)."""
    total = None
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point = add(point, point)
        scalar >>= 1
    return total


def decode_der(signature):
    """The integers (r, s) of a DER SEQUENCE of two INTEGERs; ValueError unless it is strict DER."""

    def integer(offset):
        end = offset + 2 + signature[offset + 1]
        return int.from_bytes(signature[offset + 2 : end], "big"), end

    def encode(value):
        body = value.to_bytes(value.bit_length() // 8 + 1, "big")
        return bytes([2, len(body)]) + body

    try:
        r, end = integer(2)
        s, _ = integer(end)
    except IndexError as error:
        raise ValueError("the signature is cut short") from error
    body = encode(r) + encode(s)
    if signature != bytes([0x30, len(body)]) + body:
        raise ValueError("the signature is not strict DER")
    return r, s


def verify(public_key, message, signature):
    """Whether the DER signature is ECDSA with SHA-256 of the message by the public key (x, y)."""
    x, y = public_key
    r, s = decode_der(signature)
    if (y * y - x * x * x + 3 * x - B) % P or not (0 < r < N and 0 < s < N):
        return False
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
    inverse = pow(s, -1, N)
    point = add(multiply(digest * inverse % N, G), multiply(r * inverse % N, public_key))
    return point is not None and point[0] % N == r
