"""The admin tool's verbs about mailboxes and messages: while the daemon is down and while it is up,
with the same words, and what a client in IDLE hears of them."""
import re

from test_admin import Serving, done, failed, rows, server  # noqa: F401 (a fixture)

FIRST = ("From: =?utf-8?q?Zo=C3=AB?= <zoe@example.net>\nTo: alice@example.org\n"
         "Subject: =?iso-8859-1?q?Gr=FC=DFe?=\n\t aus Ulm\nDate: Sat, 1 Feb 2025 10:00:00 +0100\n"
         "Message-ID: <1@example.net>\n\nHello\n")


def fill(server):
    done(server, "deliver", "--user", "alice", stdin=FIRST)
    for n in range(2, 6):
        done(server, "deliver", "--user", "alice",
             stdin=f"From: bob@example.org\nSubject: number {n}\n\n{'x' * 100 * n}\n")


def names(server, user="alice"):
    return [row["mailbox"] for row in rows(server, "mailbox", "list", user)]


def test_mailboxes(server):  # noqa: F811
    assert names(server) == ["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"]
    assert done(server, "mailbox", "create", "alice", "Käse/Brie", "--use", "flagged") == []
    assert "Käse" in names(server) and "Käse/Brie" in names(server)
    brie = [row for row in rows(server, "mailbox", "list", "alice")
            if row["mailbox"] == "Käse/Brie"][0]
    assert brie == {"mailbox": "Käse/Brie", "use": "flagged", "subscribed": False,
                    "selectable": True, "messages": 0, "unseen": 0, "octets": 0}
    assert done(server, "mailbox", "subscribe", "alice", "Käse/Brie", "Käse") == []
    assert done(server, "mailbox", "unsubscribe", "alice", "Käse") == []
    assert [row["mailbox"] for row in rows(server, "mailbox", "list", "alice")
            if row["subscribed"] and "K" in row["mailbox"]] == ["Käse/Brie"]
    assert done(server, "mailbox", "rename", "alice", "Käse", "Cheese") == []
    assert names(server)[1:3] == ["Cheese", "Cheese/Brie"]
    assert failed(server, "mailbox", "rename", "alice", "Käse", "Sent") == (
        1, "'Käse' to 'Sent': there is no such mailbox")
    assert failed(server, "mailbox", "rename", "alice", "Cheese", "Sent") == (
        1, "'Cheese' to 'Sent': it is there already")
    assert failed(server, "mailbox", "create", "alice", "Cheese") == (
        1, "Cheese: it is there already")
    assert failed(server, "mailbox", "create", "alice", "a//b") == (
        1, "'a//b' cannot be the name of a mailbox")
    assert failed(server, "mailbox", "create", "zoe", "a") == (
        1, "zoe@example.org: there is no such account")
    assert failed(server, "mailbox", "create", "alice", "x", "--use", "y")[0] == 2
    assert done(server, "mailbox", "delete", "alice", "Cheese/Brie") == ["Cheese/Brie: deleted"]
    status, complaint = failed(server, "mailbox", "delete", "alice", "Cheese", "None")
    assert (status, complaint) == (3, "None: there is no such mailbox")
    assert "Cheese" not in names(server)
    assert failed(server, "mailbox", "delete", "alice", "INBOX")[0] == 1


def test_status_of_mailboxes(server):  # noqa: F811
    fill(server)
    inbox, = rows(server, "mailbox", "status", "alice", "INBOX")
    assert (inbox["messages"], inbox["unseen"], inbox["deleted"], inbox["uidnext"]) == (5, 5, 0, 6)
    assert inbox["octets"] == sum(row["size"] for row in rows(
        server, "fetch", "alice", "INBOX", "all", "size"))
    assert len(rows(server, "mailbox", "status", "alice")) == 6
    assert done(server, "mailbox", "status", "alice", "inbox")[0].split() == [
        "MAILBOX", "MESSAGES", "UNSEEN", "DELETED", "OCTETS", "UIDVALIDITY", "UIDNEXT",
        "HIGHESTMODSEQ", "MAILBOXID"]
    assert failed(server, "mailbox", "status", "alice", "Nix") == (
        1, "Nix: there is no such mailbox")


def test_fetch_prints_what_is_asked_for(server):  # noqa: F811
    fill(server)
    first, = rows(server, "fetch", "alice", "INBOX", "1", "uid", "from", "to", "subject", "sent",
                  "message-id", "cc", "size", "flags", "modseq")
    octets = len(FIRST.replace("\n", "\r\n"))
    modseq = first.pop("modseq")
    assert modseq > 0
    assert first == {"uid": 1, "from": "Zoë <zoe@example.net>", "to": "alice@example.org",
                     "subject": "Grüße aus Ulm", "sent": "2025-02-01T09:00:00Z",
                     "message_id": "<1@example.net>", "cc": None, "size": octets, "flags": []}
    table = done(server, "fetch", "alice", "INBOX", "2:3,*")
    assert table[0].split() == ["UID", "FLAGS", "SIZE", "DATE", "FROM", "SUBJECT"]
    assert [line.split()[0] for line in table[1:]] == ["2", "3", "5"]
    assert done(server, "fetch", "alice", "INBOX", "1", "body") == FIRST.split("\n")[:-1]
    assert done(server, "fetch", "alice", "INBOX", "1", "header") == FIRST.split("\n")[:-2]
    assert rows(server, "fetch", "alice", "INBOX", "77") == []
    assert failed(server, "fetch", "alice", "INBOX", "0") == (
        2, "'0' is not a set of UIDs; write one such as 1:5,9,12:* or all")
    for bad in ("1,", "", "1:", "a", "4294967296", ",1"):
        assert failed(server, "fetch", "alice", "INBOX", bad)[0] == 2, bad
    assert failed(server, "fetch", "alice", "INBOX", "1", "colour") == (
        2, "there is no field 'colour'; try 'tandem fetch --help'")
    assert failed(server, "fetch", "alice", "INBOX", "1", "uid", "body") == (
        2, "body stands alone: it is printed as it is")
    assert failed(server, "fetch", "alice", "Nix", "1") == (1, "Nix: there is no such mailbox")


def test_flags_come_and_go(server):  # noqa: F811
    fill(server)
    assert rows(server, "flags", "alice", "INBOX", "2:4", "+\\Seen", "+$Junk", "-Draft") == {
        "messages": 3, "changed": 3, "uids": "2:4"}
    assert rows(server, "flags", "alice", "INBOX", "all", "+seen") == {
        "messages": 5, "changed": 2, "uids": "1,5"}
    assert done(server, "flags", "alice", "INBOX", "3", "=Flagged") == [
        "messages  1", "changed   1", "uids      3"]
    assert [row["flags"] for row in rows(server, "fetch", "alice", "INBOX", "1:3", "flags")] == [
        ["\\Seen"], ["\\Seen", "$Junk"], ["\\Flagged"]]
    assert rows(server, "flags", "alice", "INBOX", "1:3", "=")["changed"] == 3
    assert failed(server, "flags", "alice", "INBOX", "1", "Seen") == (
        2, "'Seen': write +FLAG to set it, -FLAG to take it away, =FLAG to leave nothing else")
    assert failed(server, "flags", "alice", "INBOX", "1", "+a b")[0] == 2
    assert failed(server, "flags", "alice", "INBOX", "1", "+a", "=b") == (
        2, "=FLAG does not go with + or -")


def test_messages_move_and_go(server):  # noqa: F811
    fill(server)
    copied = rows(server, "copy", "alice", "INBOX", "1:2", "Archive")
    assert (copied["messages"], copied["source_uids"], copied["uids"]) == (2, "1:2", "1:2")
    assert rows(server, "move", "alice", "INBOX", "2,5", "Archive")["uids"] == "3:4"
    assert rows(server, "expunge", "alice", "INBOX", "3:9") == {"expunged": 2, "uids": "3:4"}
    assert rows(server, "expunge", "alice", "INBOX", "3:9") == {"expunged": 0, "uids": None}
    assert [row["uid"] for row in rows(server, "fetch", "alice", "INBOX", "all", "uid")] == [1]
    assert [row["subject"] for row in rows(server, "fetch", "alice", "Archive", "all", "subject")
            ] == ["Grüße aus Ulm", "number 2", "number 2", "number 5"]
    assert failed(server, "move", "alice", "INBOX", "1", "Nix") == (
        1, "Nix: there is no such mailbox")
    assert done(server, "check", "--bodies")[-1].endswith(": 0 findings")
    assert {row["protocol"] for row in rows(server, "journal", "alice")} == {"tandem"}


def test_a_client_in_idle_hears_of_it(server):  # noqa: F811
    fill(server)
    with Serving(server) as s:
        client = s.imap("alice")
        client.idle()
        done(s, "flags", "alice", "INBOX", "2", "+Flagged")
        assert re.match(rb"\* 2 FETCH .*\\Flagged", client.idle_line())
        done(s, "move", "alice", "INBOX", "1", "Archive")
        assert client.idle_line() == b"* 1 EXPUNGE"
        done(s, "expunge", "alice", "INBOX", "3")
        heard = [client.idle_line()]
        while not heard[-1].endswith(b"EXPUNGE"):
            heard.append(client.idle_line())
        assert heard[-1] == b"* 2 EXPUNGE"
        done(s, "copy", "alice", "Archive", "1", "INBOX")
        assert client.idle_line() == b"* 4 EXISTS"
        client.idle_done()
        assert client.fetch_dict("6", "BODY.PEEK[]")[6]["BODY"] == FIRST.replace(
            "\n", "\r\n").encode()
        client.logout()


def found(server, *words):
    return [(row["mailbox"], row["uid"]) for row in rows(server, "search", "alice", *words)]


def test_search(server):  # noqa: F811
    fill(server)
    done(server, "copy", "alice", "INBOX", "1:2", "Archive")
    done(server, "flags", "alice", "INBOX", "2,3", "+Seen", "+$Junk")
    assert found(server, "from", "ZOË") == [("Archive", 1), ("INBOX", 1)]
    assert found(server, "--mailbox", "INBOX", "subject", "grüsse") == []
    assert found(server, "--mailbox", "INBOX", "subject", "GRÜßE") == [("INBOX", 1)]
    assert found(server, "--mailbox", "INBOX", "body", "hello") == [("INBOX", 1)]
    assert found(server, "--mailbox", "INBOX", "header", "Message-ID", "1@example") == [
        ("INBOX", 1)]
    assert found(server, "--mailbox", "INBOX", "seen", "keyword", "$junk", "not", "uid", "2") == [
        ("INBOX", 3)]
    assert found(server, "--mailbox", "INBOX", "(", "larger", "500", "or", "text", "hello", ")",
                 "unseen") == [("INBOX", 1), ("INBOX", 5)]
    assert found(server, "senton", "2025-02-01") == [("Archive", 1), ("INBOX", 1)]
    assert found(server, "older", "2d") == []
    assert len(found(server, "younger", "2d")) == 7
    assert rows(server, "search", "alice", "--uids", "subject", "number") == [
        {"mailbox": "Archive", "messages": 1, "uids": "2"},
        {"mailbox": "INBOX", "messages": 4, "uids": "2:5"}]
    assert done(server, "search", "alice", "--mailbox", "INBOX", "uid", "3")[0].split() == [
        "MAILBOX", "UID", "DATE", "SIZE", "FLAGS"]
    assert failed(server, "search", "alice", "green") == (
        2, "what is 'green'? Try 'tandem search --help'")
    assert failed(server, "search", "alice", "uid", "x")[0] == 2
    assert failed(server, "search", "alice", "--mailbox", "Nix", "all") == (
        1, "Nix: there is no such mailbox")
