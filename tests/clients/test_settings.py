"""Settings of the file, of domains and of accounts: who says what, while the daemon is down and up."""
from conftest import DOMAIN
from test_admin import done, failed, login, rows, server  # noqa: F401 (server is a fixture)


def shown(server, *arguments):  # noqa: F811
    return {row["key"]: (row["value"], row["from"].replace(server.dir, "DIR"))
            for row in rows(server, "config", "show", *arguments)}


def line_of(server, text):  # noqa: F811
    with open(server.ini, encoding="utf-8") as f:
        return f.read().splitlines().index(text) + 1


def test_every_key_and_where_it_comes_from(server):  # noqa: F811
    keys = shown(server)
    assert keys["tandem.default_domain"] == (
        DOMAIN, f"DIR/tandem.ini:{line_of(server, f'default_domain = {DOMAIN}')}")
    assert keys["imap.idle"] == ("30m", "default")
    assert keys["tandem.drain"] == ("15s", "default")
    assert keys["daemon.control"] == (f"{server.store}/control", "default")
    assert keys["auth.scheme"] == ("yescrypt", "default")
    assert keys["tls.certificate"][0] == server.certificate
    assert keys["listen imaps.tls"] == ("implicit", keys["listen imaps.tls"][1])
    assert keys["listen imaps.address"][0] == f"{server.address}:10993"
    assert keys["listen imaps.mode"] == ("0660", "default")
    assert set(shown(server, "pop3")) == {key for key in keys if key.startswith("pop3.")}
    assert shown(server, "imap.idle") == {"imap.idle": ("30m", "default")}
    assert done(server, "config", "show", "--no-header", "imap.idle") == ["imap.idle  30m    default"]
    assert failed(server, "config", "show", "--user", "nobody") == (
        1, f"nobody@{DOMAIN}: there is no such account")


def test_account_wins_over_domain_over_file(server):  # noqa: F811
    done(server, "domain", "add", "example.net")
    done(server, "user", "add", "zoe@example.net", "--password-stdin", "--scheme", "ssha512",
         stdin="secret\n")
    done(server, "domain", "set", "Example.NET", "store.quota=1G", "pop3.hide_seen=yes")
    done(server, "domain", "set", "example.net", "store.quota=2G", "imap.enabled=no")
    assert "CONTACTADMIN" in login(server, "zoe@example.net", "secret")
    assert login(server, "alice", "secret") is None
    done(server, "user", "set", "zoe@example.net", "pop3.hide_seen=after:3", "pop3.enabled=no")
    keys = shown(server, "--user", "zoe@example.net")
    assert keys["store.quota"] == ("2G", "domain example.net")
    assert keys["imap.enabled"] == ("no", "domain example.net")
    assert keys["pop3.hide_seen"] == ("after:3", "account zoe@example.net")
    assert keys["pop3.enabled"] == ("no", "account zoe@example.net")
    assert keys["pop3.since"] == ("", "default")
    assert shown(server, "--user", "alice")["store.quota"] == ("0", "default")
    assert rows(server, "domain", "show", "example.net") == {
        "domain": "example.net",
        "settings": ["imap.enabled=no", "pop3.hide_seen=yes", "store.quota=2G"]}
    done(server, "domain", "unset", "example.net", "imap.enabled", "store.quota")
    assert login(server, "zoe@example.net", "secret") is None
    assert shown(server, "--user", "zoe@example.net")["store.quota"] == ("0", "default")


def test_domains_are_listed_and_deleted(server):  # noqa: F811
    done(server, "domain", "add", "example.net")
    done(server, "domain", "set", "example.net", "store.quota=1G")
    assert rows(server, "domain", "list") == [{"domain": "example.net", "accounts": 0}, {"domain": DOMAIN, "accounts": 2}]
    done(server, "alias", "set", "@example.net", "alice")
    assert failed(server, "domain", "delete", "example.net") == (
        1, "example.net: it has accounts or aliases; delete them first")
    done(server, "alias", "delete", "@example.net")
    done(server, "domain", "delete", "example.net")
    assert failed(server, "domain", "delete", "example.net") == (1, "example.net: there is no such domain")
    assert failed(server, "domain", "delete", DOMAIN) == (1, f"{DOMAIN}: it is [tandem] default_domain")
    done(server, "domain", "add", "example.net")
    assert rows(server, "domain", "show", "example.net") == {
        "domain": "example.net", "settings": []}  # nothing is left of the old one


def test_wrong_settings_of_a_domain(server):  # noqa: F811
    for arguments, status, words in (
            (["set", DOMAIN, "pop3.hide_sen=yes"], 2, "pop3.hide_seen"),
            (["set", DOMAIN, "store.quota=much"], 2, "store.quota=much: store.quota: "),
            (["set", DOMAIN, "tandem.user=x"], 2, "can only be set in the configuration file"),
            (["set", DOMAIN, "store.quota"], 2, "'store.quota': write KEY=VALUE"),
            (["set", DOMAIN, "pop3.uidl_format=uid", "pop3.folders=INBOX,Junk"], 2, "uid is not unique"),
            (["set", "nowhere.example", "store.quota=1G"], 1, "nowhere.example: there is no such domain"),
            (["show", "no domain"], 2, "'no domain' is not a domain"),
            (["unset", DOMAIN, "store.quota"], 1, "store.quota: not set for this domain")):
        got, complaint = failed(server, "domain", *arguments)
        assert got == status and words in complaint, (arguments, complaint)
    assert rows(server, "domain", "show", DOMAIN)["settings"] == []


def test_the_configuration_can_be_looked_at_before_there_is_a_store(build, tmp_path):
    from conftest import Server
    s = Server(build, ["alice"])
    with open(s.ini, encoding="utf-8") as f:
        text = f.read().replace(s.store, "/nowhere/at/all")
    with open(s.ini, "w", encoding="utf-8") as f:
        f.write(text)
    assert any(line.split() == ["imap.idle", "30m", "default"] for line in done(s, "config", "show"))
    assert failed(s, "config", "show", "--user", "alice") == (1, "/nowhere/at/all: there is no store yet")
    s.remove()
