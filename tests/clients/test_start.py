"""What an administrator reads when a start goes wrong: one line that names file, line, key and mend."""
import os
import pwd
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time

import pytest

from conftest import DOMAIN, PORTS, Server, service_user


@pytest.fixture
def server(build):
    s = Server(build, ["alice"])
    yield s
    s.stop()
    s.remove()


def tandemd(server, *arguments, ini=None):
    """Exit status, stdout, stderr with the temporary directory and the line numbers taken out."""
    run = subprocess.run([os.path.join(server.programs, "tandemd"), "-c", ini or server.ini,
                          *arguments], capture_output=True, text=True, timeout=60, check=False)
    return run.returncode, run.stdout, run.stderr.replace(server.dir, "DIR")


def change(server, section, key, value):
    """Sets a key that the file has, or adds it. Returns its line number."""
    with open(server.ini, encoding="utf-8") as f:
        text = f.read()
    pattern = rf"(\[{re.escape(section)}\]\n(?:[^\[].*\n)*?){key} = .*\n"
    if re.search(pattern, text):
        text = re.sub(pattern, lambda m: f"{m[1]}{key} = {value}\n", text)
    elif f"[{section}]\n" in text:
        text = text.replace(f"[{section}]\n", f"[{section}]\n{key} = {value}\n")
    else:
        text += f"[{section}]\n{key} = {value}\n"
    with open(server.ini, "w", encoding="utf-8") as f:
        f.write(text)
    at = text.index(f"{key} = {value}\n", text.index(f"[{section}]\n"))
    return text.count("\n", 0, at) + 1


def test_check_is_quiet_about_a_good_file(server):
    assert tandemd(server, "-t") == (0, "DIR/tandem.ini: good\n".replace("DIR", server.dir), "")


def test_every_mistake_is_told_at_once(server):
    first = change(server, "imap", "idel", "30m")
    second = change(server, "pop3", "idle", "soon")
    status, _, err = tandemd(server, "-t")
    assert status == 2
    lines = err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"DIR/tandem.ini:{first}: imap.idel: ") and "idle" in lines[0]
    assert lines[1].startswith(f"DIR/tandem.ini:{second}: pop3.idle: ")


def test_no_file(server):
    expected = (2, "", "DIR/none.ini: there is no such file; name it with -c FILE\n")
    assert tandemd(server, ini=server.dir + "/none.ini") == expected


def line_of(server, text):
    with open(server.ini, encoding="utf-8") as f:
        return f.read().splitlines().index(text) + 1


def test_mistakes_of_every_kind_are_told_at_once(server):
    """A key, keys that contradict each other, and certificates, of which one is no such file and one
    does not fit its key; in the order of the lines."""
    key = os.path.join(server.dir, "empty.pem")
    open(key, "w", encoding="ascii").close()
    change(server, "tls", "certificate", "/nowhere/certificate.pem")
    change(server, "imap", "idle", "1m")
    change(server, "limits", "command", "100k")
    change(server, "tls other", "certificate", server.certificate)
    change(server, "tls other", "key", key)
    status, out, err = tandemd(server, "-t")
    assert (status, out) == (2, "")
    assert err.replace(server.certificate, "CERTIFICATE").splitlines() == [
        f"DIR/tandem.ini:{line_of(server, '[tls]')}: [tls]: /nowhere/certificate.pem cannot be read: No "
        "such file or directory",
        f"DIR/tandem.ini:{line_of(server, 'command = 100k')}: limits.command: a line and a literal do "
        "not fit; at least line and literal together",
        f"DIR/tandem.ini:{line_of(server, 'idle = 1m')}: imap.idle: is too small; 30m to 1d",
        f"DIR/tandem.ini:{line_of(server, '[tls other]')}: [tls other]: CERTIFICATE and DIR/empty.pem: "
        "The requested data were not available."]
    run = server.tool("config", "check")
    assert (run.returncode, run.stderr.replace(server.dir, "DIR")) == (2, err)


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_key_that_may_not_be_read(server):
    """As of a daemon that is started without root."""
    key = os.path.join(server.dir, "key.pem")
    shutil.copy(server.certificate.replace("certificate.pem", "key.pem"), key)
    os.chmod(key, 0o600)
    line = change(server, "tls", "key", key) - 2
    os.chmod(server.ini, 0o644)
    user = os.stat(server.store).st_uid
    run = subprocess.run(["setpriv", "--reuid", str(user), "--clear-groups",
                          os.path.join(server.programs, "tandemd"), "-c", server.ini, "-t"],
                         capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stderr.replace(server.dir, "DIR")) == (
        2, f"DIR/tandem.ini:{line}: [tls]: DIR/key.pem cannot be read: Permission denied: the group "
           "of [tandem] user must be able to (chmod 640)\n")


def test_port_that_is_taken(server):
    with socket.socket() as taken:
        taken.bind((server.address, PORTS["pop3"]))
        taken.listen()
        assert tandemd(server) == (1, "", f"tandemd: DIR/tandem.ini: [listen pop3] {server.address}:"
                                   f"{PORTS['pop3']}: Address already in use\n")


def test_sources_of_another_version(server):
    line = change(server, "auth", "sources", "catalog, passwd-file:/etc/passwd")
    assert tandemd(server, "-t") == (
        2, "", f"DIR/tandem.ini:{line}: auth.sources: this version has accounts in its catalog only; "
        "write 'catalog' and bring accounts in with 'tandem user import'\n")


def test_mechanisms_of_another_version(server):
    line = change(server, "auth", "mechanisms", "plain, oauthbearer, cram-md5")
    assert tandemd(server, "-t") == (
        2, "", f"DIR/tandem.ini:{line}: auth.mechanisms: this version has plain, login, "
        "scram-sha-256, scram-sha-1 and their -plus forms; leave the others out\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="starts as root")
@pytest.mark.parametrize("user, words", [
    ("nosuchuser", "there is no user 'nosuchuser'; make it with 'adduser --system --group "
                   "nosuchuser' or name another"),
    ("root", "'root' is root, which Tandem does not run as; name another user")])
def test_user_that_cannot_be(server, user, words):
    line = change(server, "tandem", "user", user)
    assert tandemd(server) == (1, "", f"tandemd: DIR/tandem.ini:{line}: tandem.user: {words}\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="starts as root")
def test_store_of_another_user(server):
    os.chown(server.store, 12345, 12345)
    user = pwd.getpwuid(service_user().pw_uid).pw_name
    line = line_of(server, f"path = {server.store}")
    assert tandemd(server) == (1, "", f"tandemd: DIR/tandem.ini:{line}: store.path: DIR/store belongs to "
                               f"'another user', not to '{user}'; 'chown -R {user}: DIR/store'\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="starts as root")
def test_tool_never_writes_as_root(server):
    os.chown(server.store, 0, 0)
    run = server.tool("user", "list")
    assert run.returncode == 1 and "belongs to root; give it to the user of the daemon" in run.stderr


def test_store_without_a_directory_above(server):
    line = change(server, "store", "path", "/nowhere/at/all")
    status, _, err = tandemd(server)
    assert (status, err) == (1, f"tandemd: DIR/tandem.ini:{line}: store.path: /nowhere/at/all cannot "
                                "be made: No such file or directory; make the directory above it\n")


def test_store_that_another_daemon_serves(server):
    server.start()
    other = Server(os.path.dirname(server.programs), [])
    change(other, "store", "path", server.store)
    change(other, "daemon", "control", other.dir + "/control")
    os.chmod(other.dir, 0o777)
    line = line_of(other, f"path = {server.store}")
    status, _, err = tandemd(other)
    other.remove()
    assert (status, err.replace(server.dir, "SERVED").splitlines()[-1]) == (
        1, f"tandemd: DIR/tandem.ini:{line}: store.path: SERVED/store: SERVED/store/catalog/OWNER: another "
        "daemon or tool owns this store: stop it first")


def test_store_of_something_else(server):
    with open(os.path.join(server.store, "catalog", "catalog.mdb"), "r+b") as f:
        f.write(b"x" * 8192)
    line = line_of(server, f"path = {server.store}")
    words = (f"DIR/tandem.ini:{line}: store.path: DIR/store: DIR/store/catalog/catalog.mdb: MDB_INVALID: "
             "File is not an LMDB file: not a store of Tandem, or damaged: restore a backup")
    assert tandemd(server) == (1, "", f"tandemd: {words}\n")
    assert tool_lines(server, "user", "list") == (1, [], [f"tandem: {words}"])


class Disk:
    """A file system of its own for the store, of a size that can be changed."""

    def __init__(self, server, size):
        self.server = server
        shutil.rmtree(server.store)
        os.mkdir(server.store)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0750", "tandem", server.store],
                          check=False, capture_output=True, timeout=60).returncode:
            pytest.skip("may not mount here")
        os.chown(server.store, service_user().pw_uid, service_user().pw_gid)

    def __enter__(self):
        return self

    def grow(self):
        subprocess.run(["mount", "-o", "remount,size=1g", self.server.store], check=True, timeout=60)

    def __exit__(self, *_):
        self.server.stop()
        subprocess.run(["umount", self.server.store], check=True, timeout=60)


@pytest.mark.parametrize("size, words", [
    ("16k", "DIR/store/catalog/catalog.mdb.new: cannot be written: no room is left on the disk"),
    ("48k", "DIR/store/shard-00/store.mdb.new: No space left on device: check the directory's owner, mode "
            "and room")])
def test_disk_that_is_full_at_the_first_start(server, size, words):
    """Nothing half done: with room, the next start succeeds."""
    with Disk(server, size) as disk:
        line = line_of(server, f"path = {server.store}")
        status, _, err = tandemd(server)
        assert (status, err.splitlines()[-1]) == (
            1, f"tandemd: DIR/tandem.ini:{line}: store.path: DIR/store: {words}")
        disk.grow()
        server.start()
        assert server.stop() == 0


def test_disk_that_is_full_while_it_serves(server):
    users = os.path.join(server.dir, "users")
    with open(users, "w", encoding="ascii") as f:
        f.write("bob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n")
    with Disk(server, "200k") as disk:
        server.start()
        assert tool_lines(server, "user", "import", users) == (
            1, ["0 accounts made, 1 failed"],
            [f"tandem: line 1: bob@{DOMAIN}: no room is left on the disk"])
        disk.grow()
        until = time.monotonic() + 30  # the daemon looks at the disk now and then
        while tool_lines(server, "user", "import", users)[0]:
            assert time.monotonic() < until
        assert server.stop() == 0


def test_options(server):
    assert tandemd(server, "--version")[:2] == (0, "tandem 0.1.0\n")
    status, out, err = tandemd(server, "--help")
    assert (status, err) == (0, "") and out.startswith("Usage: tandemd")
    assert tandemd(server, "serve") == (2, "", "tandemd: what is 'serve'? Try 'tandemd --help'\n")
    assert tandemd(server, "--nope")[0] == 2
    status, _, err = tandemd(server, "--banner", server.dir + "/none")
    assert (status, err) == (2, "tandemd: --banner: DIR/none: No such file or directory\n")


def test_reload_takes_all_or_nothing(server):
    key = os.path.join(server.dir, "key.pem")  # one that the daemon's user may read
    shutil.copy(server.certificate.replace("certificate.pem", "key.pem"), key)
    os.chown(key, os.stat(server.store).st_uid, -1)
    change(server, "tls", "key", key)
    server.start()
    change(server, "pop3", "idle", "11m")
    line = change(server, "tandem", "workers", "3")
    server.process.send_signal(signal.SIGHUP)
    assert server.logged("reload: result=")
    log = server.log_text()
    assert f"line={line} key=tandem.workers why=takes\\x20effect\\x20at\\x20the\\x20next\\x20start" in log
    assert "reload: result=ok changed=2" in log
    change(server, "pop3", "idle", "soon")
    server.process.send_signal(signal.SIGHUP)
    assert server.logged("reload: result=refused changed=0")
    server.imap("alice").logout()


def certificate_of(server, name):
    """What the server shows to whoever asks for this name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection((server.address, PORTS["imaps"]), timeout=30) as sock:
        with context.wrap_socket(sock, server_hostname=name) as tls:
            return tls.getpeercert(binary_form=True)


def make_certificate(server, name):
    """certificate.pem and key.pem in a directory of that name; the key is the daemon's."""
    where = os.path.join(server.dir, name)
    os.makedirs(where, exist_ok=True)
    files = [os.path.join(where, "certificate.pem"), os.path.join(where, "key.pem")]
    template = os.path.join(where, "template")
    with open(template, "w", encoding="ascii") as f:
        f.write(f'cn = "{name}"\ndns_name = "{name}"\nexpiration_days = 30\nsigning_key\n'
                "tls_www_server\n")
    for command in (["--generate-privkey", "--key-type", "ecdsa", "--outfile", files[1]],
                    ["--generate-self-signed", "--load-privkey", files[1], "--template", template,
                     "--outfile", files[0]]):
        subprocess.run(["certtool", *command], check=True, capture_output=True, timeout=60)
    os.chown(files[1], os.stat(server.store).st_uid, -1)
    with open(files[0], encoding="ascii") as f:
        return files, ssl.PEM_cert_to_DER_cert(f.read())


def tool_lines(server, *arguments):
    run = server.tool(*arguments)
    return (run.returncode, run.stdout.replace(server.dir, "DIR").splitlines(),
            run.stderr.replace(server.dir, "DIR").splitlines())


def test_reload_by_the_tool_tells_what_changed(server):
    (files, first) = make_certificate(server, "mail.example.org")
    change(server, "tls", "certificate", files[0])
    change(server, "tls", "key", files[1])
    server.start()
    client = server.imap("alice")
    assert certificate_of(server, "mail.example.org") == first
    assert tool_lines(server, "reload") == (0, ["no key has changed; certificates were read anew"], [])

    _, second = make_certificate(server, "mail.example.org")  # renewed in place
    others, other = make_certificate(server, "other.example")
    change(server, "tls other", "certificate", others[0])
    change(server, "tls other", "key", others[1])
    change(server, "pop3", "idle", "11m")
    change(server, "tandem", "workers", "3")
    status, out, err = tool_lines(server, "reload")
    assert (status, err) == (0, [])
    assert out[0] == "tandem.workers takes effect at the next start"
    assert "pop3.idle = 11m (was 10m)" in out
    assert "tls other.certificate = DIR/other.example/certificate.pem" in out
    assert certificate_of(server, "mail.example.org") == second
    assert certificate_of(server, "other.example") == other
    client.noop()  # was there all the time

    change(server, "pop3", "idle", "soon")
    os.remove(others[1])
    wrong = [f"DIR/tandem.ini:{line_of(server, '[tls other]')}: [tls other]: "
             "DIR/other.example/key.pem cannot be read: No such file or directory",
             f"DIR/tandem.ini:{line_of(server, 'idle = soon')}: pop3.idle: 'soon' is not a time; write a "
             "number with s, m, h or d, such as 30s"]
    assert tool_lines(server, "reload") == (2, [], wrong)
    change(server, "pop3", "idle", "11m")
    assert tool_lines(server, "reload") == (2, [], ["tandem: " + wrong[0]])  # by the daemon
    assert certificate_of(server, "other.example") == other  # nothing has changed
    client.logout()


def test_a_stop_tells_the_clients(server):
    server.start()
    client = server.imap("alice")
    client.idle()
    server.process.send_signal(signal.SIGTERM)
    assert client.idle_line().startswith(b"* BYE")
    assert server.process.wait(20) == 0
    assert "stop: reason=SIGTERM" in server.log_text()


def test_it_gives_up_what_it_does_not_need(server):
    server.start()
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as f:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
    assert status["NoNewPrivs"] == "1"
    off = "sandbox: why=off\\x20in\\x20a\\x20sanitizer\\x20build" in server.log_text()
    assert status["Seccomp"] == ("0" if off else "2")
    assert set(status["Uid"].split()) != {"0"} and "0" not in status["Uid"].split()
    if os.geteuid() == 0:
        assert int(status["CapEff"], 16) == 0
