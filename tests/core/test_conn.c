/* core/net/conn.h: a connection's life against every kind of peer. */
#include "core/net/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/budget.h"
#include "core/base/config.h"
#include "core/base/mem.h"
#include "core/net/outq.h"
#include "tests/core/rig.h"
#include "tests/lib/unit.h"

static int greeted(void)
{
    int fd = rig_connect(rig.port);
    rig_expect(fd, "HI\r\n");
    return fd;
}

static void ends_with(int fd, enum conn_end why)
{
    close(fd);
    assert_true(rig_until(rig_has_none));
    assert_int_equal(rig.why, why);
}

static int start(void **state)
{
    (void)state;
    rig_start(NULL, false);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_stop();
    return 0;
}

/* --- input ------------------------------------------------------------------------------------ */

static void lines_come_whole_in_pieces_and_pipelined(void **state)
{
    (void)state;
    int fd = greeted();
    rig_send(fd, SLICE("one\r\n"));
    rig_expect(fd, "one\r\n");
    struct slice bytes = SLICE("two\r\nthree\r\n");
    for (size_t i = 0; i < bytes.len; i++) {
        rig_send(fd, slice(bytes.ptr + i, 1));
        rig_turn();
    }
    rig_expect(fd, "two\r\nthree\r\n");
    rig_send(fd, SLICE("a\r\nb\r\nc\r\nQUIT\r\nnever\r\n"));
    rig_expect(fd, "a\r\nb\r\nc\r\nBYE\r\n");
    assert_true(rig_at_end(fd));
    assert_string_equal(rig.last.line, "QUIT");
    ends_with(fd, CONN_END_LOGOUT);
}

static bool flood_has_come(void)
{
    return conn_received(rig.session->conn) == 200010;
}

static void reading_stops_at_the_input_maximum(void **state)
{
    (void)state;
    int fd = greeted();
    rig_send(fd, SLICE("MAX 1000\r\n"));
    char *flood = mem_new(200000);
    memset(flood, 'x', 200000);
    rig_send(fd, slice(flood, 100000)); /* the kernel takes it, we do not */
    rig_for_ms(20);
    assert_int_equal(conn_input(rig.session->conn).len, 1000);
    rig.session->swallowing = true;
    conn_again(rig.session->conn);
    rig_send(fd, slice(flood, 100000));
    assert_true(rig_until(flood_has_come));
    mem_free(flood);
    ends_with(fd, CONN_END_CLIENT);
}

static void nothing_is_offered_while_input_is_not_wanted(void **state)
{
    (void)state;
    int fd = greeted();
    rig_send(fd, SLICE("WAIT\r\nfirst\r\n"));
    rig_for_ms(10);
    unsigned inputs = rig.session->inputs;
    rig_send(fd, SLICE("second\r\n"));
    rig_for_ms(10);
    assert_int_equal(rig.session->inputs, inputs);
    assert_slice(conn_input(rig.session->conn), "first\r\n");
    rig_resume();
    rig_expect(fd, "first\r\nsecond\r\n");
    ends_with(fd, CONN_END_CLIENT);
}

static void a_peer_that_goes_is_seen_while_input_is_not_wanted(void **state)
{
    (void)state;
    int fd = greeted();
    rig_send(fd, SLICE("WAIT\r\n"));
    rig_for_ms(10);
    struct linger hard = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    ends_with(fd, CONN_END_RESET);
}

static void unread_input_is_offered_after_a_half_close(void **state)
{
    (void)state;
    int fd = greeted();
    rig_send(fd, SLICE("WAIT\r\nlast words\r\npart"));
    shutdown(fd, SHUT_WR);
    rig_for_ms(10);
    assert_non_null(rig.session);
    rig_resume();
    rig_expect(fd, "last words\r\nEOF 4\r\n");
    assert_true(rig_at_end(fd));
    ends_with(fd, CONN_END_CLIENT);
}

static void again_comes_in_a_later_turn(void **state)
{
    (void)state;
    int fd = greeted();
    rig_send(fd, SLICE("AGAIN\r\n"));
    rig_for_ms(10);
    assert_int_equal(rig.session->inputs, 2);
    ends_with(fd, CONN_END_CLIENT);
}

static void an_idle_connection_holds_no_buffers(void **state)
{
    (void)state;
    int fd = greeted();
    rig_send(fd, SLICE("hello\r\nBIG 100000\r\n"));
    rig_receive(fd, 7 + 100000);
    rig_for_ms(5);
    assert_int_equal(conn_out(rig.session->conn)->len, 0);
    assert_null(conn_out(rig.session->conn)->head);
    assert_null(conn_input(rig.session->conn).ptr);
    ends_with(fd, CONN_END_CLIENT);
}

/* --- output ----------------------------------------------------------------------------------- */

static void check_pattern(size_t n)
{
    struct slice all = rig_got();
    assert_int_equal(all.len, n);
    for (size_t i = 0; i < n; i++)
        if (all.ptr[i] != (char)('!' + i % 89))
            fail_msg("octet %zu is wrong", i);
}

/* For its reader: below half of the high mark the session would have been asked for more. */
static bool output_waits(void)
{
    return conn_out(rig.session->conn)->len > 128 * 1024;
}

static void a_slow_reader_stops_production_at_the_high_mark(void **state)
{
    (void)state;
    enum { TOTAL = 20000000 };
    int fd = greeted();
    rig_send(fd, SLICE("BIG 20000000\r\nafter\r\n"));
    assert_true(rig_until(output_waits));
    rig_for_ms(30);
    assert_true(rig.session->made < TOTAL);
    assert_true(rig.session->out_max < 256 * 1024 + 40000);
    rig_receive(fd, TOTAL);
    check_pattern(TOTAL);
    rig_expect(fd, "after\r\n");
    assert_true(rig.session->drains > 10);
    ends_with(fd, CONN_END_CLIENT);
}

static void who_fills_as_often_as_he_drains_is_told_once_a_turn(void **state)
{
    (void)state;
    int fd = greeted(), other = rig_connect(rig.port);
    struct rig_session *filler = rig.session;
    rig_expect(other, "HI\r\n");
    rig_send(fd, SLICE("BIG 20000000\r\n"));
    rig_send(other, SLICE("BIG 20000000\r\n"));
    for (unsigned turns = 0; filler->produce || rig.session->produce; turns++) {
        char taken[65536];
        unsigned before = filler->drains, others = rig.session->drains;
        rig_turn();
        assert_true(filler->drains <= before + 1);
        assert_true(rig.session->drains <= others + 1);
        while (recv(turns % 2 ? fd : other, taken, sizeof taken, 0) > 0)
            ;
    }
    assert_true(filler->drains > 10 && rig.session->drains > 10);
    close(other);
    close(fd);
    assert_true(rig_until(rig_has_none));
}

static void a_flush_is_told_once_when_all_is_written(void **state)
{
    (void)state;
    enum { TOTAL = 5000000 };
    int fd = greeted();
    rig_send(fd, SLICE("FLUSH\r\n")); /* nothing to wait for */
    rig_expect(fd, "FLUSHED\r\n");
    rig_send(fd, SLICE("BIG 5000000\r\nFLUSH\r\n"));
    rig_receive(fd, TOTAL);
    check_pattern(TOTAL);
    rig_expect(fd, "FLUSHED\r\n");
    rig_send(fd, SLICE("one\r\n"));
    rig_expect(fd, "one\r\n");
    ends_with(fd, CONN_END_CLIENT);
}

static void a_consumed_secret_is_overwritten(void **state)
{
    (void)state;
    int fd = greeted();
    rig_send(fd, SLICE("WAIT\r\nhunter2\r\n"));
    rig_for_ms(10);
    struct slice in = conn_input(rig.session->conn);
    assert_slice(in, "hunter2\r\n");
    conn_consume_secret(rig.session->conn, in.len);
    assert_slice(in, "\0\0\0\0\0\0\0\0\0");
    assert_int_equal(conn_input(rig.session->conn).len, 0);
    rig_resume();
    ends_with(fd, CONN_END_CLIENT);
}

static void borrows_that_are_not_sent_are_copied(void **state)
{
    (void)state;
    enum { TOTAL = 8000000 };
    int fd = greeted();
    rig_send(fd, SLICE("BORROW 8000000\r\n"));
    rig_for_ms(30); /* the piece has been overwritten many times */
    rig_receive(fd, TOTAL);
    check_pattern(TOTAL);
    ends_with(fd, CONN_END_CLIENT);
}

static void finish_sends_what_is_queued(void **state)
{
    (void)state;
    int fd = greeted();
    rig_send(fd, SLICE("BIG 200000\r\nQUIT\r\n"));
    rig_for_ms(10);
    rig_receive(fd, 200000);
    check_pattern(200000);
    rig_expect(fd, "BYE\r\n");
    assert_true(rig_at_end(fd));
    ends_with(fd, CONN_END_LOGOUT);
}

static void last_words_survive_input_that_nobody_reads(void **state)
{
    (void)state;
    int fd = greeted();
    rig_send(fd, SLICE("LIMIT\r\n"));
    char junk[4000];
    memset(junk, 'x', sizeof junk);
    for (unsigned i = 0; i < 20; i++)
        rig_send(fd, slice(junk, sizeof junk));
    assert_true(rig_until(rig_has_none));
    rig_send(fd, slice(junk, sizeof junk));
    rig_for_ms(10);
    rig_expect(fd, "BYE\r\n");
    assert_true(rig_at_end(fd));
    ends_with(fd, CONN_END_LIMIT);
}

static void output_of_a_completion_is_sent_when_it_ends(void **state)
{
    (void)state;
    int fd = greeted();
    conn_send(rig.session->conn, SLICE("news\r\n")); /* as a post would */
    rig_expect(fd, "news\r\n");
    assert_int_equal(conn_sent(rig.session->conn), 10);
    ends_with(fd, CONN_END_CLIENT);
}

/* --- deadlines -------------------------------------------------------------------------------- */

static int start_tls(void **state)
{
    (void)state;
    rig_start(NULL, true);
    return 0;
}

static int start_impatient(void **state)
{
    (void)state;
    rig_start(NULL, true);
    rig.config->limits.login_ms = 200;
    rig.config->limits.write_stall_ms = 200;
    rig.config->limits.upload_stall_ms = 200;
    return 0;
}

static void a_reader_that_takes_nothing_is_dropped(void **state)
{
    (void)state;
    int fd = greeted();
    rig_send(fd, SLICE("LOGIN\r\nBIG 20000000\r\n"));
    assert_true(rig_until(rig_has_none));
    assert_int_equal(rig.why, CONN_END_STALL);
    close(fd);
}

static void a_slow_reader_that_takes_something_is_not(void **state)
{
    (void)state;
    rig.config->limits.write_stall_ms = 800; /* not to be missed by a machine that is busy */
    int fd = greeted();
    rig_send(fd, SLICE("LOGIN\r\nBIG 20000000\r\n"));
    for (unsigned i = 0; i < 12; i++) {
        rig_for_ms(100);
        rig_receive(fd, 400000);
    }
    assert_non_null(rig.session);
    ends_with(fd, CONN_END_RESET);
}

static void an_upload_that_stands_still_is_dropped(void **state)
{
    (void)state;
    int fd = greeted();
    rig_send(fd, SLICE("LOGIN\r\nUPLOAD\r\n"));
    for (unsigned i = 0; i < 8; i++) {
        rig_for_ms(50);
        rig_send(fd, SLICE("x"));
    }
    assert_non_null(rig.session);
    assert_true(rig_until(rig_has_none));
    assert_int_equal(rig.why, CONN_END_STALL);
    close(fd);
}

static void an_upload_that_we_hold_up_is_not_dropped(void **state)
{
    (void)state;
    int fd = greeted();
    rig_send(fd, SLICE("LOGIN\r\nUPLOAD\r\n"));
    rig_expect(fd, "OK\r\n");
    conn_want_input(rig.session->conn, false);
    rig_for_ms(500);
    assert_non_null(rig.session);
    conn_want_input(rig.session->conn, true);
    ends_with(fd, CONN_END_CLIENT);
}

static bool offered_x(void)
{
    return rig.session && rig.session->swallowed;
}

static void an_upload_that_begins_while_memory_is_tight_waits(void **state)
{
    (void)state;
    const struct config_share little = {.octets = 1 << 20}, plenty = {.percent = 25};
    int under_way = greeted();
    rig_send(under_way, SLICE("LOGIN\r\nUPLOAD\r\n"));
    rig_expect(under_way, "OK\r\n");
    budget_setup(&little);
    budget_take(BUDGET_CACHES, 900 << 10);
    assert_int_equal(budget_level(), BUDGET_TIGHT);
    rig_send(under_way, SLICE("x"));
    assert_true(rig_until(offered_x));
    ends_with(under_way, CONN_END_CLIENT);

    int fd = greeted();
    rig_send(fd, SLICE("LOGIN\r\nUPLOAD\r\n"));
    rig_expect(fd, "OK\r\n");
    rig_send(fd, SLICE("x"));
    rig_for_ms(500); /* longer than upload_stall */
    assert_false(offered_x());
    budget_give(BUDGET_CACHES, 900 << 10);
    assert_true(rig_until(offered_x));
    budget_setup(&plenty);
    ends_with(fd, CONN_END_CLIENT);
}

static void login_has_a_deadline(void **state)
{
    (void)state;
    int fd = greeted();
    rig_send(fd, SLICE("busy\r\n"));
    rig_expect(fd, "busy\r\nLATE\r\n");
    assert_true(rig_at_end(fd));
    assert_int_equal(rig.last.deadlines, 1);
    ends_with(fd, CONN_END_IDLE);

    fd = greeted();
    rig_send(fd, SLICE("LOGIN\r\n"));
    rig_expect(fd, "OK\r\n");
    rig_for_ms(300);
    assert_non_null(rig.session);
    ends_with(fd, CONN_END_CLIENT);
}

static void the_login_deadline_covers_the_handshake(void **state)
{
    (void)state;
    int fd = rig_connect(rig.port + 1);
    rig_send(fd, SLICE("\x16\x03\x01"));
    assert_true(rig_at_end(fd));
    assert_int_equal(rig.opened, 0);
    close(fd);
    fd = rig_connect(rig.port + 2); /* waits for a PROXY header */
    assert_true(rig_at_end(fd));
    assert_int_equal(rig.opened, 0);
    close(fd);
}

static void the_protocol_has_a_deadline_that_it_may_move(void **state)
{
    (void)state;
    int fd = greeted();
    rig_send(fd, SLICE("LOGIN\r\nIDLE 50\r\nIDLE 100000\r\n"));
    rig_for_ms(100);
    rig_send(fd, SLICE("IDLE 20\r\n"));
    rig_expect(fd, "OK\r\nLATE\r\n");
    ends_with(fd, CONN_END_IDLE);
    assert_int_equal(rig.last.deadlines, 1);
}

/* --- the end in every callback ---------------------------------------------------------------- */

static void provoke(void)
{
    int fd = rig_connect(rig.port);
    rig_send(fd, SLICE("IDLE 10\r\nBIG 3000000\r\n"));
    rig_receive(fd, 4000000);
    close(fd);
}

static void a_connection_may_end_in_any_callback(void **state)
{
    (void)state;
    static const char *const callbacks[] = {"open", "input", "drained", "deadline"};
    for (unsigned i = 0; i < 4; i++) {
        unsigned closed = rig.closed;
        rig.finish_in = NULL;
        rig.close_in = callbacks[i];
        provoke();
        assert_true(rig_until(rig_has_none));
        assert_int_equal(rig.closed, closed + 1);
        rig.close_in = NULL;
        rig.finish_in = callbacks[i];
        provoke();
        assert_true(rig_until(rig_has_none));
        assert_int_equal(rig.closed, closed + 2);
    }
}

static void the_address_is_given_as_16_octets(void **state)
{
    (void)state;
    int fd = greeted();
    unsigned char octets[16];
    conn_peer_octets(rig.session->conn, octets);
    assert_memory_equal(octets, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
    ends_with(fd, CONN_END_CLIENT);
}

static void an_id_finds_nothing_after_the_end(void **state)
{
    (void)state;
    int fd = greeted();
    struct conn *conn = rig.session->conn;
    uint64_t id = conn_loop_id(conn);
    assert_ptr_equal(loop_id_find(rig.loop, id), conn);
    rig_send(fd, SLICE("DIE\r\n"));
    ends_with(fd, CONN_END_FAULT);
    assert_null(loop_id_find(rig.loop, id));
}

static void resets_at_any_point_end_the_connection(void **state)
{
    (void)state;
    static const char *const said[] = {
        "", "x", "x\r\n", "WAIT\r\n", "BIG 3000000\r\n", "QUIT\r\n", "UPLOAD\r\nxx"};
    for (unsigned i = 0; i < sizeof said / sizeof *said; i++) {
        int fd = rig_connect(rig.port);
        rig_send(fd, slice_str(said[i]));
        if (i % 2)
            rig_for_ms(3);
        struct linger hard = {1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        close(fd);
        rig_for_ms(10);
        assert_true(rig_until(rig_has_none));
    }
}

enum { CROWD = 40, STEPS = 4000 };

/* Whatever a crowd does, every session ends once and nothing of it is left (the sanitizers look).
 */
static void random_clients_leave_nothing_behind(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "hello\r\n",  "BIG 300000\r\n", "BORROW 200000\r\n", "WAIT\r\n",
        "UPLOAD\r\n", "QUIT\r\n",       "LIMIT\r\n",         "DIE\r\n",
        "IDLE 3\r\n", "AGAIN\r\n",      "MAX 100\r\n",       "LOGIN\r\n",
        "half a li",  "FLUSH\r\n",      "\r\n\r\n\r\n",      "STARTTLS\r\n"};
    int fds[CROWD];
    srand(11);
    for (unsigned i = 0; i < CROWD; i++)
        fds[i] = -1;
    for (unsigned i = 0; i < STEPS; i++) {
        int *fd = &fds[rand() % CROWD];
        struct slice line = slice_str(lines[(size_t)rand() % (sizeof lines / sizeof *lines)]);
        char sink[50000];
        struct linger hard = {1, 0};
        if (*fd < 0) {
            *fd = rig_connect(rig.port);
            continue;
        }
        switch (rand() % 8) {
        case 0:
            if (rand() % 2)
                setsockopt(*fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
            close(*fd);
            *fd = -1;
            break;
        case 1:
            shutdown(*fd, SHUT_WR);
            break;
        case 2:
        case 3:
            (void)!recv(*fd, sink, sizeof sink, 0);
            break;
        case 4:
            if (rig.session && rig.session->waiting)
                rig_resume();
            break;
        default:
            (void)!send(*fd, line.ptr, line.len, MSG_NOSIGNAL);
            break;
        }
        if (rand() % 2)
            rig_turn();
    }
    for (unsigned i = 0; i < CROWD; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    rig_for_ms(20);
    assert_true(rig.opened > CROWD);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
#define IMPATIENT(name) cmocka_unit_test_setup_teardown(name, start_impatient, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(lines_come_whole_in_pieces_and_pipelined),
        CASE(reading_stops_at_the_input_maximum),
        CASE(nothing_is_offered_while_input_is_not_wanted),
        CASE(a_peer_that_goes_is_seen_while_input_is_not_wanted),
        CASE(unread_input_is_offered_after_a_half_close),
        CASE(again_comes_in_a_later_turn),
        CASE(an_idle_connection_holds_no_buffers),
        CASE(a_slow_reader_stops_production_at_the_high_mark),
        CASE(who_fills_as_often_as_he_drains_is_told_once_a_turn),
        CASE(a_flush_is_told_once_when_all_is_written),
        CASE(a_consumed_secret_is_overwritten),
        CASE(borrows_that_are_not_sent_are_copied),
        CASE(finish_sends_what_is_queued),
        CASE(last_words_survive_input_that_nobody_reads),
        CASE(output_of_a_completion_is_sent_when_it_ends),
        IMPATIENT(a_reader_that_takes_nothing_is_dropped),
        IMPATIENT(a_slow_reader_that_takes_something_is_not),
        IMPATIENT(an_upload_that_stands_still_is_dropped),
        IMPATIENT(an_upload_that_we_hold_up_is_not_dropped),
        IMPATIENT(an_upload_that_begins_while_memory_is_tight_waits),
        IMPATIENT(login_has_a_deadline),
        IMPATIENT(the_login_deadline_covers_the_handshake),
        IMPATIENT(the_protocol_has_a_deadline_that_it_may_move),
        CASE(a_connection_may_end_in_any_callback),
        CASE(the_address_is_given_as_16_octets),
        CASE(an_id_finds_nothing_after_the_end),
        CASE(resets_at_any_point_end_the_connection),
        cmocka_unit_test_setup_teardown(random_clients_leave_nothing_behind, start_tls, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
