/* core/net/helper.h: children that answer, crash, hang, flood or fork; a helper that dies. */
#include "core/net/helper.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/net/loop.h"
#include "tests/lib/unit.h"

enum kind { ECHO, REFUSE, CRASH, HANG, FLOOD, LEAVE_ONE_BEHIND, NAP, KILL_HELPER, DESCRIPTORS };

static void put(int fd, struct slice s)
{
    while (s.len) {
        ssize_t n = write(fd, s.ptr, s.len);
        if (n <= 0)
            return;
        s = slice_from(s, (size_t)n);
    }
}

static enum helper_outcome serve(uint8_t kind, struct slice arguments, int data_fd)
{
    char flood[1024] = {0};
    unsigned open_fds = 0;
    switch ((enum kind)kind) {
    case ECHO:
        put(data_fd, arguments);
        return HELPER_OK;
    case REFUSE:
        put(data_fd, SLICE("no"));
        return HELPER_REFUSED;
    case CRASH:
        raise(SIGKILL);
        return HELPER_OK;
    case HANG:
        for (;;)
            pause();
    case FLOOD:
        for (;;)
            put(data_fd, slice(flood, sizeof flood));
    case LEAVE_ONE_BEHIND:
        if (fork() == 0)
            for (;;)
                pause(); /* holds the pipe open */
        put(data_fd, SLICE("done"));
        return HELPER_OK;
    case NAP:
        usleep(50000);
        return HELPER_OK;
    case KILL_HELPER:
        kill(getppid(), SIGKILL);
        pause();
        return HELPER_OK;
    case DESCRIPTORS:
        for (int fd = 0; fd < 1024; fd++)
            open_fds += fcntl(fd, F_GETFD) >= 0;
        dprintf(data_fd, "%u", open_fds);
        return HELPER_OK;
    }
    return HELPER_UNAVAILABLE;
}

static struct helper *helper;
static struct loop *loop;
static unsigned answers, wanted;
static unsigned by_outcome[3];
static char data[20000];
static size_t data_len;

static void on_done(void *object, enum helper_outcome outcome, struct slice got)
{
    assert_ptr_equal(object, &answers);
    answers++;
    by_outcome[outcome]++;
    memcpy(data, got.ptr ? got.ptr : "", got.len);
    data_len = got.len;
    if (answers == wanted)
        loop_stop(loop);
}

static int start(void **state)
{
    (void)state;
    assert_ok(helper_start(serve, &helper));
    assert_ok(loop_new(0, &loop));
    helper_attach(helper, loop);
    answers = wanted = 0;
    memset(by_outcome, 0, sizeof by_outcome);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    helper_free(helper);
    loop_free(loop);
    return 0;
}

static void ask(enum kind kind, struct slice arguments, uint32_t deadline_ms)
{
    wanted++;
    helper_ask(helper, (uint8_t)kind, arguments, deadline_ms, loop, loop_id_new(loop, &answers),
               on_done);
}

static void an_answer_carries_outcome_and_data(void **state)
{
    (void)state;
    ask(ECHO, SLICE("user\0password"), 5000);
    loop_run(loop);
    assert_int_equal(by_outcome[HELPER_OK], 1);
    assert_slice(slice(data, data_len), "user\0password");
}

static void refusal_and_nothing_to_say(void **state)
{
    (void)state;
    ask(REFUSE, SLICE_NONE, 5000);
    loop_run(loop);
    assert_int_equal(by_outcome[HELPER_REFUSED], 1);
    assert_slice(slice(data, data_len), "no");
}

static void a_child_that_crashes_is_unavailable(void **state)
{
    (void)state;
    ask(CRASH, SLICE_NONE, 5000);
    loop_run(loop);
    assert_int_equal(by_outcome[HELPER_UNAVAILABLE], 1);
}

static void a_child_that_hangs_is_ended_at_its_deadline(void **state)
{
    (void)state;
    uint64_t begin = clock_mono_ms();
    ask(HANG, SLICE_NONE, 100);
    loop_run(loop);
    assert_int_equal(by_outcome[HELPER_UNAVAILABLE], 1);
    assert_true(clock_mono_ms() - begin < 900); /* by the helper, not by the daemon's own look */
}

static void a_child_that_floods_is_ended(void **state)
{
    (void)state;
    ask(FLOOD, SLICE_NONE, 60000);
    loop_run(loop);
    assert_int_equal(by_outcome[HELPER_UNAVAILABLE], 1);
}

static void data_up_to_the_cap_is_whole(void **state)
{
    (void)state;
    static char most[16 * 1024];
    memset(most, 'm', sizeof most);
    ask(ECHO, slice(most, sizeof most), 5000);
    loop_run(loop);
    assert_int_equal(by_outcome[HELPER_OK], 1);
    assert_int_equal(data_len, sizeof most);
}

static void arguments_over_the_cap_are_refused_at_once(void **state)
{
    (void)state;
    static char much[64 * 1024];
    ask(ECHO, slice(much, sizeof much), 5000);
    assert_int_equal(answers, 0); /* never before helper_ask returns */
    loop_run(loop);
    assert_int_equal(by_outcome[HELPER_UNAVAILABLE], 1);
}

static void what_a_child_leaves_behind_does_not_hold_the_answer(void **state)
{
    (void)state;
    ask(LEAVE_ONE_BEHIND, SLICE_NONE, 60000);
    loop_run(loop);
    assert_int_equal(by_outcome[HELPER_OK], 1);
    assert_slice(slice(data, data_len), "done");
}

static void children_have_no_descriptors_but_their_own(void **state)
{
    (void)state;
    int extra = open("/dev/null", O_RDONLY); /* not inherited: the helper was there before; and */
    ask(DESCRIPTORS, SLICE_NONE, 5000);
    loop_run(loop);
    assert_slice(slice(data, data_len), "4");
    close(extra);
}

static void more_requests_than_children_wait_their_turn(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 150; i++)
        ask(NAP, SLICE_NONE, 20000);
    loop_run(loop);
    assert_int_equal(by_outcome[HELPER_OK], 150);
}

static void a_mixture_is_answered_each_by_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        ask(ECHO, SLICE("x"), 10000);
        ask(CRASH, SLICE_NONE, 10000);
        ask(HANG, SLICE_NONE, 50);
        ask(REFUSE, SLICE_NONE, 10000);
    }
    loop_run(loop);
    assert_int_equal(by_outcome[HELPER_OK], 10);
    assert_int_equal(by_outcome[HELPER_REFUSED], 10);
    assert_int_equal(by_outcome[HELPER_UNAVAILABLE], 20);
}

static void stop_soon(struct loop *l, struct timer *timer)
{
    (void)timer;
    loop_stop(l);
}

static void an_object_that_has_gone_hears_nothing(void **state)
{
    (void)state;
    uint64_t id = loop_id_new(loop, &answers);
    helper_ask(helper, ECHO, SLICE("x"), 5000, loop, id, on_done);
    loop_id_drop(loop, id);
    struct timer timer = {.run = stop_soon};
    timer_arm(loop, &timer, 100);
    loop_run(loop);
    assert_int_equal(answers, 0);
}

static void when_the_helper_dies_everything_is_unavailable(void **state)
{
    (void)state;
    ask(HANG, SLICE_NONE, 60000);
    ask(KILL_HELPER, SLICE_NONE, 60000);
    loop_run(loop);
    assert_int_equal(by_outcome[HELPER_UNAVAILABLE], 2);
    loop_free(loop);
    /* The loop of a test stops once; asking goes on elsewhere. */
    assert_ok(loop_new(0, &loop));
    ask(ECHO, SLICE("x"), 5000);
    loop_run(loop);
    assert_int_equal(by_outcome[HELPER_UNAVAILABLE], 3);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_answer_carries_outcome_and_data),
        CASE(refusal_and_nothing_to_say),
        CASE(a_child_that_crashes_is_unavailable),
        CASE(a_child_that_hangs_is_ended_at_its_deadline),
        CASE(a_child_that_floods_is_ended),
        CASE(data_up_to_the_cap_is_whole),
        CASE(arguments_over_the_cap_are_refused_at_once),
        CASE(what_a_child_leaves_behind_does_not_hold_the_answer),
        CASE(children_have_no_descriptors_but_their_own),
        CASE(more_requests_than_children_wait_their_turn),
        CASE(a_mixture_is_answered_each_by_its_own),
        CASE(an_object_that_has_gone_hears_nothing),
        CASE(when_the_helper_dies_everything_is_unavailable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
