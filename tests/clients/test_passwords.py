"""Passwords that other servers have hashed, and guesses."""
import imaplib
import os
import poplib

from conftest import DOMAIN, PASSWORD, PORTS, ROOT


def test_a_passwd_file_of_dovecot_logs_in(make_server):
    path = os.path.join(ROOT, "tests", "clients", "dovecot.passwd")
    with open(path, encoding="ascii") as f:
        users = [line.split(":")[0] for line in f if not line.startswith("#")]
    server = make_server([], {("auth", "failures"): 100, ("auth", "delay"): "0s..0s"})
    run = server.tool("user", "import", path)
    assert (run.returncode, run.stdout, run.stderr) == (0, f"{len(users)} accounts made, 0 failed\n", "")
    for n, user in enumerate(users):
        imap = imaplib.IMAP4(server.address, PORTS["imap"], timeout=30)
        try:
            imap.login(user, PASSWORD + "x" if user != "des-crypt" else "Secret")
            assert False, f"{user}: any password is taken"
        except imaplib.IMAP4.error as e:
            assert "AUTHENTICATIONFAILED" in str(e)
        if n % 2:
            imap.login(user, PASSWORD)
        else:
            pop3 = poplib.POP3(server.address, PORTS["pop3"], timeout=30)
            pop3.user(user)
            pop3.pass_(PASSWORD)
            pop3.quit()
        imap.logout()
    assert f"user={users[-1]}@{DOMAIN}" in server.log_text()
