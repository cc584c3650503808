"""SCRAM, bound to the TLS session and not, with clients that others wrote."""
import base64
import hashlib
import hmac
import imaplib
import os
import poplib
import ssl
import subprocess

import pytest

from conftest import DOMAIN, PASSWORD, PORTS, ROOT, Server

MECHANISMS = "plain, login, scram-sha-256, scram-sha-256-plus, scram-sha-1, scram-sha-1-plus"


@pytest.fixture(scope="module")
def server(request):
    s = Server(os.path.join(ROOT, request.config.getoption("--build")), ["alice"],
               {("auth", "mechanisms"): MECHANISMS, ("auth", "delay"): "0s..1s",
                ("auth", "failures"): 100})
    for user, scheme in (("sha256", "scram-sha-256"), ("sha1", "scram-sha-1")):
        run = subprocess.run([os.path.join(s.programs, "tandem"), "-c", s.ini, "user", "add", user,
                              "--password-stdin", "--scheme", scheme], input=PASSWORD + "\n",
                             capture_output=True, text=True, timeout=60, check=False)
        assert run.returncode == 0, run.stderr
    s.start()
    yield s
    assert s.stop() == 0, s.log_text()
    s.remove()


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


# --- GNU SASL ------------------------------------------------------------------------------------


def gsasl(server, mechanism, user, password=PASSWORD, *options):
    """GNU SASL's own client: STARTTLS, then the mechanism. Its whole dialog."""
    return run("gsasl", "--client", "--imap", "--mechanism", mechanism, "--authentication-id", user,
               "--authorization-id", "", "--password", password, "--x509-ca-file", "", *options,
               server.address, str(PORTS["imap"]))


@pytest.mark.parametrize("mechanism, user, options", [
    ("SCRAM-SHA-256-PLUS", "sha256", []), ("SCRAM-SHA-256", "sha256", ["--no-cb"]),
    ("SCRAM-SHA-1-PLUS", "sha1", []), ("SCRAM-SHA-1", "sha1", ["--no-cb"]),
    ("SCRAM-SHA-256-PLUS", "sha256", ["--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2"])])
def test_gnu_sasl_logs_in(server, mechanism, user, options):
    status, said = gsasl(server, mechanism, user, PASSWORD, *options)
    assert status == 0 and "server trusted" in said and "Logged in" in said, said
    assert f"AUTHENTICATE {mechanism}\n" in said.replace("\r", ""), said
    assert server.logged(f"user={user}@{DOMAIN}", f"mech={mechanism.lower()} ")


@pytest.mark.parametrize("user", ["sha256", "alice", "nobody"])
def test_gnu_sasl_is_refused_alike(server, user):
    """A wrong password, an account without keys, and no account."""
    status, said = gsasl(server, "SCRAM-SHA-256-PLUS", user, "wrong")
    assert status != 0 and "NO [AUTHENTICATIONFAILED]" in said, said


def test_mpop_logs_in(server, tmp_path):
    for mechanism, user in (("scram-sha-256", "sha256"), ("scram-sha-1", "sha1")):
        rc = tmp_path / "mpoprc"
        rc.write_text(f"account default\nhost {server.address}\nport {PORTS['pop3']}\n"
                      f"user {user}\npassword {PASSWORD}\nauth {mechanism}\ntls off\n"
                      f"uidls_file {tmp_path}/uidls\ndelivery maildir {tmp_path}/Mail\n")
        rc.chmod(0o600)
        status, said = run("mpop", "-C", str(rc), "--auth-only", "--debug")
        assert status == 0 and f"AUTH {mechanism.upper()}" in said, said


# --- Cyrus SASL, which mbsync has ----------------------------------------------------------------


def test_cyrus_sasl_logs_in(server, tmp_path):
    """With keys that GNU SASL made: Cyrus SASL computes no more than 65,536 rounds."""
    status, keys = run("gsasl", "--mkpasswd", "--mechanism", "SCRAM-SHA-256", "--password", PASSWORD,
                       "--iteration-count", "4096")
    assert status == 0 and keys.startswith("{SCRAM-SHA-256}4096,"), keys
    (tmp_path / "users").write_text("imported:" + keys)
    assert server.tool("user", "import", str(tmp_path / "users")).returncode == 0
    (tmp_path / "mail").mkdir()
    rc = tmp_path / "mbsyncrc"
    rc.write_text(f"IMAPStore far\nHost {server.address}\nPort {PORTS['imap']}\nUser imported\n"
                  f"Pass {PASSWORD}\nSSLType None\nAuthMechs SCRAM-SHA-256\n\n"
                  f"MaildirStore near\nPath {tmp_path}/mail/\nInbox {tmp_path}/mail/inbox\n\n"
                  "Channel all\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\n"
                  f"SyncState {tmp_path}/state-\n")
    status, said = run("mbsync", "-c", str(rc), "all")
    assert status == 0, said
    assert server.logged(f"user=imported@{DOMAIN}")


# --- a client of our own, over OpenSSL: tls-unique, which is all that Python's ssl has ------------


class Scram:
    """SCRAM-SHA-256-PLUS by RFC 5802 alone; an authobject of imaplib."""

    def __init__(self, sock, user, password=PASSWORD):
        binding = sock.get_channel_binding("tls-unique")
        self.header = b"p=tls-unique,,"
        self.channel = base64.b64encode(self.header + binding)
        self.bare = b"n=" + user.encode() + b",r=" + base64.b64encode(os.urandom(12))
        self.password = password.encode()
        self.said = [lambda _: self.header + self.bare, self.proof, self.check]

    def __call__(self, challenge):
        return self.said.pop(0)(challenge)

    def proof(self, challenge):
        nonce, salt, rounds = (field[2:] for field in challenge.split(b","))
        salted = hashlib.pbkdf2_hmac("sha256", self.password, base64.b64decode(salt), int(rounds))
        mac = lambda key, text: hmac.digest(key, text, "sha256")
        client = mac(salted, b"Client Key")
        final = b"c=" + self.channel + b",r=" + nonce
        whole = b",".join((self.bare, challenge, final))
        signature = mac(hashlib.sha256(client).digest(), whole)
        self.server = base64.b64encode(mac(mac(salted, b"Server Key"), whole))
        proof = bytes(a ^ b for a, b in zip(client, signature))
        return final + b",p=" + base64.b64encode(proof)

    def check(self, challenge):
        assert challenge == b"v=" + self.server
        return b""


def tls12(server):
    context = server.tls_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def pop3_auth(client, scram):
    line = client._shortcmd("AUTH SCRAM-SHA-256-PLUS")
    while line.startswith(b"+ "):
        client._putline(base64.b64encode(scram(base64.b64decode(line[2:]))))
        line = client._getresp() if len(scram.said) == 0 else client._getline()[0]
    return line


def test_openssl_logs_in_by_pop3(server):
    client = poplib.POP3(server.address, PORTS["pop3"], timeout=30)
    client.stls(tls12(server))
    assert "SCRAM-SHA-256-PLUS" in client.capa()["SASL"]
    assert pop3_auth(client, Scram(client.sock, "sha256")).startswith(b"+OK")
    assert client.stat() == (0, 0)
    client.quit()


def test_openssl_logs_in_by_imap(server):
    client = imaplib.IMAP4(server.address, PORTS["imap"], timeout=30)
    assert "AUTH=SCRAM-SHA-256-PLUS" not in client.capabilities
    client.starttls(tls12(server))
    assert "AUTH=SCRAM-SHA-256-PLUS" in client.capabilities
    scram = Scram(client.sock, "sha256")
    assert client.authenticate("SCRAM-SHA-256-PLUS", lambda said: scram(said))[0] == "OK"
    client.logout()


def test_a_proof_of_another_session_is_refused(server):
    """What somebody in the middle could pass on: both ends speak TLS, but not with each other."""
    client = imaplib.IMAP4_SSL(server.address, PORTS["imaps"], ssl_context=tls12(server), timeout=30)
    other = imaplib.IMAP4_SSL(server.address, PORTS["imaps"], ssl_context=tls12(server), timeout=30)
    scram = Scram(other.sock, "sha256")
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        client.authenticate("SCRAM-SHA-256-PLUS", lambda said: scram(said))
    client.logout()
    other.logout()
