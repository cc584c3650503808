/* tests/lib/script.h: the test of what the tests rely on. */
#include <stdlib.h>
#include <unistd.h>

#include "tests/lib/script.h"
#include "tests/lib/unit.h"

static struct script *script_of(const char *text)
{
    char path[] = "/tmp/tandem-script-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    struct script *sc = script_read(path);
    unlink(path);
    return sc;
}

static void reads_directives_and_lines(void **state)
{
    (void)state;
    struct script *sc = script_of("# what it proves\n"
                                  "account alice INBOX a.eml b.eml\n"
                                  "account alice Sent c.eml\n"
                                  "config listen imap.tls = none\n"
                                  "pipelined no: the numbers would move\n"
                                  "\n"
                                  "connect pop3s C2\n"
                                  "C: a NOOP\n"
                                  "S: *...\n"
                                  "S: a OK *\n"
                                  "S! EXPUNGE\n"
                                  "C2~: x\n"
                                  "wait 20ms\n"
                                  "eof C2\n");
    assert_int_equal(sc->naccounts, 1);
    assert_int_equal(sc->nmails, 3);
    assert_string_equal(sc->mails[2].mailbox, "Sent");
    assert_string_equal(sc->settings[0].section, "listen imap");
    assert_string_equal(sc->settings[0].key, "tls");
    assert_string_equal(sc->settings[0].value, "none");
    assert_true(sc->not_pipelined);
    assert_false(sc->not_bytewise);
    static const enum entry_kind kinds[] = {ENTRY_CONNECT, ENTRY_SEND, ENTRY_SKIP, ENTRY_EXPECT,
                                            ENTRY_FORBID,  ENTRY_SEND, ENTRY_WAIT, ENTRY_EOF};
    assert_int_equal(sc->nentries, sizeof kinds / sizeof *kinds);
    for (size_t i = 0; i < sc->nentries; i++)
        assert_int_equal(sc->entries[i].kind, kinds[i]);
    assert_int_equal(sc->entries[0].protocol, WIRE_POP3S);
    assert_int_equal(sc->entries[0].client, 1);
    assert_int_equal(sc->entries[5].client, 1);
    assert_true(sc->entries[5].no_eol);
    assert_int_equal(sc->entries[6].wait_ms, 20);
    assert_slice(sc->entries[4].text, "EXPUNGE");
    script_free(sc);
}

static void joins_the_lines_of_a_literal(void **state)
{
    (void)state;
    struct script *sc = script_of("S: * 1 FETCH (BODY[] {6}\n"
                                  "S: ab\n"
                                  "S: cd)\n"
                                  "S: * 2 FETCH (BODY[] {4}\n"
                                  "S: ab\n"
                                  "S: )\n"
                                  "S: a OK *\n");
    assert_int_equal(sc->nentries, 3);
    assert_slice(sc->entries[0].text, "* 1 FETCH (BODY[] {6}\r\nab\r\ncd)");
    assert_slice(sc->entries[1].text, "* 2 FETCH (BODY[] {4}\r\nab\r\n)");
    script_free(sc);
}

static void expands_octets_literals_and_names(void **state)
{
    (void)state;
    struct piece pieces[SCRIPT_PIECES];
    struct script *sc = script_of("C: a\\x00\\Seen {\"x\\r\\n\"} $(v) (\\x2a)\n"
                                  "C: a {\"x\"+}\n"
                                  "S: a $(v)] *\n"
                                  "C~: no end\n");
    assert_int_equal(script_expand(sc, &sc->entries[0], "", pieces), 5);
    assert_slice(pieces[0].bytes, "a\0\\Seen {3}\r\n");
    assert_int_equal(pieces[1].kind, PIECE_SYNC);
    assert_slice(pieces[2].bytes, "x\r\n ");
    assert_int_equal(pieces[3].kind, PIECE_NAME);
    assert_slice(pieces[3].bytes, "v");
    assert_slice(pieces[4].bytes, " (*)\r\n");
    assert_int_equal(script_expand(sc, &sc->entries[1], "", pieces), 1);
    assert_slice(pieces[0].bytes, "a {1+}\r\nx\r\n");
    assert_int_equal(script_expand(sc, &sc->entries[2], "", pieces), 4);
    assert_slice(pieces[2].bytes, "] ");
    assert_int_equal(pieces[3].kind, PIECE_REST);
    assert_int_equal(script_expand(sc, &sc->entries[3], "", pieces), 1);
    assert_slice(pieces[0].bytes, "no end");
    script_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_directives_and_lines),
        cmocka_unit_test(joins_the_lines_of_a_literal),
        cmocka_unit_test(expands_octets_literals_and_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
