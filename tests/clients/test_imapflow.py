"""imapflow, the IMAP client of programs in JavaScript (webmail, synchronisers)."""
import os
import shutil
import subprocess

import pytest

from conftest import PASSWORD, PORTS, ok

HERE = os.path.dirname(os.path.abspath(__file__))
MAIL = os.path.join(os.path.dirname(HERE), "mail")
VERSION = "1.0.191"  # it runs on Debian 12's node, too
UNREACHABLE = ["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH",
               "EHOSTUNREACH", "ERR_SOCKET_TIMEOUT", "SELF_SIGNED_CERT_IN_CHAIN"]
MESSAGES = ["attachment-pdf.eml", "html-alternative.eml", "plain.eml"]


def test_imapflow(make_server, tmp_path):
    """The scenario itself is in imapflow.cjs."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    installed = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", tmp_path,
                                "--fetch-retries", "1", f"imapflow@{VERSION}"],
                               capture_output=True, text=True, timeout=300, check=False)
    if any(word in installed.stderr for word in UNREACHABLE):
        pytest.skip("npm's registry cannot be reached")
    assert installed.returncode == 0, installed.stdout + installed.stderr
    server = make_server(["alice"])
    imap = server.imap("alice")
    for name in MESSAGES:
        with open(os.path.join(MAIL, name), "rb") as f:
            ok(imap.append("INBOX", None, None, f.read().replace(b"\n", b"\r\n")))
    imap.logout()
    played = subprocess.run(["node", os.path.join(HERE, "imapflow.cjs"), server.address,
                             str(PORTS["imap"]), "alice", PASSWORD, MAIL], capture_output=True,
                            text=True, timeout=120, check=False,
                            env={**os.environ, "NODE_PATH": str(tmp_path / "node_modules")})
    assert played.returncode == 0, played.stdout + played.stderr
