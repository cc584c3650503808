/* core/net/loop.h: inbox order, timers, ids, turns. */
#include "core/net/loop.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "tests/lib/unit.h"

static struct loop *loop_for_test(void)
{
    struct loop *loop;
    assert_ok(loop_new(3, &loop));
    return loop;
}

/* --- inbox ------------------------------------------------------------------------------------ */

enum { POSTERS = 4, POSTS = 5000 };

struct numbered {
    struct post post;
    unsigned poster, number;
};

static unsigned next_number[POSTERS];
static unsigned out_of_order, arrived;

static void take_numbered(struct loop *loop, struct post *post)
{
    struct numbered *n = (struct numbered *)(void *)post;
    if (n->number != next_number[n->poster]++)
        out_of_order++;
    free(n);
    if (++arrived == POSTERS * POSTS)
        loop_stop(loop);
}

struct poster {
    struct loop *loop;
    unsigned index;
};

static void *post_many(void *arg)
{
    const struct poster *poster = arg;
    for (unsigned i = 0; i < POSTS; i++) {
        struct numbered *n = mem_new(sizeof *n);
        n->post.run = take_numbered;
        n->poster = poster->index;
        n->number = i;
        loop_post(poster->loop, &n->post);
    }
    return NULL;
}

static void posts_of_one_thread_arrive_in_their_order(void **state)
{
    (void)state;
    struct loop *loop = loop_for_test();
    pthread_t threads[POSTERS];
    struct poster posters[POSTERS];
    for (unsigned i = 0; i < POSTERS; i++) {
        posters[i] = (struct poster){loop, i};
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, &posters[i]), 0);
    }
    loop_run(loop);
    for (unsigned i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(arrived, POSTERS * POSTS);
    assert_int_equal(out_of_order, 0);
    loop_free(loop);
}

struct counter {
    struct post post;
    struct loop *seen;
    unsigned runs, repeat;
};

static void count_post(struct loop *loop, struct post *post)
{
    struct counter *c = (struct counter *)(void *)post;
    c->seen = loop_current();
    c->runs++;
    if (c->runs < c->repeat)
        loop_post(loop, post);
    else if (c->repeat)
        loop_stop(loop);
}

static void stop_runs_what_was_posted_before(void **state)
{
    (void)state;
    struct loop *loop = loop_for_test();
    struct counter c[3] = {0};
    for (unsigned i = 0; i < 3; i++) {
        c[i].post.run = count_post;
        loop_post(loop, &c[i].post);
    }
    loop_stop(loop);
    loop_stop(loop);
    loop_run(loop);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(c[i].runs, 1);
        assert_ptr_equal(c[i].seen, loop);
    }
    assert_null(loop_current());
    assert_int_equal(loop_index(loop), 3);
    loop_free(loop);
}

static void count_turn(struct loop *loop, void *arg)
{
    (void)loop;
    ++*(unsigned *)arg;
}

static void a_post_may_post_itself_and_each_turn_has_an_end(void **state)
{
    (void)state;
    struct loop *loop = loop_for_test();
    unsigned turns = 0;
    loop_at_turn_end(loop, count_turn, &turns);
    struct counter c = {.post.run = count_post, .repeat = 100};
    loop_post(loop, &c.post);
    loop_run(loop);
    assert_int_equal(c.runs, 100);
    assert_true(turns >= 100);
    loop_free(loop);
}

/* Posts itself again until it has run RUNS times, and notes in which turn each run was. */
enum { RUNS = 3 };

struct noting {
    struct post post;
    const unsigned *turns;
    unsigned in_turn[RUNS], runs;
};

static void note_turn(struct loop *loop, struct post *post)
{
    struct noting *n = (struct noting *)(void *)post;
    n->in_turn[n->runs++] = *n->turns;
    if (n->runs < RUNS)
        loop_post(loop, post);
    else
        loop_stop(loop);
}

static void a_post_to_oneself_runs_before_the_turn_ends_and_once_in_a_turn(void **state)
{
    (void)state;
    struct loop *loop = loop_for_test();
    unsigned turns = 0;
    loop_at_turn_end(loop, count_turn, &turns);
    struct noting n = {.post.run = note_turn, .turns = &turns};
    loop_post(loop, &n.post); /* from outside: at the beginning of a turn */
    loop_run(loop);
    assert_int_equal(n.in_turn[1], n.in_turn[0]);
    assert_int_equal(n.in_turn[2], n.in_turn[1] + 1);
    loop_free(loop);
}

/* --- timers ----------------------------------------------------------------------------------- */

struct ticker {
    struct timer timer;
    uint64_t due;
    unsigned runs;
    struct ticker *cancels;
};

static unsigned left;
static uint64_t last_due;

static void tick(struct loop *loop, struct timer *timer)
{
    struct ticker *t = (struct ticker *)(void *)timer;
    assert_true(t->due <= clock_mono_ms());
    assert_true(t->due >= last_due);
    last_due = t->due;
    t->runs++;
    if (t->cancels)
        timer_cancel(&t->cancels->timer);
    if (--left == 0)
        loop_stop(loop);
}

static void arm(struct loop *loop, struct ticker *t, uint64_t delay)
{
    t->timer.run = tick;
    timer_arm(loop, &t->timer, delay);
    t->due = t->timer.due_ms;
}

static void timers_fire_once_in_the_order_of_their_due_times(void **state)
{
    (void)state;
    enum { N = 500 };
    struct loop *loop = loop_for_test();
    static struct ticker t[N];
    srand(1);
    last_due = 0;
    left = 0;
    for (unsigned i = 0; i < N; i++)
        arm(loop, &t[i], (uint64_t)(rand() % 50));
    for (unsigned i = 0; i < N; i += 3) /* later and earlier than before */
        arm(loop, &t[i], (uint64_t)(rand() % 80));
    for (unsigned i = 1; i < N; i += 3) {
        timer_cancel(&t[i].timer);
        timer_cancel(&t[i].timer);
    }
    for (unsigned i = 0; i < N; i++)
        left += i % 3 != 1;
    loop_run(loop);
    for (unsigned i = 0; i < N; i++)
        assert_int_equal(t[i].runs, i % 3 != 1);
    loop_free(loop);
}

static void a_timer_may_cancel_another_that_is_due(void **state)
{
    (void)state;
    struct loop *loop = loop_for_test();
    struct ticker first = {0}, second = {0}, last = {0};
    last_due = 0;
    left = 2;
    arm(loop, &second, 5);
    arm(loop, &first, 4);
    arm(loop, &last, 20);
    first.cancels = &second;
    usleep(10000);
    loop_run(loop);
    assert_int_equal(first.runs, 1);
    assert_int_equal(second.runs, 0);
    assert_int_equal(last.runs, 1);
    loop_free(loop);
}

static void repeat_at_once(struct loop *loop, struct timer *timer)
{
    struct ticker *t = (struct ticker *)(void *)timer;
    if (++t->runs == 5)
        loop_stop(loop);
    timer_arm(loop, timer, 0);
}

static void a_timer_that_arms_itself_lets_the_turn_end(void **state)
{
    (void)state;
    struct loop *loop = loop_for_test();
    unsigned turns = 0;
    loop_at_turn_end(loop, count_turn, &turns);
    struct ticker t = {.timer.run = repeat_at_once};
    timer_arm(loop, &t.timer, 0);
    loop_run(loop);
    assert_true(t.runs >= 5);
    assert_true(turns >= 5);
    timer_cancel(&t.timer);
    loop_free(loop);
}

/* --- ids -------------------------------------------------------------------------------------- */

static void a_dropped_id_finds_nothing_and_is_not_given_again(void **state)
{
    (void)state;
    struct loop *loop = loop_for_test();
    int a, b;
    uint64_t first = loop_id_new(loop, &a);
    assert_true(first != 0);
    assert_ptr_equal(loop_id_find(loop, first), &a);
    loop_id_drop(loop, first);
    loop_id_drop(loop, first);
    loop_id_drop(loop, 0);
    assert_null(loop_id_find(loop, first));
    uint64_t second = loop_id_new(loop, &b);
    assert_true(second != first);
    assert_null(loop_id_find(loop, first));
    assert_ptr_equal(loop_id_find(loop, second), &b);
    assert_null(loop_id_find(loop, 0));
    assert_null(loop_id_find(loop, UINT64_MAX));
    loop_free(loop);
}

static void ids_of_many_objects_stay_apart(void **state)
{
    (void)state;
    enum { N = 1000 };
    static int objects[N];
    static uint64_t ids[N];
    struct loop *loop = loop_for_test();
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < N; i++)
            if (!ids[i])
                ids[i] = loop_id_new(loop, &objects[i]);
        for (unsigned i = 0; i < N; i++)
            assert_ptr_equal(loop_id_find(loop, ids[i]), &objects[i]);
        for (unsigned i = round; i < N; i += 2) {
            loop_id_drop(loop, ids[i]);
            ids[i] = 0;
        }
    }
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_of_one_thread_arrive_in_their_order),
        cmocka_unit_test(stop_runs_what_was_posted_before),
        cmocka_unit_test(a_post_may_post_itself_and_each_turn_has_an_end),
        cmocka_unit_test(a_post_to_oneself_runs_before_the_turn_ends_and_once_in_a_turn),
        cmocka_unit_test(timers_fire_once_in_the_order_of_their_due_times),
        cmocka_unit_test(a_timer_may_cancel_another_that_is_due),
        cmocka_unit_test(a_timer_that_arms_itself_lets_the_turn_end),
        cmocka_unit_test(a_dropped_id_finds_nothing_and_is_not_given_again),
        cmocka_unit_test(ids_of_many_objects_stay_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
