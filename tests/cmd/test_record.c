/* What flows between files and store: records that come back as they were put in, names of
 * mailboxes that fit, ids that are remembered. */
#include "cmd/mail/record.h"

#include <string.h>

#include "cmd/mail/idset.h"
#include "cmd/mail/name.h"
#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/base/random.h"
#include "tests/lib/unit.h"

/* --- records ---------------------------------------------------------------------------------- */

struct pipe {
    struct buf octets;
    size_t at, step;
};

static bool take(void *arg, struct slice octets)
{
    return buf_append(&((struct pipe *)arg)->octets, octets) == ERR_OK;
}

static ssize_t give(void *arg, char *to, size_t cap)
{
    struct pipe *pipe = arg;
    size_t n = pipe->octets.len - pipe->at;
    n = n < cap ? n : cap;
    n = n < pipe->step ? n : pipe->step;
    if (n)
        memcpy(to, pipe->octets.ptr + pipe->at, n);
    pipe->at += n;
    return (ssize_t)n;
}

static void records_come_back(size_t step)
{
    struct pipe pipe = {.step = step};
    struct record_out *out = mem_new(sizeof *out);
    struct record_in *in = mem_new(sizeof *in);
    struct record record;
    struct arena arena;
    char *large = mem_new(200000);
    memset(large, 'x', 200000);
    buf_init(&pipe.octets, 1 << 20);
    arena_init(&arena, 1 << 20);
    record_out_init(out, take, &pipe);
    struct record_mailbox mailbox = {
        .path = SLICE("Entw\xc3\xbcrfe"), .uidvalidity = 7, .uidnext = UINT32_MAX};
    struct record_message message = {
        .name = SLICE("cur/\xff"),
        .id = SLICE("1.M1"),
        .uid = 9,
        .order = 3,
        .flags = 31,
        .zone = -20,
        .recent = true,
        .date = UINT32_MAX,
        .size = 200000,
        .keywords = {SLICE("$Label1"), SLICE("urgent")},
        .nkeywords = 2,
        .uidl = SLICE("UID1-7")
    };
    record_put_mailbox(out, &mailbox);
    record_put_message(out, &message);
    record_put_octets(out, slice(large, 200000));
    record_put(out, RECORD_END, SLICE_NONE);
    record_put_text(out, RECORD_NOTE, "%s", "a line");
    record_flush(out);

    struct record_mailbox mailbox_now;
    struct record_message now;
    size_t octets = 0;
    record_in_init(in, give, &pipe);
    assert_true(record_next(in, &record) && record.type == RECORD_MAILBOX);
    assert_true(record_get_mailbox(record.payload, &arena, &mailbox_now));
    assert_slice(mailbox_now.path, "Entw\xc3\xbcrfe");
    assert_int_equal(mailbox_now.uidnext, UINT32_MAX);
    assert_true(record_next(in, &record) && record.type == RECORD_MESSAGE);
    assert_true(record_get_message(record.payload, &arena, &now));
    assert_slice(now.name, "cur/?");
    assert_slice(now.uidl, "UID1-7");
    assert_slice(now.keywords[1], "urgent");
    assert_int_equal(now.nkeywords, 2);
    assert_int_equal(now.zone, -20);
    assert_int_equal(now.date, UINT32_MAX);
    assert_true(now.recent && now.uid == 9 && now.order == 3 && now.flags == 31);
    while (record_next(in, &record) && record.type == RECORD_OCTETS)
        octets += record.payload.len;
    assert_int_equal(octets, 200000);
    assert_int_equal(record.type, RECORD_END);
    assert_true(record_next(in, &record) && record.type == RECORD_NOTE);
    assert_slice(record.payload, "a line");
    assert_false(record_next(in, &record));
    buf_finish(&pipe.octets);
    arena_reset(&arena);
    mem_free(large);
    mem_free(out);
    mem_free(in);
}

static void records_come_back_whole_and_bytewise(void **state)
{
    (void)state;
    records_come_back(SIZE_MAX);
    records_come_back(1);
}

static void what_is_no_record_ends_the_stream(void **state)
{
    (void)state;
    static const struct slice bad[] = {
        {"\0\0\0\1?x",  6},
        {"\xff\0\0\0O", 5},
        {"\0\0\0\5O12", 7},
        {"\0\0",        2}
    };
    struct record_in *in = mem_new(sizeof *in);
    struct record record;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pipe pipe = {.step = SIZE_MAX};
        buf_init(&pipe.octets, 100);
        assert_ok(buf_append(&pipe.octets, bad[i]));
        record_in_init(in, give, &pipe);
        assert_false(record_next(in, &record));
        buf_finish(&pipe.octets);
    }
    mem_free(in);
}

/* --- names ------------------------------------------------------------------------------------ */

static void names_are_mended_to_fit(void **state)
{
    (void)state;
    static const struct {
        const char *prefix, *name, *path; /* NULL: it cannot be */
        enum name_fit fit;
    } cases[] = {
        {"",      "Work/2025",         "Work/2025",         NAME_SAME  },
        {"",      "inbox/Sub",         "INBOX/Sub",         NAME_SAME  },
        {"Old",   "INBOX",             "Old",               NAME_SAME  },
        {"Old",   "INBOX/Sub",         "Old/INBOX/Sub",     NAME_SAME  },
        {"Old/A", "B",                 "Old/A/B",           NAME_SAME  },
        {"",      "100%*",             "100__",             NAME_MENDED},
        {"",      " a /b\t",           "_a_/b_",            NAME_MENDED},
        {"",      "a//b",              "a/_/b",             NAME_MENDED},
        {"",      "a\x01\xc2\x85z",    "a__z",              NAME_MENDED},
        {"",      "Shared/x",          "Shared_/x",         NAME_MENDED},
        {"",      "shared",            "shared_",           NAME_MENDED},
        {"Old",   "Shared",            "Old/Shared",        NAME_SAME  },
        {"",      "\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9", NAME_SAME  },
        {"",      "\xff",              NULL,                NAME_CANNOT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        struct slice path;
        arena_init(&arena, 1 << 16);
        enum name_fit fit =
            name_fit(slice_str(cases[i].prefix), slice_str(cases[i].name), &arena, &path);
        assert_int_equal(fit, cases[i].fit);
        if (cases[i].path)
            assert_slice_eq(path, slice_str(cases[i].path));
        arena_reset(&arena);
    }
}

/* --- ids -------------------------------------------------------------------------------------- */

static void ids_are_remembered_and_forgotten(void **state)
{
    (void)state;
    enum { N = 4000 };
    unsigned char(*ids)[16] = mem_new_array(N, 16);
    struct idset set;
    idset_init(&set);
    random_bytes(ids, N * 16);
    for (unsigned i = 0; i < N; i++) {
        ids[i][0] = (unsigned char)(i % 8); /* many share a place */
        ids[i][1] = 0;
        assert_false(idset_has(&set, ids[i]));
        idset_add(&set, ids[i]);
        idset_add(&set, ids[i]);
    }
    for (unsigned i = 0; i < N; i += 2)
        idset_remove(&set, ids[i]);
    for (unsigned i = 0; i < N; i++)
        assert_int_equal(idset_has(&set, ids[i]), i % 2);
    assert_int_equal(set.n, N / 2);
    idset_finish(&set);
    mem_free(ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_back_whole_and_bytewise),
        cmocka_unit_test(what_is_no_record_ends_the_stream),
        cmocka_unit_test(names_are_mended_to_fit),
        cmocka_unit_test(ids_are_remembered_and_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
