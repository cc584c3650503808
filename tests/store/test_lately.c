/* store/lately.h: what is said to be known was noted, and not long ago. */
#include "store/lately.h"

#include <stdlib.h>

#include "core/base/mem.h"
#include "tests/lib/unit.h"

enum { BLOBS = 40, ENVS = 3, CHUNKS = 70, STEPS = 200000 };

static void a_note_holds_for_a_second(void **state)
{
    (void)state;
    struct lately *lately = mem_new(sizeof *lately);
    const struct chunk_place at = {7, 1, 2};
    assert_false(lately_has(lately, &at, 5000));
    lately_note(lately, &at, 5000);
    assert_true(lately_has(lately, &at, 5000));
    assert_true(lately_has(lately, &at, 5999));
    assert_false(lately_has(lately, &at, 6000));
    mem_free(lately);
}

/* Chunks of one body do not push each other out, or a large one would never be known. */
static void a_body_is_known_whole(void **state)
{
    (void)state;
    struct lately *lately = mem_new(sizeof *lately);
    for (uint32_t chunk = 0; chunk < LATELY_CHUNKS; chunk++)
        lately_note(lately, &(struct chunk_place){99, 1, chunk}, 1);
    for (uint32_t chunk = 0; chunk < LATELY_CHUNKS; chunk++)
        assert_true(lately_has(lately, &(struct chunk_place){99, 1, chunk}, 1));
    mem_free(lately);
}

static void nothing_is_known_that_was_not_noted(void **state)
{
    (void)state;
    static uint64_t noted_ms[BLOBS][ENVS][CHUNKS]; /* 0: never */
    struct lately *lately = mem_new(sizeof *lately);
    uint64_t now = 1;
    unsigned known = 0;
    srand(1);
    for (unsigned i = 0; i < STEPS; i++) {
        unsigned blob = (unsigned)rand() % BLOBS, env = (unsigned)rand() % ENVS,
                 chunk = (unsigned)rand() % CHUNKS;
        struct chunk_place at = {((uint64_t)blob << 30) + blob, env, chunk};
        uint64_t noted = noted_ms[blob][env][chunk];
        if (lately_has(lately, &at, now)) {
            assert_true(noted && now - noted < 1000);
            known++;
        } else {
            lately_note(lately, &at, now);
            noted_ms[blob][env][chunk] = now;
        }
        now += rand() % 8 == 0;
    }
    assert_true(known > STEPS / 100);
    mem_free(lately);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_note_holds_for_a_second),
        cmocka_unit_test(a_body_is_known_whole),
        cmocka_unit_test(nothing_is_known_that_was_not_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
