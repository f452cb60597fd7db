"""Certificates made with openssl, as an operator makes them."""

import subprocess


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True,
                   capture_output=True, timeout=30)


class Authority:
    """A certificate authority in a folder, and what it signs."""

    def __init__(self, folder, name="ca"):
        folder.mkdir(exist_ok=True)
        self.folder, self.name = folder, name
        self.cert, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:P-256", "-nodes", "-days", 2, "-subj",
                 f"/CN={name}", "-keyout", self.key, "-out", self.cert,
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, name, common_name="localhost"):
        """A pair of PEM files for this machine, in place of any before."""
        cert, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        request = self.folder / f"{name}.csr"
        extra = self.folder / f"{name}.ext"
        extra.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n"
                         "basicConstraints=CA:FALSE\n")
        _openssl("req", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:P-256", "-nodes", "-subj",
                 f"/CN={common_name}", "-keyout", f"{key}.new", "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey",
                 self.key, "-CAcreateserial", "-days", 2, "-extfile", extra,
                 "-out", f"{cert}.new")
        (self.folder / f"{name}.key.new").replace(key)
        (self.folder / f"{name}.pem.new").replace(cert)
        return cert, key
