"""A certificate authority made for a test, and what it signs; without openssl tests are skipped by name."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest


class Authority:
    """An authority in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        found = shutil.which("openssl")
        if found is None:
            pytest.skip("needs openssl on PATH to make certificates")
        self._openssl = found
        self._folder = folder
        self.certificate = folder / "ca.pem"
        self._run(
            "req", "-x509", *_KEY, "-days", "2", "-subj", "/CN=authority of a test", "-keyout", folder / "ca.key",
            "-out", self.certificate,
        )  # fmt: skip

    def issued(self, name: str) -> tuple[Path, Path]:
        """A certificate for 127.0.0.1 that the authority has signed, and its key."""
        certificate, key, asked, extra = (
            self._folder / f"{name}.{end}" for end in ("pem", "key", "csr", "ext")
        )
        if not certificate.exists():
            self._run("req", "-new", *_KEY, "-subj", f"/CN={name}", "-keyout", key, "-out", asked)
            extra.write_text("subjectAltName=IP:127.0.0.1\n", encoding="utf-8")
            self._run(
                "x509", "-req", "-in", asked, "-CA", self.certificate, "-CAkey", self._folder / "ca.key",
                "-CAcreateserial", "-days", "2", "-extfile", extra, "-out", certificate,
            )  # fmt: skip
        return certificate, key

    def trusting(self) -> ssl.SSLContext:
        """What a client that believes this authority, and no other, connects with."""
        return ssl.create_default_context(cafile=self.certificate)

    def _run(self, *arguments: str | Path) -> None:
        subprocess.run([self._openssl, *arguments], check=True, capture_output=True)


_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
