# SPDX-License-Identifier: Apache-2.0
"""A certificate authority for tests, and certificates that are good or bad in one way."""

import datetime
import ipaddress
import ssl

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


class Authority:
    """Writes its own certificate to `ca.pem` below `folder`."""

    def __init__(self, folder):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.cert = self._sign(_name("test CA"), self.key, is_ca=True)
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
            names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(signer or self.key, hashes.SHA256())

    def server(self, kind="good"):
        """A server's TLS context: good, self-signed, wrong-name or expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        cert = self._sign(
            _name("server"), key,
            address="127.0.0.9" if kind == "wrong-name" else "127.0.0.1",
            age=10 * DAY if kind == "expired" else DAY,
            signer=key if kind == "self-signed" else None)
        path = self.folder / f"{kind}.pem"
        path.write_bytes(cert.public_bytes(serialization.Encoding.PEM) + _pem(key))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context
