/* imap/session.h: what no conversation can provoke: cold pages, slow clients, a store that fails or
 * is busy, huge mailboxes, the server's own end. */
#include "imap/session.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/budget.h"
#include "core/base/clock.h"
#include "core/base/config.h"
#include "core/base/mem.h"
#include "imap/imap.h"
#include "tests/core/rig.h"
#include "tests/imap/fake.h"
#include "tests/lib/unit.h"

#define MESSAGE "Subject: x\r\nTo: y\r\n\r\none\r\ntwo\r\n"

static int start(void **state)
{
    (void)state;
    fake = (struct fake){.count = 3, .text = SLICE(MESSAGE), .header = 21, .chunk = 5};
    imap_setup(NULL, NULL, NULL);
    rig_start_protocol(&imap_protocol, "imap", "[tandem]\nhostname = mail.example.org\n");
    return 0;
}

static bool all_closed(void)
{
    return fake.sessions == 0 && fake.views == 0 && fake.bodies == 0 && fake.incomings == 0;
}

static int stop(void **state)
{
    (void)state;
    rig_stop();
    assert_true(all_closed());
    assert_false(fake.watched);
    return 0;
}

static void say(int fd, const char *text)
{
    rig_send(fd, slice_str(text));
}

/* Everything up to a line that begins with `tag`, which begins with `expected`. */
static void until(int fd, const char *tag, const char *expected)
{
    char line[400];
    do {
        size_t n = 0;
        do {
            if (rig_receive(fd, 1) == 0)
                fail_msg("no answer to %s", tag);
            if (n < sizeof line - 1)
                line[n++] = rig_got().ptr[0];
        } while (rig_got().ptr[0] != '\n');
        line[n] = '\0';
    } while (!slice_starts(slice_str(line), slice_str(tag)));
    assert_slice_eq(slice_first(slice_str(line), strlen(expected)), slice_str(expected));
}

static int greeted(void)
{
    int fd = rig_connect(rig.port);
    until(fd, "* OK", "* OK [CAPABILITY IMAP4rev1");
    return fd;
}

static int logged_in(void)
{
    int fd = greeted();
    say(fd, "l LOGIN alice secret\r\n");
    until(fd, "l ", "l OK [CAPABILITY");
    return fd;
}

static int selected(void)
{
    int fd = logged_in();
    say(fd, "s SELECT INBOX\r\n");
    until(fd, "s ", "s OK [READ-WRITE]");
    return fd;
}

/* The client goes; by then everything it was given has been freed. */
static void gone(int fd)
{
    close(fd);
    assert_true(rig_until(all_closed));
}

/* --- login ---------------------------------------------------------------------------------- */

static void login_errors_have_their_codes(void **state)
{
    static const struct {
        enum err auth;
        const char *reply;
    } cases[] = {
        {ERR_AUTH,    "a NO [AUTHENTICATIONFAILED] "},
        {ERR_PRIVACY, "a NO [PRIVACYREQUIRED] "     },
        {ERR_OFF,     "a NO [CONTACTADMIN] "        },
        {ERR_LIMIT,   "a NO [LIMIT] "               },
        {ERR_DOWN,    "a NO [UNAVAILABLE] "         },
        {ERR_AGAIN,   "a NO [UNAVAILABLE] "         },
        {ERR_SYNTAX,  "a NO [AUTHENTICATIONFAILED] "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fd = greeted();
        fake.auth = cases[i].auth;
        say(fd, "a LOGIN alice secret\r\n");
        until(fd, "a ", cases[i].reply);
        gone(fd);
    }
}

static void failures_end_a_connection(void **state)
{
    (void)state;
    int fd = greeted();
    fake.auth = ERR_AUTH;
    say(fd, "a LOGIN a b\r\nb LOGIN a b\r\nc LOGIN a b\r\nd NOOP\r\n");
    until(fd, "c ", "c NO [AUTHENTICATIONFAILED]");
    rig_expect(fd, "* BYE Too many failed logins\r\n");
    assert_true(rig_at_end(fd));
    gone(fd);
}

static void a_client_that_leaves_while_its_login_runs_leaves_nothing(void **state)
{
    (void)state;
    int fd = greeted();
    say(fd, "a LOGIN alice secret\r\n");
    gone(fd);
    rig_for_ms(20);
}

/* --- SELECT --------------------------------------------------------------------------------- */

static void select_waits_for_cold_pages(void **state)
{
    (void)state;
    fake.cold_open = 1;
    fake.cold_info = 1;
    gone(selected());
    assert_int_equal(fake.warmed, 2);
}

static void select_gives_up_on_pages_that_stay_cold(void **state)
{
    (void)state;
    fake.cold_info = 100;
    int fd = logged_in();
    say(fd, "a SELECT INBOX\r\nb FETCH 1 FLAGS\r\n");
    until(fd, "a ", "a NO [UNAVAILABLE]");
    assert_int_equal(fake.views, 0);
    until(fd, "b ", "b BAD ");
    gone(fd);
}

static void select_that_fails_closes_what_was_selected(void **state)
{
    (void)state;
    int fd = selected();
    fake.open = ERR_CORRUPT;
    say(fd, "a SELECT INBOX\r\n");
    until(fd, "a ", "a NO [CORRUPTION]");
    assert_int_equal(fake.views, 0);
    gone(fd);
}

/* --- FETCH ---------------------------------------------------------------------------------- */

static void fetch_comes_whole_from_any_pieces(void **state)
{
    (void)state;
    int fd = selected();
    for (fake.chunk = 1; fake.chunk < 40; fake.chunk++) {
        say(fd,
            "a FETCH 2 (UID BODY.PEEK[] BODY.PEEK[TEXT]<1.3> BODY.PEEK[HEADER.FIELDS (to)])\r\n");
        rig_expect(fd, "* 2 FETCH (UID 2 BODY[] {31}\r\n" MESSAGE " BODY[TEXT]<1> {3}\r\nne\r"
                       " BODY[HEADER.FIELDS (to)] {9}\r\nTo: y\r\n\r\n)\r\na OK Done\r\n");
    }
    gone(fd);
}

static void fetch_waits_for_cold_pages_wherever_they_are(void **state)
{
    (void)state;
    int fd = selected();
    for (unsigned n = 1; n < 8; n++) {
        fake.cold_rows = fake.cold_body = fake.cold_map = n;
        fake.chunk = 7;
        say(fd, "a FETCH 1 (BODY.PEEK[] BODY.PEEK[HEADER.FIELDS (to)])\r\n");
        rig_expect(fd, "* 1 FETCH (BODY[] {31}\r\n" MESSAGE
                       " BODY[HEADER.FIELDS (to)] {9}\r\nTo: y\r\n\r\n)\r\na OK Done\r\n");
    }
    gone(fd);
}

static void fetch_waits_for_a_structure_that_is_not_stored(void **state)
{
    (void)state;
    int fd = selected();
    for (unsigned n = 0; n < 4; n++) {
        fake.cold_structure = n;
        fake.full_pool = n / 2;
        fake.cold_rows = fake.cold_body = fake.cold_map = n;
        say(fd, "a FETCH 1 (ENVELOPE BODY BODY.PEEK[1])\r\n");
        rig_expect(fd, "* 1 FETCH (ENVELOPE (envelope) BODY (structure) BODY[1] {10}\r\n"
                       "one\r\ntwo\r\n)\r\na OK Done\r\n");
    }
    gone(fd);
}

static void fetch_passes_over_what_cannot_be_parsed(void **state)
{
    (void)state;
    int fd = selected();
    fake.cold_structure = 1;
    fake.gone = 1;
    say(fd, "a FETCH 1:2 ENVELOPE\r\n");
    rig_expect(fd, "* 2 FETCH (ENVELOPE (envelope))\r\n"
                   "a NO [EXPUNGEISSUED] Some messages have been expunged\r\n");
    gone(fd);
}

static void nul_is_sent_as_0x80(void **state)
{
    (void)state;
    static const char text[] = "A: \0\r\n\r\nx\0\0y";
    fake.text = slice(text, sizeof text - 1);
    fake.header = 8;
    fake.has_nul = true;
    int fd = selected();
    say(fd, "a FETCH 1 (BODY.PEEK[] BODY.PEEK[HEADER.FIELDS (a)])\r\n");
    rig_expect(fd, "* 1 FETCH (BODY[] {12}\r\nA: \x80\r\n\r\nx\x80\x80y"
                   " BODY[HEADER.FIELDS (a)] {8}\r\nA: \x80\r\n\r\n)\r\na OK Done\r\n");
    gone(fd);
}

static void an_empty_message_is_an_empty_string(void **state)
{
    (void)state;
    fake.text = SLICE("");
    fake.header = 0;
    int fd = selected();
    say(fd, "a FETCH 1 (BODY.PEEK[] BODY.PEEK[HEADER] BODY.PEEK[HEADER.FIELDS (a)])\r\n");
    rig_expect(fd, "* 1 FETCH (BODY[] \"\" BODY[HEADER] \"\" BODY[HEADER.FIELDS (a)] \"\")\r\n"
                   "a OK Done\r\n");
    gone(fd);
}

static void a_message_that_is_gone_is_left_out(void **state)
{
    (void)state;
    fake.gone = 2;
    int fd = selected();
    say(fd, "a FETCH 1:3 BODY.PEEK[]<0.1>\r\n");
    rig_expect(fd, "* 1 FETCH (BODY[]<0> {1}\r\nS)\r\n* 3 FETCH (BODY[]<0> {1}\r\nS)\r\n"
                   "a NO [EXPUNGEISSUED] Some messages have been expunged\r\n");
    gone(fd);
}

static void damage_before_the_literal_is_an_answer(void **state)
{
    (void)state;
    fake.map = ERR_CORRUPT;
    int fd = selected();
    say(fd, "a FETCH 1:2 BODY.PEEK[]\r\nb NOOP\r\n");
    rig_expect(fd, "a NO [CORRUPTION] Stored data is damaged\r\nb OK Done\r\n");
    gone(fd);
}

static void damage_inside_the_literal_ends_the_connection(void **state)
{
    (void)state;
    fake.map = ERR_CORRUPT;
    fake.map_from = 10;
    fake.chunk = 1;
    int fd = selected();
    say(fd, "a FETCH 1 BODY.PEEK[]\r\n");
    rig_receive(fd, 1000);
    assert_null(memmem(rig_got().ptr, rig_got().len, "a NO", 4));
    gone(fd);
}

static void a_slow_client_gets_all_of_a_long_message(void **state)
{
    (void)state;
    enum { TOTAL = 12000000 };
    static const char head[] = "* 1 FETCH (BODY[] {12000000}\r\n";
    char *text = mem_new(TOTAL);
    for (size_t i = 0; i < TOTAL; i++)
        text[i] = (char)('a' + i % 23);
    fake.text = slice(text, TOTAL);
    fake.chunk = 16360;
    int fd = selected();
    say(fd, "a FETCH 1 BODY.PEEK[]\r\nb NOOP\r\n");
    rig_for_ms(50);
    rig_receive(fd, sizeof head - 1 + TOTAL);
    assert_int_equal(rig_got().len, sizeof head - 1 + TOTAL);
    assert_memory_equal(rig_got().ptr, head, sizeof head - 1);
    assert_memory_equal(rig_got().ptr + sizeof head - 1, text, TOTAL);
    rig_expect(fd, ")\r\na OK Done\r\nb OK Done\r\n");
    gone(fd);
    mem_free(text);
}

static void a_client_that_leaves_inside_a_literal_leaves_nothing(void **state)
{
    (void)state;
    enum { TOTAL = 12000000 };
    char *text = mem_new(TOTAL);
    fake.text = slice(text, TOTAL);
    fake.chunk = 16360;
    int fd = selected();
    say(fd, "a FETCH 1:3 BODY[]\r\n");
    rig_for_ms(50);
    assert_int_equal(fake.bodies, 1);
    gone(fd);
    mem_free(text);
}

static void flags_of_300000_messages_stream(void **state)
{
    (void)state;
    fake.count = 300000;
    fake.sysflags = FLAG_SEEN;
    int fd = selected();
    say(fd, "a FETCH 1:* FLAGS\r\n");
    rig_for_ms(20);
    struct buf want;
    buf_init(&want, 32 << 20);
    for (unsigned i = 1; i <= fake.count; i++)
        assert_ok(buf_printf(&want, "* %u FETCH (FLAGS (\\Seen))\r\n", i));
    rig_receive(fd, want.len);
    assert_slice_eq(rig_got(), buf_slice(&want));
    rig_expect(fd, "a OK Done\r\n");
    buf_finish(&want);
    gone(fd);
}

/* --- \Seen ---------------------------------------------------------------------------------- */

static void the_answer_waits_for_seen_and_bodies_do_not(void **state)
{
    (void)state;
    fake.hold = true;
    int fd = selected();
    say(fd, "a FETCH 1:2 BODY[]<0.1>\r\n");
    rig_expect(fd, "* 1 FETCH (BODY[]<0> {1}\r\nS)\r\n* 2 FETCH (BODY[]<0> {1}\r\nS)\r\n");
    rig_for_ms(20);
    assert_int_equal(fake.flagged, 2);
    static const struct store_flagged flagged = {.uid = 1, .seqnum = 1, .sysflags = FLAG_SEEN};
    fake.changes = (struct store_changes){.flagged = &flagged, .nflagged = 1};
    fake_release();
    rig_expect(fd, "* 1 FETCH (FLAGS (\\Seen))\r\na OK Done\r\n");
    gone(fd);
}

static void what_is_seen_already_is_not_changed(void **state)
{
    (void)state;
    fake.sysflags = FLAG_SEEN;
    int fd = selected();
    say(fd, "a FETCH 1:* BODY[]<0.1>\r\n");
    until(fd, "a ", "a OK");
    assert_int_equal(fake.flag_changes, 0);
    gone(fd);
}

static void bodies_come_even_if_seen_cannot_be_set(void **state)
{
    (void)state;
    fake.change = ERR_FULL;
    int fd = selected();
    say(fd, "a FETCH 1 BODY[]<0.1>\r\n");
    rig_expect(fd, "* 1 FETCH (BODY[]<0> {1}\r\nS)\r\na NO [UNAVAILABLE] No room at present\r\n");
    gone(fd);
}

/* --- changes -------------------------------------------------------------------------------- */

static void changes_that_fail_say_why(void **state)
{
    static const char *const commands[] = {"STORE 1 +FLAGS (\\Seen)",
                                           "COPY 1 INBOX",
                                           "MOVE 1 INBOX",
                                           "EXPUNGE",
                                           "UID EXPUNGE 1",
                                           "CLOSE",
                                           "CREATE x",
                                           "DELETE x",
                                           "RENAME x y",
                                           "SUBSCRIBE x",
                                           "UNSUBSCRIBE x"};
    (void)state;
    fake.change = ERR_DOWN;
    int fd = selected();
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        char line[80];
        snprintf(line, sizeof line, "a %s\r\n", commands[i]);
        say(fd, line);
        until(fd, "a ", "a NO [UNAVAILABLE] Something this needs does not answer");
    }
    gone(fd);
}

/* CONTRACTS section 5: one batch holds 200,000 messages. */
static void large_changes_go_in_batches(void **state)
{
    (void)state;
    fake.count = 500001;
    int fd = selected();
    say(fd, "a STORE 1:* +FLAGS.SILENT (\\Seen)\r\n");
    until(fd, "a ", "a OK");
    assert_int_equal(fake.flag_changes, 3);
    assert_int_equal(fake.flagged, 100001);
    say(fd, "b COPY 1:* INBOX\r\nc COPY 1:200000 INBOX\r\nd MOVE 1:200001 INBOX\r\n");
    until(fd, "b ", "b NO [LIMIT]");
    until(fd, "c ", "c OK");
    until(fd, "d ", "d NO [LIMIT]");
    assert_int_equal(fake.copies, 1);
    say(fd, "e EXPUNGE\r\n");
    until(fd, "e ", "e OK");
    assert_int_equal(fake.expunges, 3);
    fake.count = 200000;
    say(fd, "f EXPUNGE\r\n");
    until(fd, "f ", "f OK");
    assert_int_equal(fake.expunges, 4);
    gone(fd);
}

static void a_client_that_leaves_while_a_change_runs_leaves_nothing(void **state)
{
    (void)state;
    fake.hold = true;
    int fd = selected();
    say(fd, "a STORE 1 +FLAGS (\\Seen)\r\n");
    rig_for_ms(20);
    struct linger hard = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    gone(fd);
    fake_release();
    rig_for_ms(20);
}

static void restricted_credentials(void **state)
{
    (void)state;
    fake.cred_flags = CRED_NO_DELETE;
    int fd = selected();
    say(fd, "a STORE 1 +FLAGS (\\Deleted)\r\nb STORE 1 +FLAGS (\\Seen)\r\nc EXPUNGE\r\n"
            "d MOVE 1 INBOX\r\ne DELETE x\r\nf COPY 1 INBOX\r\ng CLOSE\r\n");
    until(fd, "a ", "a NO [NOPERM]");
    until(fd, "b ", "b OK");
    until(fd, "c ", "c NO [NOPERM]");
    until(fd, "d ", "d NO [NOPERM]");
    until(fd, "e ", "e NO [NOPERM]");
    until(fd, "f ", "f OK");
    until(fd, "g ", "g OK");
    assert_int_equal(fake.expunges, 0);
    gone(fd);
    fake.cred_flags = CRED_READ_ONLY;
    fd = logged_in();
    say(fd, "a SELECT INBOX\r\nb STORE 1 +FLAGS (\\Seen)\r\nc APPEND INBOX {5}\r\nd CREATE x\r\n");
    until(fd, "a ", "a OK [READ-ONLY]");
    until(fd, "b ", "b NO [NOPERM]");
    until(fd, "c ", "c NO [NOPERM]");
    until(fd, "d ", "d NO [NOPERM]");
    gone(fd);
}

/* --- APPEND --------------------------------------------------------------------------------- */

static void append_streams_more_than_a_command_may_hold(void **state)
{
    (void)state;
    enum { TOTAL = 5000000 };
    char *text = mem_new(TOTAL);
    memset(text, 'x', TOTAL);
    fake.busy = 3;
    int fd = logged_in();
    say(fd, "a APPEND INBOX {5000000}\r\n");
    rig_expect(fd, "+ OK\r\n");
    rig_send(fd, slice(text, TOTAL));
    say(fd, "\r\nb NOOP\r\n");
    rig_expect(fd, "a OK [APPENDUID 7 99] Done\r\nb OK Done\r\n");
    assert_int_equal(fake.appended, TOTAL);
    assert_int_equal(fake.busy, 0);
    gone(fd);
    mem_free(text);
}

static void append_that_fails_half_way_takes_the_rest(void **state)
{
    static const enum err cases[] = {ERR_FULL, ERR_DOWN, ERR_TOOBIG};
    static const char *const replies[] = {"a NO [UNAVAILABLE]", "a NO [UNAVAILABLE]",
                                          "a NO [TOOBIG]"};
    (void)state;
    int fd = logged_in();
    for (size_t i = 0; i < 3; i++) {
        fake.incoming = cases[i];
        say(fd, "a APPEND INBOX {10+}\r\n0123456789\r\nb NOOP\r\n");
        until(fd, "a ", replies[i]);
        until(fd, "b ", "b OK");
        assert_int_equal(fake.incomings, 0);
    }
    assert_int_equal(fake.appends, 0);
    gone(fd);
}

static void append_into_a_store_that_fails(void **state)
{
    (void)state;
    fake.change = ERR_QUOTA;
    int fd = logged_in();
    say(fd, "a APPEND INBOX {3+}\r\nabc\r\n");
    until(fd, "a ", "a NO [OVERQUOTA]");
    fake.change = ERR_NOTFOUND;
    say(fd, "b APPEND INBOX {3+}\r\nabc\r\n");
    until(fd, "b ", "b NO [TRYCREATE]");
    gone(fd);
}

static void append_of_a_client_that_leaves_is_nothing(void **state)
{
    (void)state;
    int fd = logged_in();
    say(fd, "a APPEND INBOX {10}\r\n");
    rig_expect(fd, "+ OK\r\n");
    say(fd, "01234");
    rig_for_ms(20);
    assert_int_equal(fake.incomings, 1);
    gone(fd);
    assert_int_equal(fake.appends, 0);
    fd = logged_in(); /* all of the literal, but not the line's end */
    say(fd, "a APPEND INBOX {10+}\r\n0123456789");
    gone(fd);
    assert_int_equal(fake.appends, 0);
}

static void append_waits_for_cold_pages(void **state)
{
    (void)state;
    fake.cold_open = 2;
    int fd = logged_in();
    say(fd, "a APPEND INBOX {3+}\r\nabc\r\n");
    until(fd, "a ", "a OK [APPENDUID 7 99]");
    assert_int_equal(fake.warmed, 2);
    gone(fd);
}

/* --- what is told --------------------------------------------------------------------------- */

static void sync_of_many_expunges_streams(void **state)
{
    (void)state;
    enum { N = 400000 };
    uint32_t *numbers = mem_new_array(N, sizeof *numbers);
    for (uint32_t i = 0; i < N; i++)
        numbers[i] = 7;
    int fd = selected();
    fake.changes = (struct store_changes){
        .expunged = numbers, .nexpunged = N, .exists_changed = true, .exists = 2, .recent = 1};
    say(fd, "a NOOP\r\nb NOOP\r\n");
    rig_for_ms(20);
    rig_receive(fd, N * sizeof "* 7 EXPUNGE\r\n" - N);
    assert_int_equal(rig_got().len, N * sizeof "* 7 EXPUNGE\r\n" - N);
    rig_expect(fd, "* 2 EXISTS\r\n* 1 RECENT\r\na OK Done\r\nb OK Done\r\n");
    gone(fd);
    mem_free(numbers);
}

static void sync_waits_for_cold_pages(void **state)
{
    (void)state;
    int fd = selected();
    fake.cold_sync = 2;
    say(fd, "a NOOP\r\n");
    rig_expect(fd, "a OK Done\r\n");
    assert_int_equal(fake.warmed, 2);
    gone(fd);
}

static void too_many_ghosts_end_the_session(void **state)
{
    (void)state;
    int fd = selected();
    fake.sync = ERR_LIMIT;
    say(fd, "a FETCH 1 UID\r\nb NOOP\r\n");
    rig_expect(fd, "* 1 FETCH (UID 1)\r\na OK Done\r\n"
                   "* BYE Too many expunged messages are held back\r\n");
    assert_true(rig_at_end(fd));
    gone(fd);
}

static void list_of_many_mailboxes_streams_and_waits(void **state)
{
    (void)state;
    fake.mailboxes = 20000;
    fake.cold_list = 1;
    int fd = logged_in();
    say(fd, "a LIST \"\" m%\r\nb NOOP\r\n");
    rig_for_ms(20);
    until(fd, "a ", "a OK");
    say(fd, "c LSUB \"\" m19%\r\n");
    until(fd, "c ", "c OK");
    gone(fd);
}

static void fields_of_the_digest_open_no_body(void **state)
{
    (void)state;
    int fd = selected();
    fake.digest = SLICE("From: a\r\nSubject: x\r\n");
    fake.body = ERR_GONE;
    say(fd, "a FETCH 1:2 (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)] "
            "BODY.PEEK[HEADER.FIELDS (To From)]<0.3>)\r\n");
    rig_expect(fd, "* 1 FETCH (UID 1 BODY[HEADER.FIELDS (SUBJECT)] {14}\r\nSubject: x\r\n\r\n "
                   "BODY[HEADER.FIELDS (To From)]<0> {3}\r\nFro)\r\n");
    until(fd, "a ", "a OK");
    say(fd, "b FETCH 1 (BODY.PEEK[HEADER.FIELDS (SUBJECT X-Other)])\r\n");
    until(fd, "b ", "b NO");
    gone(fd);
}

static void append_is_refused_when_memory_is_used_up(void **state)
{
    (void)state;
    const struct config_share little = {.octets = 1 << 20}, plenty = {.percent = 25};
    int fd = logged_in();
    budget_setup(&little);
    budget_take(BUDGET_CACHES, 1 << 20);
    say(fd, "a APPEND INBOX {5}\r\n");
    rig_expect(fd, "a NO [UNAVAILABLE] The server is short of memory\r\n");
    say(fd, "b APPEND INBOX {3+}\r\nx\r\n\r\n");
    rig_for_ms(20);
    budget_give(BUDGET_CACHES, 1 << 20);
    until(fd, "b ", "b NO [UNAVAILABLE] The server is short of memory");
    assert_int_equal(fake.incomings, 0);
    budget_setup(&plenty);
    gone(fd);
}

/* --- IDLE and the end ------------------------------------------------------------------------- */

static void idle_tells_at_once_and_lets_go(void **state)
{
    (void)state;
    int fd = selected();
    say(fd, "a IDLE\r\n");
    rig_expect(fd, "+ idling\r\n");
    assert_true(fake.watched);
    for (unsigned i = 4; i < 7; i++) {
        char text[40];
        fake.changes = (struct store_changes){.exists_changed = true, .exists = i};
        fake.cold_sync = i % 2;
        fake_event();
        snprintf(text, sizeof text, "* %u EXISTS\r\n* 0 RECENT\r\n", i);
        rig_expect(fd, text);
    }
    say(fd, "DONE\r\n");
    rig_expect(fd, "a OK Done\r\n");
    assert_false(fake.watched);
    say(fd, "b IDLE\r\n");
    rig_expect(fd, "+ idling\r\n");
    gone(fd);
}

static void idle_says_now_and_then_that_it_is_there(void **state)
{
    (void)state;
    int fd = selected();
    say(fd, "a IDLE\r\n");
    rig_expect(fd, "+ idling\r\n");
    for (unsigned i = 0; i < 3; i++) {
        clock_shift(IDLE_STILL_MS / 1000);
        rig_expect(fd, "* OK Still here\r\n");
    }
    say(fd, "DONE\r\n");
    rig_expect(fd, "a OK Done\r\n");
    clock_shift(IDLE_STILL_MS / 1000);
    say(fd, "b NOOP\r\n");
    rig_expect(fd, "b OK Done\r\n");
    gone(fd);
}

static void logging_in_takes_too_long(void **state)
{
    (void)state;
    config_set_for_test(rig.config, "limits.login", "1s");
    int fd = greeted();
    for (int i = 0; i < 5; i++) {
        say(fd, "a NOOP\r\n");
        rig_expect(fd, "a OK Done\r\n");
        rig_for_ms(100);
    }
    say(fd, "b LOGIN {5}\r\n");
    rig_expect(fd, "+ OK\r\n");
    until(fd, "* BYE", "* BYE ");
    assert_true(rig_at_end(fd));
    gone(fd);
}

static void silence_ends_a_session_with_bye(void **state)
{
    (void)state;
    config_set_for_test(rig.config, "imap.idle", "1s");
    int fd = selected();
    rig_for_ms(500);
    say(fd, "a NOOP\r\n");
    rig_expect(fd, "a OK Done\r\n");
    rig_for_ms(700);
    assert_false(all_closed());
    until(fd, "* BYE", "* BYE ");
    assert_true(rig_at_end(fd));
    gone(fd);
    fd = selected();
    say(fd, "a IDLE\r\n");
    rig_expect(fd, "+ idling\r\n");
    until(fd, "* BYE", "* BYE ");
    gone(fd);
}

static bool stopped_now;

static void stopped(void *arg)
{
    (void)arg;
    stopped_now = true;
}

static bool has_stopped(void)
{
    return stopped_now;
}

static void shutdown_says_bye_when_the_command_is_over(void **state)
{
    (void)state;
    int idling = selected(), quiet = logged_in(), busy = selected();
    say(idling, "a IDLE\r\n");
    rig_expect(idling, "+ idling\r\n");
    fake.hold = true;
    say(busy, "a STORE 1 +FLAGS.SILENT (\\Seen)\r\nb NOOP\r\n");
    rig_for_ms(20);
    stopped_now = false;
    server_drain(rig.server, stopped, NULL);
    until(idling, "* BYE", "* BYE ");
    until(quiet, "* BYE", "* BYE ");
    rig_for_ms(20);
    fake_release();
    rig_expect(busy, "a OK Done\r\n* BYE Server is going down\r\n");
    assert_true(rig_at_end(busy));
    close(idling);
    close(quiet);
    gone(busy);
    assert_true(rig_until(has_stopped));
}

static void commands_before_a_half_close_are_run(void **state)
{
    (void)state;
    int fd = greeted();
    say(fd, "a LOGIN alice secret\r\nb SELECT INBOX\r\nc STORE 1 +FLAGS.SILENT (\\Seen)\r\n"
            "d EXPUNGE"); /* without its line end */
    shutdown(fd, SHUT_WR);
    until(fd, "c ", "c OK");
    assert_true(rig_at_end(fd));
    assert_int_equal(fake.flag_changes, 1);
    assert_int_equal(fake.expunges, 0);
    gone(fd);
}

static void too_many_commands_are_delayed_not_refused(void **state)
{
    (void)state;
    config_set_for_test(rig.config, "limits.commands_per_second", "10");
    int fd = logged_in();
    for (int i = 0; i < 38; i++)
        say(fd, "a NOOP\r\n");
    uint64_t begin = clock_mono_ms();
    for (int i = 0; i < 5; i++)
        say(fd, "b NOOP\r\n");
    rig_receive(fd, 43 * (sizeof "a OK Done\r\n" - 1));
    assert_in_range(clock_mono_ms() - begin, 200, 2000);
    gone(fd);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(login_errors_have_their_codes),
        WITH_RIG(failures_end_a_connection),
        WITH_RIG(a_client_that_leaves_while_its_login_runs_leaves_nothing),
        WITH_RIG(select_waits_for_cold_pages),
        WITH_RIG(select_gives_up_on_pages_that_stay_cold),
        WITH_RIG(select_that_fails_closes_what_was_selected),
        WITH_RIG(fetch_comes_whole_from_any_pieces),
        WITH_RIG(fetch_waits_for_cold_pages_wherever_they_are),
        WITH_RIG(fetch_waits_for_a_structure_that_is_not_stored),
        WITH_RIG(fetch_passes_over_what_cannot_be_parsed),
        WITH_RIG(nul_is_sent_as_0x80),
        WITH_RIG(an_empty_message_is_an_empty_string),
        WITH_RIG(a_message_that_is_gone_is_left_out),
        WITH_RIG(damage_before_the_literal_is_an_answer),
        WITH_RIG(damage_inside_the_literal_ends_the_connection),
        WITH_RIG(a_slow_client_gets_all_of_a_long_message),
        WITH_RIG(a_client_that_leaves_inside_a_literal_leaves_nothing),
        WITH_RIG(flags_of_300000_messages_stream),
        WITH_RIG(the_answer_waits_for_seen_and_bodies_do_not),
        WITH_RIG(what_is_seen_already_is_not_changed),
        WITH_RIG(bodies_come_even_if_seen_cannot_be_set),
        WITH_RIG(changes_that_fail_say_why),
        WITH_RIG(large_changes_go_in_batches),
        WITH_RIG(a_client_that_leaves_while_a_change_runs_leaves_nothing),
        WITH_RIG(restricted_credentials),
        WITH_RIG(append_streams_more_than_a_command_may_hold),
        WITH_RIG(append_that_fails_half_way_takes_the_rest),
        WITH_RIG(append_into_a_store_that_fails),
        WITH_RIG(append_of_a_client_that_leaves_is_nothing),
        WITH_RIG(append_waits_for_cold_pages),
        WITH_RIG(sync_of_many_expunges_streams),
        WITH_RIG(sync_waits_for_cold_pages),
        WITH_RIG(too_many_ghosts_end_the_session),
        WITH_RIG(list_of_many_mailboxes_streams_and_waits),
        WITH_RIG(fields_of_the_digest_open_no_body),
        WITH_RIG(append_is_refused_when_memory_is_used_up),
        WITH_RIG(idle_tells_at_once_and_lets_go),
        WITH_RIG(idle_says_now_and_then_that_it_is_there),
        WITH_RIG(logging_in_takes_too_long),
        WITH_RIG(silence_ends_a_session_with_bye),
        WITH_RIG(shutdown_says_bye_when_the_command_is_over),
        WITH_RIG(commands_before_a_half_close_are_run),
        WITH_RIG(too_many_commands_are_delayed_not_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
