/* auth/cache.c: what is remembered, for how long, and that it stays bounded. */
#include "auth/cache.h"

#include "core/base/clock.h"
#include "tests/lib/unit.h"

static struct auth_digest digest(struct auth_cache *cache, struct slice a, struct slice b)
{
    struct slice parts[] = {a, b};
    return auth_cache_digest(cache, parts, 2);
}

static void remembers_until_the_age_that_is_asked_for(void **state)
{
    (void)state;
    struct auth_cache *cache = auth_cache_new(100);
    struct auth_digest d = digest(cache, SLICE("alice"), SLICE("secret"));
    assert_false(auth_cache_has(cache, d, 300000));
    auth_cache_put(cache, d);
    assert_true(auth_cache_has(cache, d, 300000));
    assert_false(auth_cache_has(cache, d, 0));
    clock_shift(299);
    assert_true(auth_cache_has(cache, d, 300000));
    clock_shift(2);
    assert_false(auth_cache_has(cache, d, 300000));
    auth_cache_put(cache, d);
    assert_true(auth_cache_has(cache, d, 300000));
    auth_cache_free(cache);
}

static void borders_between_parts_count(void **state)
{
    (void)state;
    struct auth_cache *cache = auth_cache_new(100);
    auth_cache_put(cache, digest(cache, SLICE("alice"), SLICE("xsecret")));
    assert_false(auth_cache_has(cache, digest(cache, SLICE("alicex"), SLICE("secret")), 1000));
    assert_false(auth_cache_has(cache, digest(cache, SLICE("alicexsecret"), SLICE("")), 1000));
    assert_false(auth_cache_has(cache, digest(cache, SLICE("alice"), SLICE("xsecre")), 1000));
    assert_true(auth_cache_has(cache, digest(cache, SLICE("alice"), SLICE("xsecret")), 1000));
    auth_cache_free(cache);
}

static void each_process_has_its_own_key(void **state)
{
    (void)state;
    struct auth_cache *one = auth_cache_new(8), *two = auth_cache_new(8);
    struct auth_digest a = digest(one, SLICE("a"), SLICE("b"));
    struct auth_digest b = digest(two, SLICE("a"), SLICE("b"));
    assert_memory_not_equal(&a, &b, sizeof a);
    auth_cache_free(one);
    auth_cache_free(two);
    auth_cache_free(NULL);
}

static void the_oldest_of_a_bucket_goes_first(void **state)
{
    (void)state;
    struct auth_cache *cache = auth_cache_new(8); /* one bucket */
    struct auth_digest d[9];
    for (size_t i = 0; i < 9; i++)
        d[i] = digest(cache, SLICE("n"), slice(&i, sizeof i));
    for (size_t i = 0; i < 8; i++) {
        auth_cache_put(cache, d[i]);
        clock_shift(1);
    }
    auth_cache_put(cache, d[0]); /* renewed, not doubled */
    clock_shift(1);
    auth_cache_put(cache, d[8]);
    assert_false(auth_cache_has(cache, d[1], 100000));
    for (size_t i = 0; i < 9; i++)
        if (i != 1)
            assert_true(auth_cache_has(cache, d[i], 100000));
    auth_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remembers_until_the_age_that_is_asked_for),
        cmocka_unit_test(borders_between_parts_count),
        cmocka_unit_test(each_process_has_its_own_key),
        cmocka_unit_test(the_oldest_of_a_bucket_goes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
