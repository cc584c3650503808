#include "core/base/config.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/fault.h"
#include "tests/lib/unit.h"

static struct config *good(const char *text)
{
    struct config *c = NULL;
    struct config_errors errs;
    config_errors_init(&errs);
    enum err e = config_parse(slice_str(text), "t.ini", &c, &errs);
    for (unsigned i = 0; i < errs.n; i++) {
        char line[600];
        config_error_format(&errs, i, line, sizeof line);
        print_error("%s\n", line);
    }
    assert_ok(e);
    config_errors_finish(&errs);
    return c;
}

/* `text` has exactly the errors `lines`, one a line. */
static void bad_slice(struct slice text, const char *lines)
{
    struct config *c = NULL;
    struct config_errors errs;
    config_errors_init(&errs);
    assert_err(config_parse(text, "t.ini", &c, &errs), ERR_SYNTAX);
    assert_null(c);
    struct buf all;
    buf_init(&all, 1 << 20);
    for (unsigned i = 0; i < errs.n; i++) {
        char line[600];
        config_error_format(&errs, i, line, sizeof line);
        assert_ok(buf_printf(&all, "%s\n", line));
    }
    assert_ok(buf_append_c(&all, '\0'));
    assert_string_equal(all.ptr, lines);
    buf_finish(&all);
    config_errors_finish(&errs);
}

static void bad(const char *text, const char *lines)
{
    bad_slice(slice_str(text), lines);
}

static void every_default_is_valid_and_documented(void **state)
{
    (void)state;
    struct config *c;
    struct config_key_info k;
    unsigned overridable = 0;
    unsigned i = 0;
    config_default(&c);
    for (; config_key_info(i, &k); i++) {
        assert_true(k.section[0] && k.key[0] && k.type[0] && k.help[0]);
        overridable += k.overridable;
        unsigned line;
        const char *text = config_key_text(c, i, &line);
        assert_int_equal(text == NULL, k.named && strcmp(k.section, "tls") != 0);
        if (text)
            assert_string_equal(text, k.fallback);
    }
    assert_int_equal(i, 137);
    assert_int_equal(overridable, 28);
    assert_int_equal(c->tandem.version, 1);
    assert_true(c->tandem.hostname[0] && c->tandem.loops >= 1 && c->tandem.loops <= 8);
    assert_string_equal(c->tandem.default_domain, c->tandem.hostname);
    assert_int_equal(c->tandem.drain_ms, 15000);
    assert_string_equal(c->store.path, "/var/lib/tandem");
    assert_string_equal(c->daemon.control, "/var/lib/tandem/control");
    assert_null(c->daemon.metrics);
    assert_int_equal(c->store.reserve.percent, 2);
    assert_int_equal(c->limits.memory.percent, 25);
    assert_int_equal(c->imap.idle_ms, 1800000);
    assert_int_equal(c->imap.literal_plus, LITERAL_PLUS);
    assert_int_equal(c->limits.line_preauth, 16384);
    assert_int_equal(c->limits.command, 1 << 20);
    assert_int_equal(c->auth.delay_min_ms, 1000);
    assert_int_equal(c->auth.delay_max_ms, 15000);
    assert_int_equal(c->auth.mechanisms, MECH_PLAIN | MECH_LOGIN);
    assert_int_equal(c->auth.master_separator, '*');
    assert_int_equal(c->auth.sources.n, 1);
    assert_int_equal(c->auth.sources.items[0].kind, SOURCE_CATALOG);
    assert_int_equal(c->log.to, LOG_TO_STDERR);
    assert_int_equal(c->log.level, LOG_INFO);
    assert_true(c->lmtp.trusted.unix_sockets && c->lmtp.trusted.n == 2);
    assert_int_equal(c->settings.store.undelete_s, 14 * 86400);
    assert_int_equal(c->settings.store.message_size, 50 << 20);
    assert_int_equal(c->settings.store.undelete_cap, 0);
    assert_true(c->settings.pop3.enabled && c->settings.pop3.retr_seen);
    assert_int_equal(c->settings.pop3.hide_seen_days, -1);
    assert_int_equal(c->settings.pop3.expire_days, -1);
    assert_int_equal(c->settings.pop3.folders.n, 1);
    assert_string_equal(c->settings.pop3.folders.items[0], "INBOX");
    assert_int_equal(c->settings.limits.per_user, 50);
    config_unref(c);
}

static void without_listeners_there_are_five(void **state)
{
    (void)state;
    struct config *c = good("[store]\npath = /srv/mail\n");
    assert_int_equal(c->n_listen, 5);
    assert_true(c->default_listen);
    assert_string_equal(c->listen[0].name, "pop3");
    assert_string_equal(c->listen[0].address.items[0], "*:110");
    assert_string_equal(c->listen[0].address.items[1], "[::]:110");
    assert_int_equal(c->listen[0].tls, CONFIG_TLS_STARTTLS);
    assert_string_equal(c->listen[3].name, "imaps");
    assert_int_equal(c->listen[3].tls, CONFIG_TLS_IMPLICIT);
    assert_int_equal(c->listen[4].protocol, PROTOCOL_LMTP);
    assert_string_equal(c->listen[4].address.items[0], "unix:/srv/mail/lmtp");
    assert_int_equal(c->listen[4].mode, 0660);
    config_unref(c);
}

static const char big[] = "# a comment; with = signs\n"
                          "[tandem]\n"
                          "version=1\n"
                          "hostname = Mail.Example.org\n"
                          "  loops = 3\r\n"
                          "\n"
                          "[store]\n"
                          "reserve = 512M\n"
                          "allow_fs = tmpfs , 9p\n"
                          "undelete = 0\n"
                          "undelete_cap = 2G\n"
                          "autoexpunge = Trash:30d, Junk Mail:12h\n"
                          "[listen one]\n"
                          "protocol = imap\n"
                          "address = 127.0.0.1:1143, [::1]:1143, unix:/tmp/imap\n"
                          "tls = starttls\n"
                          "tls_profile = old\n"
                          "proxy_from = 10.0.0.0/8, 2001:db8::/32, unix\n"
                          "mode = 600\n"
                          "[LISTEN   two]\n"
                          "protocol = pop3\n"
                          "address = *:1110\n"
                          "[tls old]\n"
                          "min = 1.2\n"
                          "priority = NORMAL\n"
                          "[tls]\n"
                          "certificate = /etc/c.pem\n"
                          "key = /etc/k.pem\n"
                          "tickets = no\n"
                          "[auth]\n"
                          "sources = catalog, passwd-file:/etc/p, pam:mail, ldap:dir, exec:ask\n"
                          "mechanisms = plain, scram-sha-256-plus, cram-md5\n"
                          "master_separator =\n"
                          "delay = 2s..1m\n"
                          "cache = 0\n"
                          "[ldap dir]\n"
                          "uri = ldaps://ldap.example.org\n"
                          "base = dc=example,dc=org\n"
                          "filter = \"(&(mail=%u)(!(x=#;)))\"  # quoted\n"
                          "[hook ask]\n"
                          "command = /usr/bin/ask\n"
                          "[pop3]\n"
                          "hide_seen = after:7\n"
                          "since = 2024-02-29\n"
                          "expire = 30d\n"
                          "login_delay = 90\n"
                          "brake = 100,50\n"
                          "delete = hide\n"
                          "folders = INBOX, 'Bar\n"
                          "[imap]\n"
                          "IDLE = 45m\n"
                          "special_aliases = 'Gesendet: a:Sent, Müll:Trash'\n"
                          "[log]\n"
                          "to = file:/var/log/tandem.log\n"
                          "format = json\n"
                          "[imap]\n"
                          "keywords = 10";

static void everything_is_read(void **state)
{
    (void)state;
    struct config *c = good(big);
    const struct settings *s = &c->settings;
    assert_string_equal(c->file, "t.ini");
    assert_string_equal(c->tandem.hostname, "Mail.Example.org");
    assert_string_equal(c->tandem.default_domain, "Mail.Example.org");
    assert_int_equal(c->tandem.loops, 3);
    assert_int_equal(c->store.reserve.percent, 0);
    assert_int_equal(c->store.reserve.octets, 512 << 20);
    assert_int_equal(c->store.allow_fs.n, 2);
    assert_string_equal(c->store.allow_fs.items[1], "9p");
    assert_int_equal(s->store.undelete_s, 0);
    assert_true(s->store.undelete_cap == (size_t)2 << 30);
    assert_int_equal(s->store.autoexpunge.n, 2);
    assert_string_equal(s->store.autoexpunge.items[1].mailbox, "Junk Mail");
    assert_int_equal(s->store.autoexpunge.items[1].age_s, 43200);
    assert_int_equal(c->n_listen, 2);
    assert_string_equal(c->listen[0].name, "one");
    assert_int_equal(c->listen[0].line, 13);
    assert_int_equal(c->listen[0].address.n, 3);
    assert_string_equal(c->listen[0].tls_profile, "old");
    assert_int_equal(c->listen[0].mode, 0600);
    assert_true(c->listen[0].proxy_from.unix_sockets);
    assert_string_equal(c->listen[1].name, "two");
    assert_int_equal(c->listen[1].protocol, PROTOCOL_POP3);
    assert_int_equal(c->n_tls, 2);
    assert_string_equal(c->tls[0].name, "");
    assert_string_equal(c->tls[1].name, "old");
    assert_string_equal(c->tls[1].certificate, "/etc/c.pem");
    assert_string_equal(c->tls[1].priority, "NORMAL");
    assert_string_not_equal(c->tls[0].priority, "NORMAL");
    assert_false(c->tls[1].tickets);
    assert_int_equal(c->auth.sources.n, 5);
    assert_string_equal(c->auth.sources.items[1].name, "/etc/p");
    assert_int_equal(c->auth.sources.items[4].kind, SOURCE_EXEC);
    assert_int_equal(c->auth.mechanisms, MECH_PLAIN | MECH_SCRAM_SHA_256_PLUS | MECH_CRAM_MD5);
    assert_int_equal(c->auth.master_separator, 0);
    assert_int_equal(c->auth.delay_max_ms, 60000);
    assert_int_equal(c->auth.cache_ms, 0);
    assert_string_equal(c->ldap[0].base, "dc=example,dc=org");
    assert_string_equal(c->ldap[0].filter, "(&(mail=%u)(!(x=#;)))");
    assert_int_equal(c->hook[0].queue, 1000);
    assert_int_equal(s->pop3.hide_seen_days, 7);
    assert_int_equal(s->pop3.since, 1709164800);
    assert_int_equal(s->pop3.expire_days, 30);
    assert_int_equal(s->pop3.login_delay_s, 90);
    assert_int_equal(s->pop3.brake_messages, 100);
    assert_int_equal(s->pop3.brake_percent, 50);
    assert_int_equal(s->pop3.delete_mode, POP3_DELETE_HIDE);
    assert_string_equal(s->pop3.folders.items[1], "'Bar");
    assert_int_equal(c->imap.idle_ms, 2700000);
    assert_int_equal(c->imap.keywords, 10);
    assert_string_equal(c->imap.special_aliases.items[0].name, "Gesendet: a");
    assert_string_equal(c->imap.special_aliases.items[1].value, "Trash");
    assert_int_equal(c->log.to, LOG_TO_FILE);
    assert_string_equal(c->log.path, "/var/log/tandem.log");
    assert_int_equal(c->log.format, LOG_JSON);
    config_unref(c);
}

static void all_errors_come_at_once_with_line_key_and_mend(void **state)
{
    (void)state;
    bad("orphan = 1\n"
        "[imap]\n"
        "idel = 31m\n"
        "idle = 10m\n"
        "keywords = 0x10\n"
        "keywords = 5\n"
        "hide_seen = yes\n"
        "compress = on\n"
        "literal_plus = never\n"
        "search_keys = 010 ; octal?\n"
        "gibberish\n"
        "[pop33]\n"
        "idle = 1s\n"
        "[limits]\n"
        "line = 64kb\n"
        "login = 60\n"
        "[listen]\n"
        "[listen Foo]\n"
        "[imap x]\n"
        "[listen a]\n"
        "protocol = smtp\n",
        "t.ini:1: orphan: it stands before the first section; put it below a line [SECTION]\n"
        "t.ini:3: imap.idel: there is no such key in [imap]; did you mean 'idle'?\n"
        "t.ini:4: imap.idle: is too small; 30m to 1d\n"
        "t.ini:5: imap.keywords: '0x10' is not a number; decimal digits only, 1 to 64\n"
        "t.ini:6: imap.keywords: it is given twice, before in line 5; remove one of the two\n"
        "t.ini:7: imap.hide_seen: there is no such key in [imap]; it belongs to [pop3]\n"
        "t.ini:8: imap.compress: 'on' is neither yes nor no; write yes or no\n"
        "t.ini:9: imap.literal_plus: 'never' is not one of the choices; write plus, minus or no\n"
        "t.ini:10: imap.search_keys: the value would be cut at ';'; put the value in double "
        "quotes, a comment on a line of its own\n"
        "t.ini:11: 'gibberish' is not understood; write KEY = VALUE, or begin a comment with #\n"
        "t.ini:12: there is no section [pop33]; did you mean [pop3]?\n"
        "t.ini:15: limits.line: '64kb' is not a size; write octets or a number with k, M or G, "
        "such as 64k\n"
        "t.ini:16: limits.login: '60' is not a time; write a number with s, m, h or d, such as "
        "30s\n"
        "t.ini:17: [listen] needs a name; write [listen NAME] with 1 to 32 of a-z 0-9 _ -\n"
        "t.ini:18: the name of this section is not valid; write [listen NAME] with 1 to 32 of a-z "
        "0-9 _ -\n"
        "t.ini:19: [imap] takes no name; write [imap]\n"
        "t.ini:20: listen a.address: it is missing; *:143, [::]:143, 192.0.2.1:143, unix:/path\n"
        "t.ini:21: listen a.protocol: 'smtp' is not one of the choices; write imap, pop3 or "
        "lmtp\n");
}

static void traps_of_iniparser_are_reported(void **state)
{
    (void)state;
    bad("\xef\xbb\xbf[imap]\nkeywords = 5\n",
        "t.ini:1: a byte order mark; save the file as UTF-8 without one\n");
    bad("[imap]\nkeywords = \\\n5\n",
        "t.ini:2: a backslash at the end of the line; write the whole value on one line\n"
        "t.ini:3: '5' is not understood; write KEY = VALUE, or begin a comment with #\n");
    bad("[ldap d]\nuri = ldap://h\nbase = \"a\\b\"\n",
        "t.ini:3: ldap d.base: a backslash inside quotes; write it without quotes\n");
    bad("[ldap d]\nuri = ldap://h\nbase = \"a\n",
        "t.ini:3: ldap d.base: the quotes are not closed; close the quotes on the same line\n");
    bad("[ldap d]\nuri = ldap://h\nbase = \"a\" b\n",
        "t.ini:3: ldap d.base: text behind the closing quotes; put the whole value in quotes\n");
    bad("[imap] # x\nkeywords = 7\n",
        "t.ini:1: not a section; write [SECTION] alone on its line\n");
    bad("[store]\npath = /a\xff\n",
        "t.ini:2: an octet that is not UTF-8; save the file as UTF-8\n");
    bad_slice(SLICE("[store]\npath = /a\0b\n"), "t.ini:2: a control character; remove it\n");
    char text[2000];
    memset(text, 'x', sizeof text);
    memcpy(text, "[tandem]\nuser=", 14);
    bad_slice(
        slice(text, sizeof text),
        "t.ini:2: a line of 1991 octets; at most 1000 are read; shorten it; long lists belong "
        "in files of their own\n");
    /* A comment may hold anything, and does not join the next line. */
    memset(text, 'x', sizeof text);
    memcpy(text, "# \xff\0\\", 5);
    text[1999] = '\\';
    struct buf b;
    buf_init(&b, 4000);
    assert_ok(buf_append(&b, slice(text, sizeof text)));
    assert_ok(buf_append(&b, SLICE("\n[imap]\nkeywords = 9\n")));
    struct config *c;
    struct config_errors errs;
    config_errors_init(&errs);
    assert_ok(config_parse(buf_slice(&b), "t.ini", &c, &errs));
    assert_int_equal(c->imap.keywords, 9);
    config_unref(c);
    config_errors_finish(&errs);
    buf_finish(&b);
}

static void keys_are_checked_together(void **state)
{
    (void)state;
    bad("[listen a]\nprotocol = imap\naddress = *:143\n"
        "[listen b]\nprotocol = pop3\naddress = *:110, *:143\ntls_profile = none\n",
        "t.ini:4: listen b.address: *:143 is taken by [listen a]; give each listener addresses of "
        "its own\n"
        "t.ini:4: listen b.tls_profile: there is no such profile; add a section [tls NAME] of that "
        "name\n"
        "t.ini:4: listen b.tls_profile: this listener has no TLS; add tls = starttls or tls = "
        "implicit\n");
    bad("[tls]\nkey = /k\n[tls x]\n[hook h]\nurl = http://h/\ncommand = /c\n[hook i]\n"
        "[oauth o]\nissuer = https://i\naudience = a\n"
        "[auth]\nsources = catalog, ldap:no, exec:i, http:i\n",
        "t.ini:1: tls.certificate: the key has no certificate; name the file of the certificate\n"
        "t.ini:3: tls x.certificate: the key has no certificate; name the file of the "
        "certificate\n"
        "t.ini:4: hook h: it has both command and url; give one of the two\n"
        "t.ini:7: hook i: it has neither command nor url; give one of the two\n"
        "t.ini:8: oauth o: tokens cannot be checked; give jwks or introspection\n"
        "t.ini:12: auth.sources: there is no 'no' for this source; add a section [ldap NAME] of "
        "that name\n"
        "t.ini:12: auth.sources: there is no 'i' for this source; add a section [hook NAME] of "
        "that name with a command\n"
        "t.ini:12: auth.sources: there is no 'i' for this source; add a section [hook NAME] of "
        "that name with a url\n");
    bad("[limits]\nline_preauth = 12k\ncommand = 64k\n[pop3]\nfolders = INBOX, Junk\n"
        "uidl_format = uid\n",
        "t.ini:2: limits.line_preauth: the first line of a SASL exchange does not fit; at least "
        "[limits] sasl and 512 octets\n"
        "t.ini:3: limits.command: a line and a literal do not fit; at least line and literal "
        "together\n"
        "t.ini:6: pop3.uidl_format: uid is not unique over several folders (pop3.folders, line 5); "
        "name one folder or choose another format\n");
    bad("[pop3]\nexpire = 0\ndelete = keep\n",
        "t.ini:2: pop3.expire: 0 removes what was downloaded, and keep removes nothing "
        "(pop3.delete, line 3); let mail stay for some days, or choose delete = expunge\n");
    bad("[pop3]\nfolders = INBOX, trash\ndelete = trash\n",
        "t.ini:3: pop3.delete: what is moved to Trash would be listed again (pop3.folders, line "
        "2); leave Trash out of the folders, or choose delete = expunge\n");
    char text[200] = "[store]\npath = /";
    memset(text + 16, 'a', 100);
    bad(text, "t.ini:2: store.path: it is too long for the sockets in it; choose a shorter path, "
              "or set [daemon] control and the lmtp listener\n");
}

/* One wrong value of each kind: the field keeps its default, and the line says what to write. */
static void each_kind_refuses(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "[tandem]\nversion = 2",
        "[tandem]\nversion =",
        "[tandem]\nhostname = -a.example",
        "[tandem]\nhostname = a..b",
        "[tandem]\nhostname = a b",
        "[tandem]\nhostname = a.",
        "[tandem]\nuser =",
        "[tandem]\nloops = 0",
        "[tandem]\nloops = 4294967297",
        "[tandem]\ndrain = 1",
        "[tandem]\ndrain = -1s",
        "[tandem]\ndrain = 99999999999999999999s",
        "[tandem]\ndrain = s",
        "[store]\npath = mail",
        "[store]\npath =",
        "[store]\nreserve = 101%",
        "[store]\nreserve = 0%",
        "[store]\nreserve = %",
        "[store]\nreserve = 0",
        "[store]\nshards = 65",
        "[store]\nmessage_size = 2G",
        "[store]\nmessage_size = 0",
        "[store]\nquota = 18446744073709551615G",
        "[store]\nautoexpunge = Trash",
        "[store]\nautoexpunge = Trash:0",
        "[store]\nautoexpunge = :30d",
        "[store]\nautoexpunge = Trash:30d,,Junk:1d",
        "[store]\nautoexpunge = Trash:999999999d",
        "[auth]\nlocal_networks = 10.0.0.1/8",
        "[auth]\nlocal_networks = 10.0.0.0/33",
        "[auth]\nlocal_networks = example.org",
        "[auth]\nmechanisms = plain, digest-md5",
        "[auth]\nmechanisms =",
        "[auth]\nmaster_separator = ab",
        "[auth]\nmaster_separator = a",
        "[auth]\nsources = passwd-file:etc",
        "[auth]\nsources = sql:x",
        "[auth]\nsources = pam:",
        "[auth]\ndelay = 5s",
        "[auth]\ndelay = 5s..1s",
        "[auth]\nplaintext_auth = Local",
        "[imap]\nspecial_aliases = Sent Items:Gesendet",
        "[imap]\nspecial_aliases = Sent Items",
        "[pop3]\nidle = 599s",
        "[pop3]\nhide_seen = after:",
        "[pop3]\nhide_seen = maybe",
        "[pop3]\nsince = 2023-02-29",
        "[pop3]\nsince = 1969-12-31",
        "[pop3]\nsince = 2023-2-1",
        "[pop3]\nexpire = always",
        "[pop3]\nexpire = 40000",
        "[pop3]\nbrake = 100",
        "[pop3]\nbrake = 100,101",
        "[pop3]\nbrake = 0,50",
        "[pop3]\nfolders =",
        "[pop3]\nlogin_delay = 1x",
        "[log]\nto = syslog",
        "[log]\nto = file:log",
        "[daemon]\nmetrics = *:9090",
        "[daemon]\nmetrics = 192.0.2.1:9090",
        "[daemon]\nmetrics = unix:relative",
        "[daemon]\ncontrol = "
        "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "[listen x]\nprotocol = imap\naddress = *:0",
        "[listen x]\nprotocol = imap\naddress = *:65536",
        "[listen x]\nprotocol = imap\naddress = ::1:143",
        "[listen x]\nprotocol = imap\naddress = [127.0.0.1]:143",
        "[listen x]\nprotocol = imap\naddress = host:143",
        "[listen x]\nprotocol = imap\naddress = []:143",
        "[listen x]\nprotocol = imap\naddress = :143",
        "[listen x]\nprotocol = imap\naddress =",
        "[listen x]\nprotocol = imap\naddress = *:143\nmode = 0888",
        "[listen x]\nprotocol = imap\naddress = *:143\nmode = 1777",
        "[hook x]\nurl = ftp://x",
        "[ldap x]\nuri = ldap.example.org\nbase = x",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct config *c = NULL;
        struct config_errors errs;
        config_errors_init(&errs);
        if (config_parse(slice_str(lines[i]), "t.ini", &c, &errs) != ERR_SYNTAX || errs.n < 1)
            fail_msg("accepted: %s", lines[i]);
        assert_true(errs.items[0].line > 0 && errs.items[0].key[0] && errs.items[0].why[0]);
        if (!errs.items[0].mend[0])
            fail_msg("no mend: %s", lines[i]);
        config_errors_finish(&errs);
    }
}

static void overrides_follow_the_same_table(void **state)
{
    (void)state;
    struct config *c;
    config_default(&c);
    struct settings s = c->settings;
    struct arena a;
    arena_init(&a, 4096);
    struct fault why;
    assert_ok(config_override(&s, SLICE("pop3.hide_seen"), SLICE("yes"), &a, &why));
    assert_int_equal(s.pop3.hide_seen_days, 0);
    assert_ok(config_override(&s, SLICE("pop3.folders"), SLICE("INBOX, Junk"), &a, &why));
    assert_int_equal(s.pop3.folders.n, 2);
    assert_ok(config_override(&s, SLICE("store.quota"), SLICE("5G"), &a, &why));
    assert_true(s.store.quota == (size_t)5 << 30);
    assert_ok(config_override(&s, SLICE("pop3.since"), SLICE_NONE, &a, &why));
    assert_int_equal(c->settings.pop3.hide_seen_days, -1); /* the copy alone */

    struct settings before = s;
    assert_err(config_override(&s, SLICE("store.quota"), SLICE("lots"), &a, &why), ERR_SYNTAX);
    assert_string_equal(why.text, "store.quota: 'lots' is not a size; write octets or a number "
                                  "with k, M or G, such as 64k");
    assert_err(config_override(&s, SLICE("pop3.hide_sen"), SLICE("no"), &a, &why), ERR_NOTFOUND);
    assert_string_equal(why.text,
                        "there is no setting 'pop3.hide_sen'; did you mean 'pop3.hide_seen'?");
    assert_err(config_override(&s, SLICE("zzz"), SLICE("no"), &a, &why), ERR_NOTFOUND);
    assert_string_equal(why.text, "there is no setting 'zzz'");
    assert_err(config_override(&s, SLICE("imap.idle"), SLICE("1h"), &a, &why), ERR_PERM);
    assert_err(config_override(&s, SLICE("pop3.hide_seen\0"), SLICE("no"), &a, NULL), ERR_NOTFOUND);
    assert_err(config_override(&s, SLICE("store.quota"), SLICE("5\n"), &a, NULL), ERR_SYNTAX);
    static char many[6000];
    memset(many, 'x', sizeof many);
    for (size_t i = 1; i < sizeof many; i += 2)
        many[i] = ',';
    assert_err(config_override(&s, SLICE("pop3.folders"), slice(many, sizeof many - 1), &a, &why),
               ERR_LIMIT);
    assert_memory_equal(&before, &s, sizeof s);

    assert_ok(config_settings_check(&s, &why));
    assert_ok(config_override(&s, SLICE("pop3.uidl_format"), SLICE("uid"), &a, &why));
    assert_err(config_settings_check(&s, &why), ERR_CANNOT);
    arena_reset(&a);
    config_unref(c);
}

static struct sockaddr_storage peer(const char *text)
{
    struct sockaddr_storage a = {.ss_family = AF_UNIX};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&a;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
        a.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
        a.ss_family = AF_INET6;
    return a;
}

static void networks_match(void **state)
{
    (void)state;
    struct config *c = good("[auth]\nlocal_networks = loopback, 10.20.0.0/14, 2001:db8::/33\n");
    const struct config_networks *n = &c->auth.local_networks;
    static const struct {
        const char *address;
        bool in;
    } rows[] = {
        {"127.255.0.1",      true },
        {"128.0.0.1",        false},
        {"::1",              true },
        {"::2",              false},
        {"10.23.255.9",      true },
        {"10.24.0.0",        false},
        {"2001:db8:7fff::1", true },
        {"2001:db8:8000::",  false},
        {"::ffff:10.20.1.1", true },
        {"unix",             false},
        {"::ffff:10.19.1.1", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sockaddr_storage a = peer(rows[i].address);
        assert_int_equal(config_networks_match(n, &a), rows[i].in);
    }
    struct sockaddr_storage a = peer("unix");
    assert_true(config_networks_match(&c->lmtp.trusted, &a));
    config_unref(c);
}

static char changes[400];

static void note(void *arg, const char *key, unsigned line)
{
    assert_ptr_equal(arg, changes);
    snprintf(changes + strlen(changes), sizeof changes - strlen(changes), "%s:%u ", key, line);
}

static void restart_keys_keep_their_running_value(void **state)
{
    (void)state;
    struct config *old = good("[store]\npath = /old\nshards = 2\n[auth]\nsources = pam:a\n");
    struct config *new = good("[tandem]\nhostname = new.example\n[store]\nshards = 2\n"
                              "path = /new\n[limits]\nmemory = 1G\n[auth]\nsources = pam:b\n"
                              "[log]\nlevel = debug\n");
    changes[0] = '\0';
    config_keep_restart(new, old, note, changes);
    assert_string_equal(changes, "store.path:5 auth.sources:9 limits.memory:7 ");
    assert_string_equal(new->store.path, "/old");
    assert_string_equal(new->daemon.control, "/old/control");
    assert_string_equal(new->listen[4].address.items[0], "unix:/old/lmtp");
    assert_int_equal(new->limits.memory.percent, 25);
    assert_string_equal(new->auth.sources.items[0].name, "a");
    assert_string_equal(new->tandem.hostname, "new.example");
    assert_int_equal(new->log.level, LOG_DEBUG);
    config_unref(old);
    changes[0] = '\0';
    config_keep_restart(new, new, note, changes);
    assert_string_equal(changes, "");
    config_unref(new);
}

static void tests_may_pass_the_range(void **state)
{
    (void)state;
    struct config *c;
    config_default(&c);
    config_set_for_test(c, "imap.idle", "1s");
    config_set_for_test(c, "store.path", "/tmp/x");
    config_set_for_test(c, "pop3.hide_downloaded", "yes");
    config_set_for_test(c, "tls.certificate", "/tmp/c.pem");
    assert_int_equal(c->imap.idle_ms, 1000);
    assert_string_equal(c->daemon.control, "/tmp/x/control");
    assert_true(c->settings.pop3.hide_downloaded);
    assert_string_equal(c->tls[0].certificate, "/tmp/c.pem");
    struct config *same = config_ref(c);
    config_unref(c);
    assert_int_equal(same->imap.idle_ms, 1000);
    config_unref(same);
    config_unref(NULL);
}

static void files_that_cannot_be_read(void **state)
{
    (void)state;
    struct config *c = NULL;
    struct config_errors errs;
    char line[600];
    config_errors_init(&errs);
    assert_err(config_load("/nowhere/tandem.ini", &c, &errs), ERR_NOTFOUND);
    config_error_format(&errs, 0, line, sizeof line);
    assert_string_equal(line, "/nowhere/tandem.ini: there is no such file; name it with -c FILE");
    config_errors_finish(&errs);
    assert_err(config_load("/", &c, &errs), ERR_DOWN);
    config_errors_finish(&errs);
    char path[] = "/tmp/tandem-config-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, big, strlen(big)) == (ssize_t)strlen(big));
    assert_ok(config_load(path, &c, &errs));
    assert_string_equal(c->file, path);
    config_unref(c);
    assert_int_equal(ftruncate(fd, (1 << 20) + 1), 0);
    assert_err(config_load(path, &c, &errs), ERR_TOOBIG);
    assert_int_equal(errs.n, 1);
    config_errors_finish(&errs);
    close(fd);
    unlink(path);
}

static void hostile_files_take_little_time(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 20);
    for (unsigned i = 0; b.len < (1 << 20) - 40; i++)
        assert_ok(buf_printf(&b, i % 3 ? "[listen n%u]\n" : "[imap]\nkeyword=%u\nkeywords=1\n", i));
    struct config *c = NULL;
    struct config_errors errs;
    config_errors_init(&errs);
    assert_err(config_parse(buf_slice(&b), "t.ini", &c, &errs), ERR_SYNTAX);
    assert_int_equal(errs.n, 200);
    assert_true(errs.left_out > 1000);
    config_errors_finish(&errs);
    buf_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_default_is_valid_and_documented),
        cmocka_unit_test(without_listeners_there_are_five),
        cmocka_unit_test(everything_is_read),
        cmocka_unit_test(all_errors_come_at_once_with_line_key_and_mend),
        cmocka_unit_test(traps_of_iniparser_are_reported),
        cmocka_unit_test(keys_are_checked_together),
        cmocka_unit_test(each_kind_refuses),
        cmocka_unit_test(overrides_follow_the_same_table),
        cmocka_unit_test(networks_match),
        cmocka_unit_test(restart_keys_keep_their_running_value),
        cmocka_unit_test(tests_may_pass_the_range),
        cmocka_unit_test(files_that_cannot_be_read),
        cmocka_unit_test(hostile_files_take_little_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
