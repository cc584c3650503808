/* pop3/session.h: what no conversation can provoke: cold pages, slow clients, a store that fails.
 */
#include "pop3/session.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "pop3/command.h"
#include "pop3/pop3.h"
#include "tests/core/rig.h"
#include "tests/lib/unit.h"
#include "tests/pop3/fake.h"

#define MESSAGE "Subject: x\r\n\r\none\r\n.two\r\nthree\r\n"
#define STUFFED "Subject: x\r\n\r\none\r\n..two\r\nthree\r\n"

static int start(void **state)
{
    (void)state;
    fake = (struct fake){.count = 3, .text = SLICE(MESSAGE), .header = 14, .chunk = 5};
    pop3_setup(NULL, NULL, NULL);
    rig_start_protocol(&pop3_protocol, "pop3", "[tandem]\nhostname = mail.example.org\n");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_stop();
    assert_int_equal(fake.opens, fake.closes);
    assert_int_equal(fake.bodies, 0);
    assert_int_equal(fake.sessions, 0);
    return 0;
}

static int greeted(void)
{
    int fd = rig_connect(rig.port);
    rig_expect(fd, "+OK mail.example.org POP3 ready\r\n");
    return fd;
}

static void say(int fd, const char *text)
{
    rig_send(fd, slice_str(text));
}

static void try_login(int fd)
{
    say(fd, "USER alice\r\nPASS secret\r\n");
    rig_expect(fd, "+OK send PASS\r\n");
}

static int logged_in(void)
{
    int fd = greeted();
    try_login(fd);
    rig_expect(fd, "+OK maildrop locked and ready\r\n");
    return fd;
}

static bool all_closed(void)
{
    return fake.closes == fake.opens && fake.sessions == 0;
}

/* The client goes; by then everything it was given has been freed. */
static void gone(int fd)
{
    close(fd);
    assert_true(rig_until(all_closed));
}

/* --- login
 * ---------------------------------------------------------------------------------------- */

static void login_waits_for_cold_pages(void **state)
{
    (void)state;
    fake.cold_open = 1;
    gone(logged_in());
    assert_int_equal(fake.warmed, 1);
}

static void login_waits_for_a_dying_holder(void **state)
{
    (void)state;
    fake.cold_open = 4;
    uint64_t begin = clock_mono_ms();
    gone(logged_in());
    assert_int_equal(fake.warmed, 1);
    assert_in_range(clock_mono_ms() - begin, 600, 2000);
}

static void login_gives_up_on_pages_that_stay_cold(void **state)
{
    (void)state;
    fake.cold_open = 100;
    int fd = greeted();
    try_login(fd);
    rig_expect(fd, "-ERR [SYS/TEMP] busy, try again\r\n");
    assert_int_equal(fake.warmed, 1);
    gone(fd);
}

static void login_errors_have_their_codes(void **state)
{
    (void)state;
    static const struct {
        enum err auth, open;
        const char *reply;
    } cases[] = {
        {ERR_AUTH,  ERR_OK,       "-ERR [AUTH] "       },
        {ERR_DOWN,  ERR_OK,       "-ERR [SYS/TEMP] "   },
        {ERR_OFF,   ERR_OK,       "-ERR [SYS/PERM] "   },
        {ERR_LIMIT, ERR_OK,       "-ERR [SYS/TEMP] "   },
        {ERR_DELAY, ERR_OK,       "-ERR [LOGIN-DELAY] "},
        {ERR_QUOTA, ERR_OK,       "-ERR [SYS/TEMP] "   }, /* not an error of POP3: ours */
        {ERR_OK,    ERR_BUSY,     "-ERR [IN-USE] "     },
        {ERR_OK,    ERR_NOTFOUND, "-ERR [SYS/TEMP] "   },
        {ERR_OK,    ERR_FROZEN,   "-ERR [SYS/TEMP] "   },
        {ERR_OK,    ERR_CORRUPT,  "-ERR [SYS/PERM] "   },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fd = greeted();
        fake.auth = cases[i].auth;
        fake.open = cases[i].open;
        try_login(fd);
        rig_expect(fd, cases[i].reply);
        gone(fd);
    }
}

static void a_client_that_leaves_while_its_login_runs_leaves_nothing(void **state)
{
    (void)state;
    int fd = greeted();
    say(fd, "USER alice\r\nPASS secret\r\n");
    gone(fd);
    rig_for_ms(20);
    assert_int_equal(fake.opens, fake.closes);
}

/* --- RETR, TOP
 * ------------------------------------------------------------------------------------ */

static void retr_is_stuffed_in_any_pieces(void **state)
{
    (void)state;
    int fd = logged_in();
    for (fake.chunk = 1; fake.chunk < 40; fake.chunk++) {
        say(fd, "RETR 2\r\n");
        rig_expect(fd, "+OK message follows, 32 octets\r\n" STUFFED ".\r\n");
        say(fd, "TOP 2 2\r\n");
        rig_expect(fd, "+OK top of message follows\r\nSubject: x\r\n\r\none\r\n..two\r\n.\r\n");
        say(fd, "TOP 2 0\r\n");
        rig_expect(fd, "+OK top of message follows\r\nSubject: x\r\n\r\n.\r\n");
    }
    gone(fd);
}

static void retr_waits_for_cold_pages(void **state)
{
    (void)state;
    fake.cold_map = 3;
    int fd = logged_in();
    say(fd, "RETR 1\r\nNOOP\r\n");
    rig_expect(fd, "+OK message follows, 32 octets\r\n" STUFFED ".\r\n+OK nothing done\r\n");
    assert_int_equal(fake.warmed, 3);
    gone(fd);
}

static void retr_that_fails_at_once_is_an_error(void **state)
{
    (void)state;
    fake.map = ERR_CORRUPT;
    int fd = logged_in();
    say(fd, "RETR 1\r\nNOOP\r\n");
    rig_expect(fd, "-ERR [SYS/PERM] stored data is damaged\r\n+OK nothing done\r\n");
    gone(fd);
}

static void retr_that_fails_half_way_breaks_the_connection(void **state)
{
    (void)state;
    fake.map = ERR_CORRUPT;
    fake.map_from = 10;
    fake.chunk = 1;
    int fd = logged_in();
    say(fd, "RETR 1\r\n");
    rig_receive(fd, 1000); /* some of it, perhaps, but not its end */
    assert_null(memmem(rig_got().ptr, rig_got().len, "\r\n.\r\n", 5));
    gone(fd);
    assert_int_equal(fake.updates, 0);
}

static void an_empty_message_has_an_answer(void **state)
{
    (void)state;
    fake.text = SLICE("");
    fake.header = 0;
    int fd = logged_in();
    say(fd, "RETR 1\r\nTOP 1 5\r\n");
    rig_expect(fd, "+OK message follows, 0 octets\r\n.\r\n+OK top of message follows\r\n.\r\n");
    gone(fd);
}

static void a_slow_client_gets_all_of_a_long_message(void **state)
{
    (void)state;
    enum { TOTAL = 12000000 };
    static const char head[] = "+OK message follows, 12000000 octets\r\n";
    char *text = mem_new(TOTAL);
    memset(text, 'x', TOTAL);
    memcpy(text + TOTAL - 2, "\r\n", 2);
    fake.text = slice(text, TOTAL);
    fake.chunk = 16360;
    int fd = logged_in();
    say(fd, "RETR 1\r\nSTAT\r\n");
    rig_for_ms(50);
    rig_receive(fd, sizeof head - 1 + TOTAL);
    assert_int_equal(rig_got().len, sizeof head - 1 + TOTAL);
    assert_memory_equal(rig_got().ptr + sizeof head - 1, text, TOTAL);
    rig_expect(fd, ".\r\n+OK 3 36000000\r\n");
    gone(fd);
    mem_free(text);
}

/* --- LIST, UIDL
 * ----------------------------------------------------------------------------------- */

static void listings_of_100000_messages_stream(void **state)
{
    (void)state;
    fake.count = 100000;
    int fd = logged_in();
    say(fd, "DELE 2\r\n");
    rig_expect(fd, "+OK message deleted\r\n");
    say(fd, "LIST\r\nUIDL\r\nSTAT\r\n");
    rig_for_ms(20);
    struct buf want;
    buf_init(&want, 8 << 20);
    assert_ok(buf_append(&want, SLICE("+OK scan listing follows\r\n")));
    for (unsigned i = 1; i <= fake.count; i++)
        if (i != 2)
            assert_ok(buf_printf(&want, "%u 32\r\n", i));
    assert_ok(buf_append(&want, SLICE(".\r\n+OK unique-id listing follows\r\n")));
    for (unsigned i = 1; i <= fake.count; i++)
        if (i != 2)
            assert_ok(buf_printf(&want, "%u uidl%u\r\n", i, i));
    assert_ok(buf_append(&want, SLICE(".\r\n")));
    rig_receive(fd, want.len);
    assert_slice_eq(rig_got(), buf_slice(&want));
    rig_expect(fd, "+OK 99999 3199968\r\n");
    buf_finish(&want);
    gone(fd);
}

/* --- QUIT and the end
 * ----------------------------------------------------------------------------- */

static void quit_hands_over_what_was_done(void **state)
{
    (void)state;
    int fd = logged_in();
    say(fd, "RETR 1\r\nRETR 3\r\nDELE 2\r\nQUIT\r\n");
    assert_true(rig_until(all_closed));
    rig_receive(fd, 1000);
    const char bye[] = "+OK message deleted\r\n+OK bye\r\n";
    assert_true(rig_got().len > sizeof bye);
    assert_slice(slice_from(rig_got(), rig_got().len - (sizeof bye - 1)),
                 "+OK message deleted\r\n+OK bye\r\n");
    assert_int_equal(fake.updates, 1);
    assert_int_equal(fake.retrieved, 2);
    assert_int_equal(fake.deleted, 1);
    close(fd);
}

static void quit_says_when_deletes_failed(void **state)
{
    (void)state;
    fake.update = ERR_FULL;
    int fd = logged_in();
    say(fd, "DELE 2\r\nQUIT\r\n");
    rig_expect(fd, "+OK message deleted\r\n"
                   "-ERR [SYS/TEMP] some deleted messages not removed\r\n");
    assert_true(rig_at_end(fd));
    close(fd);
}

static void quit_without_deletes_does_not_fail(void **state)
{
    (void)state;
    fake.update = ERR_DOWN;
    int fd = logged_in();
    say(fd, "TOP 1 1\r\nQUIT\r\n");
    rig_receive(fd, 1000);
    assert_int_equal(fake.updates, 0); /* nothing to note */
    close(fd);
    fd = logged_in();
    say(fd, "RETR 1\r\n");
    rig_expect(fd, "+OK message follows, 32 octets\r\n" STUFFED ".\r\n");
    say(fd, "QUIT\r\n");
    rig_expect(fd, "+OK bye\r\n");
    assert_int_equal(fake.updates, 1);
    assert_true(rig_at_end(fd));
    close(fd);
}

static void a_lost_connection_keeps_what_was_retrieved(void **state)
{
    (void)state;
    int fd = logged_in();
    say(fd, "RETR 2\r\n");
    rig_expect(fd, "+OK message follows, 32 octets\r\n" STUFFED ".\r\n");
    say(fd, "DELE 1\r\n");
    rig_expect(fd, "+OK message deleted\r\n");
    say(fd, "QUIT"); /* without its line end */
    gone(fd);
    assert_int_equal(fake.updates, 1);
    assert_int_equal(fake.retrieved, 1);
    assert_false(fake.has_deleted);
}

static void a_message_that_was_not_taken_is_not_retrieved(void **state)
{
    (void)state;
    enum { TOTAL = 12000000 };
    char *text = mem_new(TOTAL);
    fake.text = slice(text, TOTAL);
    fake.chunk = 16360;
    int fd = logged_in();
    say(fd, "RETR 1\r\nQUIT\r\n");
    rig_for_ms(50);
    struct linger hard = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    gone(fd);
    assert_int_equal(fake.updates, 0);
    mem_free(text);
}

static void quit_in_a_pipeline_waits_until_all_is_written(void **state)
{
    (void)state;
    enum { TOTAL = 12000000 };
    char *text = mem_new(TOTAL);
    fake.text = slice(text, TOTAL);
    fake.chunk = 16360;
    int fd = logged_in();
    say(fd, "RETR 1\r\nDELE 1\r\nQUIT\r\n");
    rig_for_ms(50);
    assert_int_equal(fake.updates, 0);
    rig_receive(fd, 2 * TOTAL);
    assert_int_equal(fake.updates, 1);
    assert_int_equal(fake.deleted, 1);
    assert_int_equal(fake.retrieved, 1);
    close(fd);
    mem_free(text);
}

static void commands_before_a_half_close_are_run(void **state)
{
    (void)state;
    int fd = greeted();
    say(fd, "USER alice\r\nPASS secret\r\nSTAT\r\nDELE 1\r\nQUIT\r\nSTAT\r\n");
    shutdown(fd, SHUT_WR);
    rig_expect(fd, "+OK send PASS\r\n+OK maildrop locked and ready\r\n+OK 3 96\r\n"
                   "+OK message deleted\r\n+OK bye\r\n");
    assert_int_equal(fake.deleted, 1);
    gone(fd);
}

static void restricted_credentials_cannot_delete(void **state)
{
    (void)state;
    fake.cred_flags = CRED_NO_DELETE;
    int fd = logged_in();
    say(fd, "DELE 1\r\nQUIT\r\n");
    rig_expect(fd, "-ERR not permitted\r\n+OK bye\r\n");
    assert_int_equal(fake.updates, 0);
    gone(fd);
}

static void idle_ends_without_a_word_and_without_update(void **state)
{
    (void)state;
    config_set_for_test(rig.config, "pop3.idle", "1s");
    int fd = logged_in();
    say(fd, "DELE 1\r\n");
    rig_expect(fd, "+OK message deleted\r\n");
    rig_for_ms(500);
    say(fd, "NOOP\r\n");
    rig_expect(fd, "+OK nothing done\r\n");
    rig_for_ms(700);
    assert_false(all_closed());
    assert_true(rig_at_end(fd));
    assert_int_equal(rig_got().len, 0);
    assert_int_equal(fake.updates, 0);
    close(fd);
}

static void too_many_commands_are_delayed_not_refused(void **state)
{
    (void)state;
    config_set_for_test(rig.config, "limits.commands_per_second", "10");
    int fd = logged_in();
    for (int i = 0; i < 38; i++)
        say(fd, "NOOP\r\n");
    uint64_t begin = clock_mono_ms();
    for (int i = 0; i < 5; i++)
        say(fd, "STAT\r\n");
    rig_receive(fd, 38 * 18 + 5 * 10);
    assert_in_range(clock_mono_ms() - begin, 200, 2000);
    gone(fd);
}

static void every_row_is_whole_and_sorted(void **state)
{
    (void)state;
    const struct pop3_command *before = NULL, *c;
    for (size_t i = 0; (c = pop3_command_at(i)); i++) {
        assert_non_null(c->step);
        assert_true(c->states);
        assert_true(!before || strcmp(before->name, c->name) < 0);
        assert_ptr_equal(pop3_command_find(slice_str(c->name)), c);
        before = c;
    }
    assert_null(pop3_command_find(SLICE("RET")));
    assert_null(pop3_command_find(SLICE("RETRX")));
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_whole_and_sorted),
        WITH_RIG(login_waits_for_cold_pages),
        WITH_RIG(login_waits_for_a_dying_holder),
        WITH_RIG(login_gives_up_on_pages_that_stay_cold),
        WITH_RIG(login_errors_have_their_codes),
        WITH_RIG(a_client_that_leaves_while_its_login_runs_leaves_nothing),
        WITH_RIG(retr_is_stuffed_in_any_pieces),
        WITH_RIG(retr_waits_for_cold_pages),
        WITH_RIG(retr_that_fails_at_once_is_an_error),
        WITH_RIG(retr_that_fails_half_way_breaks_the_connection),
        WITH_RIG(an_empty_message_has_an_answer),
        WITH_RIG(a_slow_client_gets_all_of_a_long_message),
        WITH_RIG(listings_of_100000_messages_stream),
        WITH_RIG(quit_hands_over_what_was_done),
        WITH_RIG(quit_says_when_deletes_failed),
        WITH_RIG(quit_without_deletes_does_not_fail),
        WITH_RIG(a_lost_connection_keeps_what_was_retrieved),
        WITH_RIG(a_message_that_was_not_taken_is_not_retrieved),
        WITH_RIG(quit_in_a_pipeline_waits_until_all_is_written),
        WITH_RIG(commands_before_a_half_close_are_run),
        WITH_RIG(restricted_credentials_cannot_delete),
        WITH_RIG(idle_ends_without_a_word_and_without_update),
        WITH_RIG(too_many_commands_are_delayed_not_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
