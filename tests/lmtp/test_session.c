/* lmtp/session.h: what no conversation can provoke: several shards, aliases that half fail, a store
 * that has no room for a while. */
#include "lmtp/session.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "lmtp/command.h"
#include "lmtp/lmtp.h"
#include "tests/core/rig.h"
#include "tests/lib/unit.h"
#include "tests/lmtp/fake.h"

static int start(void **state)
{
    (void)state;
    fake_reset();
    lmtp_setup(NULL, NULL, NULL);
    rig_start_protocol(&lmtp_protocol, "lmtp", "[tandem]\nhostname = mail.example.org\n");
    return 0;
}

static bool all_freed(void)
{
    return fake.opened == 0 && fake.incomings == 0;
}

static int stop(void **state)
{
    (void)state;
    assert_true(rig_until(all_freed));
    rig_stop();
    fake_reset();
    return 0;
}

static void say(int fd, const char *text)
{
    rig_send(fd, slice_str(text));
}

static int greeted(void)
{
    int fd = rig_connect(rig.port);
    rig_expect(fd, "220 mail.example.org LMTP ready\r\n");
    say(fd, "LHLO client\r\n");
    rig_expect(fd, "250-mail.example.org\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n"
                   "250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n"
                   "250-XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n"
                   "250 ENHANCEDSTATUSCODES\r\n");
    return fd;
}

/* A transaction up to its 354; `rcpts` end in NULL and are all accepted. */
static int data_for(const char *const *rcpts)
{
    char line[256];
    int fd = greeted();
    say(fd, "MAIL FROM:<a@example.net>\r\n");
    rig_expect(fd, "250 2.1.0 sender ok\r\n");
    for (; *rcpts; rcpts++) {
        snprintf(line, sizeof line, "RCPT TO:<%s>\r\n", *rcpts);
        say(fd, line);
        rig_expect(fd, "250 2.1.5 recipient ok\r\n");
    }
    say(fd, "DATA\r\n");
    rig_expect(fd, "354 send the message, end with CRLF.CRLF\r\n");
    return fd;
}

#define RCPTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void quit(int fd)
{
    say(fd, "QUIT\r\n");
    rig_expect(fd, "221 2.0.0 bye\r\n");
    assert_true(rig_at_end(fd));
    close(fd);
}

static bool stored_ends_with(const char *text)
{
    size_t n = strlen(text);
    return fake.stored.len >= n && memcmp(fake.stored.ptr + fake.stored.len - n, text, n) == 0;
}

/* --- who gets it
 * ---------------------------------------------------------------------------------- */

static void recipients_of_two_shards_each_have_an_answer(void **state)
{
    (void)state;
    int fd = data_for(RCPTS("u1@x", "u2@x", "u3@x"));
    fake.append[3] = ERR_QUOTA;
    say(fd, "Subject: x\r\n\r\n..x\r\n.\r\n");
    rig_expect(fd, "250 2.0.0 <u1@x> delivered\r\n250 2.0.0 <u2@x> delivered\r\n"
                   "452 4.2.2 <u3@x> the mailbox is full\r\n");
    assert_int_equal(fake.appends, 2);
    assert_true(stored_ends_with("Subject: x\r\n\r\n.x\r\n"));
    quit(fd);
}

static void the_same_mailbox_twice_gets_one_copy(void **state)
{
    (void)state;
    int fd = data_for(RCPTS("u1@x", "u1+Nowhere@x", "u1+Archive@x", "list@x"));
    say(fd, "x\r\n.\r\n");
    rig_expect(fd, "250 2.0.0 <u1@x> delivered\r\n250 2.0.0 <u1+Nowhere@x> delivered\r\n"
                   "250 2.0.0 <u1+Archive@x> delivered\r\n250 2.0.0 <list@x> delivered\r\n");
    assert_slice(buf_slice(&fake.paths), "1:INBOX;1:Archive;3:INBOX;2:INBOX;");
    quit(fd);
}

static void an_alias_stands_or_falls_as_one(void **state)
{
    (void)state;
    /* known before: nothing is written for it, but u2 has its own copy */
    int fd = data_for(RCPTS("list@x", "u2@x"));
    fake.quota[3] = ERR_QUOTA;
    say(fd, "x\r\n.\r\n");
    rig_expect(fd, "452 4.2.2 <list@x> the mailbox is full\r\n250 2.0.0 <u2@x> delivered\r\n");
    assert_int_equal(fake.copies[1] + fake.copies[3], 0);
    assert_int_equal(fake.copies[2], 1);
    quit(fd);
    /* after: the first shard failed, the second is not tried */
    fake.quota[3] = ERR_OK;
    fake.append[1] = ERR_OFF;
    fake.copies[2] = fake.copies[3] = 0;
    fd = data_for(RCPTS("list@x"));
    say(fd, "x\r\n.\r\n");
    rig_expect(fd, "451 4.3.2 <list@x> not available now\r\n"); /* u3 has it: not a final no */
    assert_int_equal(fake.copies[2], 0);
    assert_int_equal(fake.copies[3], 1);
    quit(fd);
}

/* It takes a walk over all overrides. */
static void what_accounts_take_is_asked_only_of_more_than_the_file_says(void **state)
{
    (void)state;
    int fd = greeted();
    unsigned bounds = fake.bounds;
    say(fd, "MAIL FROM:<> SIZE=52428800\r\n");
    rig_expect(fd, "250 2.1.0 sender ok\r\n");
    assert_int_equal(fake.bounds, bounds);
    quit(fd);
}

static int data_as(const char *xforward, const char *rcpt)
{
    char line[256];
    int fd = greeted();
    if (xforward) {
        snprintf(line, sizeof line, "XFORWARD %s\r\n", xforward);
        say(fd, line);
        rig_expect(fd, "250 2.0.0 ok\r\n");
    }
    say(fd, "MAIL FROM:<a@example.net> SIZE=21\r\n"); /* so that RCPT looks at the quota */
    rig_expect(fd, "250 2.1.0 sender ok\r\n");
    snprintf(line, sizeof line, "RCPT TO:<%s>\r\n", rcpt);
    say(fd, line);
    rig_expect(fd, "250 2.1.5 recipient ok\r\n");
    say(fd, "DATA\r\n");
    rig_expect(fd, "354 send the message, end with CRLF.CRLF\r\n");
    return fd;
}

/* One attempt for the alias: the answer, and how many copies each account has after all of them. */
static void attempt(const char *xforward, const char *message, const char *answer, unsigned u1,
                    unsigned u2, unsigned u3)
{
    int fd = data_as(xforward, "list@x");
    say(fd, message);
    rig_expect(fd, answer);
    quit(fd);
    assert_int_equal(fake.copies[1], u1);
    assert_int_equal(fake.copies[2], u2);
    assert_int_equal(fake.copies[3], u3);
}

#define LATER "451 4.3.2 <list@x> not available now\r\n"
#define FULL "452 4.2.2 <list@x> the mailbox is full\r\n"
#define DELIVERED "250 2.0.0 <list@x> delivered\r\n"

static void a_retry_passes_over_who_has_it(void **state)
{
    (void)state;
    fake.append[2] = ERR_DOWN;
    attempt("IDENT=4Q1", "Subject: x\r\n\r\nx\r\n.\r\n", LATER, 1, 0, 1);
    attempt("IDENT=4Q1", "Subject: x\r\n\r\nx\r\n.\r\n", LATER, 1, 0, 1);
    fake.append[2] = ERR_OK;
    fake.quota[1] = ERR_QUOTA; /* of no interest: it has the message; but not any other */
    attempt("IDENT=4Q1", "Subject: y\r\n\r\nx\r\n.\r\n", FULL, 1, 0, 1);
    attempt("IDENT=4Q1", "Subject: x\r\n\r\nx\r\n.\r\n", DELIVERED, 1, 1, 1);
    /* all have it: the same once more is a message of its own */
    fake.quota[1] = ERR_OK;
    attempt("IDENT=4Q1", "Subject: x\r\n\r\nx\r\n.\r\n", DELIVERED, 2, 2, 2);
}

static void a_retry_is_known_by_queue_id_or_message_id_and_every_octet(void **state)
{
    (void)state;
    fake.append[2] = ERR_DOWN;
    attempt(NULL, "Message-ID: <1@x>\r\n\r\nx\r\n.\r\n", LATER, 1, 0, 1);
    attempt(NULL, "Message-ID: <1@x>\r\n\r\ny\r\n.\r\n", LATER, 2, 0, 2);
    attempt(NULL, "Message-ID: <2@x>\r\n\r\nx\r\n.\r\n", LATER, 3, 0, 3);
    attempt("IDENT=4Q2", "Message-ID: <1@x>\r\n\r\nx\r\n.\r\n", LATER, 4, 0, 4);
    attempt(NULL, "Message-ID: <1@x>\r\n\r\nx\r\n.\r\n", LATER, 4, 0, 4);
    clock_shift(3601);
    attempt(NULL, "Message-ID: <1@x>\r\n\r\nx\r\n.\r\n", LATER, 5, 0, 5);
    clock_shift(-3601);
}

static void delivered_to_is_only_for_one(void **state)
{
    (void)state;
    int fd = data_for(RCPTS("u1@x"));
    say(fd, "Subject: x\r\n\r\nx\r\n.\r\n");
    rig_expect(fd, "250 2.0.0 <u1@x> delivered\r\n");
    assert_true(slice_starts(buf_slice(&fake.stored),
                             SLICE("Return-Path: <a@example.net>\r\nDelivered-To: u1@x\r\n"
                                   "Received: from client ([127.0.0.1])\r\n"
                                   " by mail.example.org with LMTP id ")));
    assert_non_null(memmem(fake.stored.ptr, fake.stored.len, "\r\n for <u1@x>; ", 14));
    quit(fd);
    fd = data_for(RCPTS("u1@x", "u3@x"));
    say(fd, "Subject: x\r\n\r\nx\r\n.\r\n");
    rig_receive(fd, 56);
    assert_null(memmem(fake.stored.ptr, fake.stored.len, "u1@x", 4));
    assert_null(memmem(fake.stored.ptr, fake.stored.len, "u3@x", 4));
    quit(fd);
}

/* --- the way in
 * ----------------------------------------------------------------------------------- */

static void any_split_of_the_data_is_the_same_message(void **state)
{
    (void)state;
    static const char wire[] = "Subject: x\r\n\r\n..\r\n.y\r\n\r\n.\n.\rz\r\n.\r\n";
    for (size_t cut = 1; cut < sizeof wire - 1; cut++) {
        int fd = data_for(RCPTS("u2@x"));
        rig_send(fd, slice(wire, cut));
        rig_turn();
        rig_send(fd, slice(wire + cut, sizeof wire - 1 - cut));
        rig_expect(fd, "250 2.0.0 <u2@x> delivered\r\n");
        assert_true(stored_ends_with("Subject: x\r\n\r\n.\r\ny\r\n\r\n\n.\rz\r\n"));
        quit(fd);
    }
}

static void a_store_without_room_holds_the_client_up(void **state)
{
    (void)state;
    enum { TOTAL = 3000000 };
    char *text = mem_new(TOTAL + 6);
    for (size_t i = 0; i < TOTAL; i++) /* lines, some of which begin with a dot */
        text[i] = i % 50 == 48 ? '\r' : i % 50 == 49 ? '\n' : i % 150 == 0 ? '.' : 'x';
    memcpy(text + TOTAL, ".\r\n", 4);
    struct slice stuffed = slice(text, TOTAL + 3);
    int fd = data_for(RCPTS("u2@x", "u1@x"));
    size_t prefix = 0;
    fake.again_every = 3;
    rig_send(fd, stuffed);
    rig_expect(fd, "250 2.0.0 <u2@x> delivered\r\n250 2.0.0 <u1@x> delivered\r\n");
    assert_int_equal(fake.appends, 2);
    /* what came is what was sent, without the stuffing */
    const char *begin = memmem(fake.stored.ptr, fake.stored.len, "xxxxxxxxxx", 10);
    assert_non_null(begin);
    prefix = (size_t)(begin - fake.stored.ptr);
    size_t at = prefix;
    for (size_t i = 0; i < TOTAL; i++) {
        if (i % 150 == 0)
            continue;
        assert_true(at < fake.stored.len);
        if (fake.stored.ptr[at++] != text[i])
            fail_msg("octet %zu is wrong", i);
    }
    assert_int_equal(at, fake.stored.len);
    quit(fd);
    mem_free(text);
}

static void trouble_on_the_way_is_told_after_the_data(void **state)
{
    (void)state;
    int fd = data_for(RCPTS("u1@x", "u2@x"));
    fake.write = ERR_FULL;
    fake.write_from = 500;
    char line[1002];
    memset(line, 'x', 1000);
    memcpy(line + 1000, "\r\n", 2);
    for (int i = 0; i < 100; i++)
        rig_send(fd, slice(line, sizeof line));
    say(fd, ".\r\n");
    rig_expect(fd, "452 4.3.1 <u1@x> no room on the server\r\n"
                   "452 4.3.1 <u2@x> no room on the server\r\n");
    assert_int_equal(fake.appends, 0);
    quit(fd);
}

static void too_big_is_told_after_the_data(void **state)
{
    (void)state;
    fake.message_octets = 1000;
    int fd = data_for(RCPTS("u1@x"));
    char line[2002];
    memset(line, 'x', 2000);
    memcpy(line + 2000, "\r\n", 2);
    rig_send(fd, slice(line, sizeof line));
    say(fd, ".\r\nNOOP\r\n");
    rig_expect(fd, "552 5.3.4 <u1@x> the message is too big\r\n250 2.0.0 nothing done\r\n");
    assert_int_equal(fake.appends, 0);
    quit(fd);
}

static void a_client_that_leaves_inside_data_leaves_nothing(void **state)
{
    (void)state;
    for (int half = 0; half < 2; half++) {
        int fd = data_for(RCPTS("u1@x", "u2@x"));
        say(fd, "Subject: x\r\n\r\nx\r\n.");
        if (half)
            shutdown(fd, SHUT_WR);
        else
            close(fd);
        assert_true(rig_until(all_freed));
        if (half)
            close(fd);
        assert_int_equal(fake.appends, 0);
    }
}

static void chunks_of_any_size_are_the_same_message(void **state)
{
    (void)state;
    char line[64];
    const char *message = "Subject: chunks\r\n\r\n.\r\n..\r\nend\r\n";
    size_t len = strlen(message);
    fake.again_every = 3;
    for (size_t first = 0; first <= len; first++) {
        int fd = greeted();
        say(fd, "MAIL FROM:<>\r\nRCPT TO:<u1@x>\r\nRCPT TO:<u2@x>\r\n");
        snprintf(line, sizeof line, "BDAT %zu\r\n", first);
        say(fd, line);
        rig_send(fd, slice(message, first));
        snprintf(line, sizeof line, "BDAT %zu LAST\r\n", len - first);
        say(fd, line);
        rig_send(fd, slice(message + first, len - first));
        snprintf(line, sizeof line, "250 2.0.0 %zu octets\r\n", first);
        rig_expect(fd, "250 2.1.0 sender ok\r\n250 2.1.5 recipient ok\r\n"
                       "250 2.1.5 recipient ok\r\n");
        rig_expect(fd, line);
        rig_expect(fd, "250 2.0.0 <u1@x> delivered\r\n250 2.0.0 <u2@x> delivered\r\n");
        assert_true(stored_ends_with(message));
        quit(fd);
    }
}

static void a_client_that_leaves_inside_a_chunk_leaves_nothing(void **state)
{
    (void)state;
    static const char *const ends[] = {"BDAT 100 LAST\r\nxxx", "BDAT 3\r\nxxx", "BDAT 3\r\nxx",
                                       "BDAT 3\r\nxxxBDAT 0 LA", "BDAT 3\r\nxxxRSET"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        int fd = greeted();
        say(fd, "MAIL FROM:<>\r\nRCPT TO:<u1@x>\r\n");
        rig_expect(fd, "250 2.1.0 sender ok\r\n250 2.1.5 recipient ok\r\n");
        say(fd, ends[i]);
        close(fd);
    }
    assert_true(rig_until(all_freed));
    assert_int_equal(fake.appends, 0);
}

static void a_client_that_leaves_while_the_store_writes_is_no_trouble(void **state)
{
    (void)state;
    int fd = data_for(RCPTS("u1@x", "u2@x"));
    say(fd, "x\r\n.\r\n");
    close(fd);
    assert_true(rig_until(all_freed));
    rig_for_ms(20);
}

static void everything_may_be_pipelined(void **state)
{
    (void)state;
    int fd = greeted();
    say(fd, "MAIL FROM:<> SIZE=10\r\nRCPT TO:<u1@x>\r\nRCPT TO:<zz@x>\r\nDATA\r\n");
    rig_expect(fd, "250 2.1.0 sender ok\r\n250 2.1.5 recipient ok\r\n"
                   "550 5.1.1 no such recipient\r\n354 send the message, end with CRLF.CRLF\r\n");
    say(fd, "x\r\n.\r\nMAIL FROM:<b@x>\r\nRCPT TO:<u2@x>\r\nRSET\r\nQUIT\r\n");
    rig_expect(fd, "250 2.0.0 <u1@x> delivered\r\n250 2.1.0 sender ok\r\n"
                   "250 2.1.5 recipient ok\r\n250 2.0.0 reset\r\n221 2.0.0 bye\r\n");
    assert_true(rig_at_end(fd));
    close(fd);
}

static void errors_at_rcpt_have_their_codes(void **state)
{
    (void)state;
    static const struct {
        enum err err;
        const char *reply;
    } cases[] = {
        {ERR_NOTFOUND, "550 5.1.1 "},
        {ERR_OFF,      "550 5.2.1 "},
        {ERR_QUOTA,    "452 4.2.2 "},
        {ERR_FROZEN,   "450 4.2.1 "},
        {ERR_LIMIT,    "452 4.5.3 "},
        {ERR_DOWN,     "451 4.3.2 "},
        {ERR_AGAIN,    "451 4.3.0 "},
        {ERR_SYNTAX,   "550 5.1.1 "},
        {ERR_EXISTS,   "451 4.3.0 "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fd = greeted();
        say(fd, "MAIL FROM:<>\r\n");
        rig_expect(fd, "250 2.1.0 sender ok\r\n");
        fake.find[1] = cases[i].err;
        say(fd, "RCPT TO:<u1@x>\r\n");
        rig_expect(fd, cases[i].reply);
        close(fd);
    }
}

static void too_many_recipients_are_for_the_next_time(void **state)
{
    (void)state;
    config_set_for_test(rig.config, "lmtp.recipients", "2");
    int fd = data_for(RCPTS("u1@x", "u2@x"));
    say(fd, ".\r\n");
    rig_expect(fd, "250 2.0.0 <u1@x> delivered\r\n250 2.0.0 <u2@x> delivered\r\n");
    say(fd, "MAIL FROM:<>\r\nRCPT TO:<u1@x>\r\nRCPT TO:<u1@x>\r\nRCPT TO:<u2@x>\r\n");
    rig_expect(fd, "250 2.1.0 sender ok\r\n250 2.1.5 recipient ok\r\n"
                   "250 2.1.5 recipient ok\r\n452 4.5.3 too many recipients\r\n");
    quit(fd);
}

static void idle_says_421(void **state)
{
    (void)state;
    config_set_for_test(rig.config, "lmtp.idle", "1s");
    int fd = greeted();
    rig_expect(fd, "421 4.4.2 idle for too long\r\n");
    assert_true(rig_at_end(fd));
    close(fd);
}

static void every_row_is_whole_and_sorted(void **state)
{
    (void)state;
    const struct lmtp_command *before = NULL, *c;
    for (size_t i = 0; (c = lmtp_command_at(i)); i++) {
        assert_non_null(c->step);
        assert_true(c->states);
        assert_true(!before || strcmp(before->name, c->name) < 0);
        assert_ptr_equal(lmtp_command_find(slice_str(c->name)), c);
        before = c;
    }
    assert_null(lmtp_command_find(SLICE("HELO")));
    assert_null(lmtp_command_find(SLICE("DATAX")));
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_whole_and_sorted),
        WITH_RIG(recipients_of_two_shards_each_have_an_answer),
        WITH_RIG(the_same_mailbox_twice_gets_one_copy),
        WITH_RIG(an_alias_stands_or_falls_as_one),
        WITH_RIG(a_retry_passes_over_who_has_it),
        WITH_RIG(a_retry_is_known_by_queue_id_or_message_id_and_every_octet),
        WITH_RIG(delivered_to_is_only_for_one),
        WITH_RIG(any_split_of_the_data_is_the_same_message),
        WITH_RIG(a_store_without_room_holds_the_client_up),
        WITH_RIG(trouble_on_the_way_is_told_after_the_data),
        WITH_RIG(too_big_is_told_after_the_data),
        WITH_RIG(a_client_that_leaves_inside_data_leaves_nothing),
        WITH_RIG(chunks_of_any_size_are_the_same_message),
        WITH_RIG(a_client_that_leaves_inside_a_chunk_leaves_nothing),
        WITH_RIG(a_client_that_leaves_while_the_store_writes_is_no_trouble),
        WITH_RIG(everything_may_be_pipelined),
        WITH_RIG(errors_at_rcpt_have_their_codes),
        WITH_RIG(too_many_recipients_are_for_the_next_time),
        WITH_RIG(idle_says_421),
        WITH_RIG(what_accounts_take_is_asked_only_of_more_than_the_file_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
