#include "core/base/siphash.h"

#include "tests/lib/unit.h"

/* Key 00 01 ... 0f, input 00 01 ... (n-1): the vectors published with the reference code. */
static void published_vectors(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        uint64_t hash;
    } vectors[] = {
        {0,  0x726fdb47dd0e0e31u},
        {1,  0x74f839c593dc67fdu},
        {7,  0xab0200f58b01d137u},
        {8,  0x93f5f5799a932462u},
        {15, 0xa129ca6149be45e5u},
        {63, 0x958a324ceb064572u}
    };
    uint8_t octets[64];
    for (uint8_t i = 0; i < 64; i++)
        octets[i] = i;
    struct siphash_key key = siphash_key_from(octets);
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        assert_true(siphash(key, slice(octets, vectors[i].n)) == vectors[i].hash);
}

static void another_key_gives_another_hash(void **state)
{
    (void)state;
    assert_true(siphash(siphash_key_random(), SLICE("alice")) !=
                siphash(siphash_key_random(), SLICE("alice")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors),
        cmocka_unit_test(another_key_gives_another_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
