# SPDX-License-Identifier: Apache-2.0
"""A certificate authority for tests, and certificates that are good or bad in one way."""

import datetime
import ipaddress
import os
import ssl
import warnings

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def _write_private(path, data):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)


def only_old(context):
    """The context with TLS 1.0 and 1.1 alone, and all that belongs to them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    return context


class Authority:
    """Writes its own certificate to `ca.pem` below `folder`."""

    def __init__(self, folder, name="test CA"):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.cert = self._sign(_name(name), self.key, is_ca=True)
        self.path = folder / "ca.pem"
        self.path.write_bytes(self.cert.public_bytes(serialization.Encoding.PEM))

    def _sign(self, subject, key, is_ca=False, address=None, age=DAY, life=DAY, signer=None):
        now = datetime.datetime.utcnow()
        builder = (x509.CertificateBuilder().subject_name(subject)
                   .issuer_name(subject if is_ca or signer else self.cert.subject)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now - age).not_valid_after(now - age + DAY + life)
                   .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True))
        if address:
            names = [x509.IPAddress(ipaddress.ip_address(address))]
            if address == "127.0.0.1":
                names.append(x509.DNSName("localhost"))
            names = x509.SubjectAlternativeName(names)
            builder = builder.add_extension(names, critical=False)
        return builder.sign(signer or self.key, hashes.SHA256())

    def files(self, kind="good"):
        """A server's certificate and its key, each in a file: good, self-signed, wrong-name,
        expired, expiring (in five days) or early (valid from tomorrow on)."""
        key = ec.generate_private_key(ec.SECP256R1())
        cert = self._sign(
            _name("server"), key,
            address="127.0.0.9" if kind == "wrong-name" else "127.0.0.1",
            age={"expired": 10 * DAY, "early": -DAY}.get(kind, DAY),
            life={"expiring": 5 * DAY, "expired": DAY}.get(kind, 90 * DAY),
            signer=key if kind == "self-signed" else None)
        chain, secret = self.folder / f"{kind}.crt", self.folder / f"{kind}.key"
        chain.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
        _write_private(secret, _pem(key))
        return chain, secret

    def server(self, kind="good"):
        """A server's TLS context, of a kind that files() knows; or old, which is good and
        speaks nothing newer than TLS 1.1. Its chain and key are in one file, KIND.pem."""
        chain, secret = self.files("good" if kind == "old" else kind)
        path = self.folder / f"{kind}.pem"
        _write_private(path, chain.read_bytes() + secret.read_bytes())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return only_old(context) if kind == "old" else context
