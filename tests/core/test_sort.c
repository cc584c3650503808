#include "core/mime/sort.h"

#include <stdlib.h>

#include "core/base/buf.h"
#include "tests/lib/cpu.h"
#include "tests/lib/unit.h"

static void the_base_subject_is_that_of_rfc_5256_section_2_1(void **state)
{
    (void)state;
    static const struct {
        const char *value, *base;
        bool reply;
    } rows[] = {
        {"",                                "",                  false},
        {"hello",                           "hello",             false},
        {" \t hello  \t world ",            "hello world",       false},
        {"one\r\n two",                     "one two",           false},
        {"Re: hello",                       "hello",             true },
        {"RE : hello",                      "hello",             true },
        {"re[5]: hello",                    "hello",             true },
        {"Re [a b] : hello",                "hello",             true },
        {"Re [a b]: hello",                 "hello",             true },
        {"Fwd: Re: FW: hello",              "hello",             true },
        {"fw : hello",                      "hello",             true },
        {"[list] hello",                    "hello",             false},
        {"[list] Re: [other] hello",        "hello",             true },
        {"[list]",                          "[list]",            false}, /* something must be left */
        {"[a] [b]",                         "[b]",               false},
        {"[a][b]c",                         "c",                 false},
        {"Re: [a]",                         "[a]",               true },
        {"[a] [b] re: c",                   "c",                 true },
        {"[a [b] c",                        "[a [b] c",          false},
        {"hello (fwd)",                     "hello",             true },
        {"hello (FWD) (fwd) ",              "hello",             true },
        {"[fwd: hello]",                    "hello",             true },
        {"[Fwd: [Fwd: Re: hello]]",         "hello",             true },
        {"[fwd: hello (fwd)]",              "hello",             true },
        {"[fwd:]",                          "",                  true },
        {"Re:",                             "",                  true },
        {"(fwd)",                           "",                  true },
        {"Re x [a b]: hello",               "Re x [a b]: hello", false},
        {"Rehearsal: hello",                "Rehearsal: hello",  false},
        {"forward: hello",                  "forward: hello",    false},
        {"Re: =?utf-8?q?Re=3A_caf=C3=A9?=", "caf\u00e9",         true },
        {"=?utf-8?q?=5Blist=5D_hello?=",    "hello",             false},
        {"AW: hello",                       "AW: hello",         false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out;
        bool reply = !rows[i].reply;
        buf_init(&out, 1000);
        assert_ok(sort_base_subject(slice_str(rows[i].value), &out, &reply));
        assert_slice_eq(buf_slice(&out), slice_str(rows[i].base));
        assert_int_equal(reply, rows[i].reply);
        buf_finish(&out);
    }
}

static void keys_of(const char *header, struct buf *to, struct sort_keys *ret)
{
    static const struct mime_limits limits = {64, 1000, 1 << 20, 100};
    struct mime_scan *scan = mime_scan_begin(&limits);
    buf_init(to, SIZE_MAX);
    mime_scan_feed(scan, slice_str(header));
    assert_ok(sort_keys_append(mime_scan_end(scan), to));
    assert_ok(sort_keys_read(buf_slice(to), ret));
    mime_scan_free(scan);
}

static void keys_are_folded(void **state)
{
    (void)state;
    struct buf b;
    struct sort_keys k;
    keys_of("Subject: Re: Caf\xc3\xa9\r\nFrom: \"Ann Other\" <ann@example.org>, b@c\r\n"
            "To: Joe@Example.org\r\nCc: Team: a@b;\r\n",
            &b, &k);
    assert_true(k.reply);
    assert_slice(k.subject, "CAFE\xcc\x81");
    assert_slice(k.from, "ANN");
    assert_slice(k.to, "JOE");
    assert_slice(k.cc, "TEAM");
    assert_slice(k.shown_from, "ANN OTHER");
    assert_slice(k.shown_to, "JOE@EXAMPLE.ORG");
    assert_err(sort_keys_read(slice_first(buf_slice(&b), b.len - 1), &k), ERR_CORRUPT);
    assert_ok(buf_append_c(&b, 0));
    assert_err(sort_keys_read(buf_slice(&b), &k), ERR_CORRUPT);
    assert_err(sort_keys_read(SLICE_NONE, &k), ERR_CORRUPT);
    buf_finish(&b);
    keys_of("", &b, &k);
    assert_false(k.reply);
    assert_int_equal(b.len, 7);
    buf_finish(&b);
}

static void keys_are_cut_between_characters(void **state)
{
    (void)state;
    struct buf b, header;
    struct sort_keys k;
    buf_init(&header, SIZE_MAX);
    assert_ok(buf_append(&header, SLICE("Subject: x")));
    for (unsigned i = 0; i < 300; i++)
        assert_ok(buf_append(&header, SLICE("\u4f60")));
    assert_ok(buf_append(&header, SLICE("\r\n\0")));
    keys_of(header.ptr, &b, &k);
    assert_int_equal(k.subject.len, 1 + 84 * 3);
    buf_finish(&b);
    buf_finish(&header);
}

static void hostile_subjects_take_linear_time(void **state)
{
    (void)state;
    static const char *const units[] = {"[a]", "[", "re:", "(fwd)", "[fwd:", "re [a", " "};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        uint64_t ns[2];
        for (unsigned round = 0; round < 2; round++) {
            struct buf in, out;
            bool reply;
            buf_init(&in, SIZE_MAX);
            buf_init(&out, SIZE_MAX);
            while (in.len < (round ? 800000 : 200000))
                assert_ok(buf_append(&in, slice_str(units[i])));
            uint64_t from = cpu_ns();
            assert_ok(sort_base_subject(buf_slice(&in), &out, &reply));
            ns[round] = cpu_ns() - from;
            buf_finish(&in);
            buf_finish(&out);
        }
        if (ns[1] > 10 * ns[0] + 20000000)
            fail_msg("%s: %llu us, then %llu us", units[i], (unsigned long long)ns[0] / 1000,
                     (unsigned long long)ns[1] / 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_base_subject_is_that_of_rfc_5256_section_2_1),
        cmocka_unit_test(keys_are_folded),
        cmocka_unit_test(keys_are_cut_between_characters),
        cmocka_unit_test(hostile_subjects_take_linear_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
