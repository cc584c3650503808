/* Every layout of format 1, octet by octet, against tests/golden/store-rows.txt: one paragraph a
 * row, its key and its value in hex. What stands there is on people's disks: a change of it is a
 * new format, never a correction. TANDEM_GOLDEN=write prints the file anew. */
#include "store/keys.h"

#include <stdlib.h>
#include <string.h>

#include "store/uidset.h"
#include "tests/lib/unit.h"

enum { A = 0x01020304, M = 0x05060708, U = 0x090a0b0c };
#define B 0x1112131415161718u
#define BIG 0x2122232425262728u

static const unsigned char id16[16] = {0xe0, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7,
                                       0xe8, 0xe9, 0xea, 0xeb, 0xec, 0xed, 0xee, 0xef};
static const struct uidrange two_ranges[] = {
    {1, 5         },
    {9, 0xfffffffe}
};

static FILE *golden;
static bool writing;

static void hex(char *to, struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        sprintf(to + 2 * i, "%02x", (unsigned char)s.ptr[i]);
    to[2 * s.len] = '\0';
}

static void expect_line(const char *text)
{
    static char line[70000];
    assert_non_null(fgets(line, sizeof line, golden));
    line[strcspn(line, "\n")] = '\0';
    assert_string_equal(text, line);
}

/* The next paragraph of the golden file is this row. */
static void row(const char *name, struct slice key, struct slice value)
{
    static char text[70000];
    if (writing) {
        printf("%s\n", name);
        hex(text, key);
        printf("key %s\n", text);
        hex(text, value);
        printf("value %s\n\n", text);
        return;
    }
    expect_line(name);
    memcpy(text, "key ", 5);
    hex(text + 4, key);
    expect_line(text);
    memcpy(text, "value ", 7);
    hex(text + 6, value);
    expect_line(text);
    expect_line("");
}

static unsigned char first[ROW_MAX], again[ROW_MAX];
static struct key key;

/* Encoded, decoded and encoded again it must be the same; cut anywhere it must be refused or at
 * least not be read past its end (the sanitizers watch), and a newer version must be refused. */
#define CHECK_ROW(kind, name, key_slice_, ...)                                                     \
    do {                                                                                           \
        static struct row_##kind row_, back_;                                                      \
        row_ = (struct row_##kind)__VA_ARGS__;                                                     \
        struct slice octets_ = row_##kind##_encode(&row_, first);                                  \
        row(name, key_slice_, octets_);                                                            \
        assert_ok(row_##kind##_decode(octets_, &back_));                                           \
        assert_slice_eq(row_##kind##_encode(&back_, again), octets_);                              \
        for (size_t cut = 0; cut < octets_.len; cut++) {                                           \
            char *copy = malloc(cut ? cut : 1);                                                    \
            memcpy(copy, octets_.ptr, cut);                                                        \
            enum err e = row_##kind##_decode(slice(copy, cut), &back_);                            \
            assert_true(e == ERR_OK || e == ERR_CORRUPT);                                          \
            free(copy);                                                                            \
        }                                                                                          \
        first[0] = ROW_VERSION + 1;                                                                \
        if (strcmp(#kind, "format") != 0)                                                          \
            assert_err(row_##kind##_decode(octets_, &back_), ERR_CORRUPT);                         \
    } while (0)

static void system_rows(void)
{
    CHECK_ROW(format, "sys format", key_text(&key, SLICE("format")),
              {
                  .min_reader = 1, .features = 0x31323334, .uuid = {1, 2, 3},
                          .created = BIG
    });
    CHECK_ROW(state, "sys state", key_text(&key, SLICE("state")),
              {
                  .clean = true,
                  .restores = 0x41424344,
                  .generation = BIG,
                  .next_blob = BIG + 1,
                  .clock = BIG + 2,
                  .sip_key = {9, 8, 7}
    });
    CHECK_ROW(catalog_state, "catalog sys state", key_text(&key, SLICE("state")),
              {.next_acct = 0x41424344, .generation = BIG});
}

static void account_rows(void)
{
    struct row_acct acct = {.state = ACCT_FROZEN,
                            .flags = ACCT_HAS_UIDL,
                            .next_mbox = 7,
                            .next_uidvalidity = 0x51525354,
                            .nmbox = 6,
                            .nonce = BIG,
                            .used_bytes = BIG + 1,
                            .used_msgs = BIG + 2,
                            .gone_bytes = BIG + 3,
                            .gone_msgs = BIG + 4,
                            .epoch = BIG + 5,
                            .created = BIG + 6,
                            .last_imap = 1,
                            .last_pop3 = 2,
                            .scratch_owner = 3,
                            .scratch_expiry = 4,
                            .login = SLICE("alice@example.org")};
    memcpy(acct.uuid, id16, 16);
    struct slice octets = row_acct_encode(&acct, first);
    struct row_acct back;
    row("acct", key_a(&key, A), octets);
    assert_ok(row_acct_decode(octets, &back));
    assert_slice_eq(row_acct_encode(&back, again), octets);
    CHECK_ROW(mbox, "mbox", key_am(&key, A, M),
              {.special_use = 2,
               .state = MBOX_DELETED,
               .flags = 3,
               .uidvalidity = 0x61626364,
               .uidnext = 5,
               .recent_uid = 4,
               .exists = 3,
               .unseen = 2,
               .deleted = 1,
               .first_unseen = 9,
               .bytes = BIG,
               .highestmodseq = BIG + 1,
               .expunge_modseq = BIG + 2,
               .tomb_floor = BIG + 3,
               .modseq_floor = BIG + 4,
               .mailboxid = BIG + 5,
               .deleted_bytes = BIG + 6,
               .created = BIG + 7,
               .restores = 10,
               .nbuckets = 11,
               .path = SLICE("Work/2026")});
    CHECK_ROW(name, "name", key_name(&key, A, SLICE("Work/2026")),
              {.flags = NAME_NOSELECT, .m = M});
    row("subs", key_name(&key, A, SLICE("Work/2026")), row_value_encode(SLICE_NONE, first));
    CHECK_ROW(kw, "kw", key_am(&key, A, M),
              {
                  .n = 3,
                  .gen = 0x71727374,
                  .word = {{KW_USED, SLICE("$Forwarded")},
                           {KW_FREE, SLICE("")},
                           {KW_RETIRING, SLICE("x")}}
    });
}

static void message_rows(void)
{
    static struct hot_bucket bucket, back;
    bucket = (struct hot_bucket){
        .n = 2, .unseen = 1, .max_modseq = BIG, .present = {1u << 5, 1u << 6}
    };
    bucket.slot[5] = (struct hot_slot){.modseq = 0x010203040506,
                                       .keywords = BIG,
                                       .size = 0x0a0b0c0d,
                                       .internaldate = 0x11121314,
                                       .savedate = 0x15161718,
                                       .sysflags = 0x3f,
                                       .zone = -14};
    bucket.slot[70] = (struct hot_slot){.modseq = 1, .size = 2, .sysflags = 1, .zone = 28};
    struct slice octets = hot_encode(&bucket, first);
    row("hot", key_amu(&key, A, M, U >> BUCKET_SHIFT), octets);
    assert_ok(hot_decode(octets, &back));
    assert_slice_eq(hot_encode(&back, again), octets);
    struct hot_row in_place;
    struct hot_slot slot;
    assert_ok(hot_open(octets, &in_place));
    hot_read(&in_place, 70, &slot);
    assert_true(hot_has(&in_place, 5) && !hot_has(&in_place, 6) && slot.zone == 28);

    struct row_msg msg = {.flags = MSG_8BIT | MSG_HAS_NUL,
                          .size = 1,
                          .blob = B,
                          .thread = BIG,
                          .date = -2,
                          .hdr_len = 3,
                          .lines = 4,
                          .arrival = 5,
                          .nparts = 6,
                          .create_modseq = BIG + 1,
                          .conn = BIG + 2,
                          .internaldate = 7,
                          .rcpt = SLICE("bob@example.org")};
    memcpy(msg.emailid, id16, 16);
    struct row_msg msg_back;
    octets = row_msg_encode(&msg, first);
    row("msg", key_amu(&key, A, M, U), octets);
    assert_ok(row_msg_decode(octets, &msg_back));
    assert_slice_eq(row_msg_encode(&msg_back, again), octets);

    size_t used = 0;
    static char huge[ROW_MAX];
    struct slice tag;
    uint16_t parser;
    assert_true(cache_add(first, &used, 0x0102, CACHE_ENVELOPE, SLICE("(NIL)")));
    assert_false(cache_add(first, &used, 0x0102, CACHE_BODYSTRUCTURE, slice(huge, sizeof huge)));
    assert_true(cache_add(first, &used, 0x0102, CACHE_HEADER, SLICE("A: b\r\n")));
    octets = slice(first, used);
    row("cache", key_b(&key, B), octets);
    assert_ok(cache_check(octets, &parser));
    assert_ok(cache_find(octets, CACHE_HEADER, &tag));
    assert_slice(tag, "A: b\r\n");
    assert_err(cache_find(octets, CACHE_BODYSTRUCTURE, &tag), ERR_NOTFOUND);
    assert_err(cache_find(slice_first(octets, used - 1), CACHE_HEADER, &tag), ERR_CORRUPT);

    CHECK_ROW(mid, "mid", key_mid(&key, A, BIG, B), {.time = 0x31323334, .thread = BIG});
    row("tomb", key_tomb(&key, A, M, BIG, 0x0102),
        row_tomb_encode(0x41424344, two_ranges, 2, first));
    CHECK_ROW(gone, "gone message", key_gone(&key, A, 0x51525354, M, U),
              {.kind = GONE_MESSAGE,
               .why = GONE_MOVED | GONE_NO_REF | GONE_IS_TRANSIENT,
               .sysflags = 0x11,
               .zone = -4,
               .size = 1,
               .internaldate = 2,
               .savedate = 3,
               .to_m = 4,
               .to_u = 5,
               .keywords = BIG,
               .expunge_modseq = BIG + 1,
               .conn = BIG + 2});
    CHECK_ROW(gone, "gone mailbox", key_gone(&key, A, GONE_TRANSIENT, M, 0),
              {.kind = GONE_MBOX, .why = GONE_MAILBOX, .path = SLICE("Old")});
    CHECK_ROW(pop, "pop", key_amu(&key, A, M, U), {.bits = 3, .time = 0x61626364});
    CHECK_ROW(uidl, "uidl", key_amu(&key, A, M, U), {.order = 0x71727374, .text = SLICE("UID1-2")});
}

static void journal_rows(void)
{
    struct row_log log = {.proto = 2,
                          .what = LOG_EXPUNGED,
                          .time = 1,
                          .m = M,
                          .other_m = M + 1,
                          .count = 3,
                          .detail = 4,
                          .conn = BIG},
                   back;
    struct slice octets = row_log_encode(&log, two_ranges, 2, first);
    row("log", key_log(&key, A, BIG), octets);
    assert_ok(row_log_decode(octets, &back));
    uint32_t from, to;
    log_range(&back, 1, &from, &to);
    assert_true(back.nranges == 2 && from == 9 && to == 0xfffffffe);
    CHECK_ROW(
        log_conn, "log connection", key_log_conn(&key, A, BIG),
        {
            .proto = 1, .time = 2, .address = {0x20, 1, 0xd, 0xb8},
                    .client = SLICE("Mail 18.5")
    });
    row("opt", key_a_text(&key, A, SLICE("uidl_format")),
        row_value_encode(SLICE("dovecot"), first));
    row("anno", key_am_text(&key, A, M, SLICE("/private/comment")),
        row_value_encode(SLICE("mine"), first));
    row("acl", key_am_text(&key, A, M, SLICE("bob@example.org")),
        row_value_encode(SLICE("lrs"), first));
}

static void body_rows(void)
{
    CHECK_ROW(
        blob, "blob", key_b(&key, B),
        {
            .codec = 0, .refs = 0x31323334, .size = BIG, .stored = BIG + 1, .hash = {1, 2, 3, 4}
    });
    CHECK_ROW(bown, "bown", key_b(&key, B),
              {
                  .codec = 0, .a = A, .size = BIG, .arrival = BIG + 1, .hash = {4, 3, 2, 1}
    });
    CHECK_ROW(stage, "stage", key_b(&key, B), {.time = 0x41424344, .a = A});
    CHECK_ROW(reap, "reap", key_b(&key, B), {.time = 0x51525354});
    row("body", key_chunk(&key, B, 0x01020304), SLICE("octets"));
}

static void catalog_rows(void)
{
    CHECK_ROW(user, "catalog user", key_text(&key, SLICE("alice@example.org")),
              {
                  .state = 1,
                  .shard = 2,
                  .a = A,
                  .flags = 5,
                  .nonce = BIG,
                  .ncred = 2,
                  .cred = {{1, 2, 3, BIG, SLICE("phone"), SLICE("{CRYPT}x")},
                           {4, 0, 7, BIG + 1, SLICE(""), SLICE("{PLAIN}y")}}
    });
    CHECK_ROW(cacct, "catalog acct", key_a(&key, A),
              {.shard = 2, .login = SLICE("alice@example.org")});
    CHECK_ROW(alias, "catalog alias", key_text(&key, SLICE("@example.org")),
              {
                  .flags = 1, .n = 2, .target = {A, A + 1}
    });
    CHECK_ROW(dom, "catalog dom", key_text(&key, SLICE("example.org")), {.flags = 0x0102});
    row("catalog opt domain",
        key_catalog_opt(&key, true, 0, SLICE("example.org"), SLICE("pop3.delete")),
        row_value_encode(SLICE("trash"), first));
    row("catalog opt account", key_catalog_opt(&key, false, A, SLICE_NONE, SLICE("store.quota")),
        row_value_encode(SLICE("1G"), first));
}

static void layouts_are_as_they_always_were(void **state)
{
    (void)state;
    system_rows();
    account_rows();
    message_rows();
    journal_rows();
    body_rows();
    catalog_rows();
    if (!writing)
        assert_int_equal(fgetc(golden), EOF);
}

/* '/' sorts as 0x01 in the key, so a mailbox's children come right behind it. */
static void children_follow_their_parent(void **state)
{
    (void)state;
    static const char *const sorted[] = {"a", "a/b", "a/b/c", "a ", "a!", "a.b", "ab"};
    struct key before, after;
    for (size_t i = 1; i < sizeof sorted / sizeof *sorted; i++) {
        struct slice x = key_name(&before, A, slice_str(sorted[i - 1]));
        struct slice y = key_name(&after, A, slice_str(sorted[i]));
        assert_true(slice_cmp(x, y) < 0);
        char path[PATH_OCTETS_MAX];
        assert_slice_eq(key_path(y, path), slice_str(sorted[i]));
    }
}

/* Tree, lead and mark of each: where its rows lie on the disk. */
static void tables_keep_their_places(void **state)
{
    (void)state;
#define X(id, tree, lead, mark) #id " " tree "/" #lead "/" #mark "\n"
    assert_string_equal(STORE_TABLES(X), "SYS sys/0/0\n"
                                         "ACCT mail/4/12\n"
                                         "MBOX mail/4/13\n"
                                         "NAME mail/4/2\n"
                                         "SUBS mail/4/3\n"
                                         "KW mail/4/14\n"
                                         "HOT mail/4/11\n"
                                         "MSG mail/4/15\n"
                                         "CACHE cache/0/0\n"
                                         "MID mail/4/16\n"
                                         "TOMB mail/4/9\n"
                                         "GONE mail/4/8\n"
                                         "POP mail/4/7\n"
                                         "UIDL mail/4/6\n"
                                         "LOG mail/4/10\n"
                                         "OPT mail/4/1\n"
                                         "ANNO mail/4/4\n"
                                         "ACL mail/4/5\n"
                                         "SEEN mail/4/17\n"
                                         "SIG sig/0/0\n"
                                         "BLOB blob/0/0\n"
                                         "STAGE stage/0/0\n"
                                         "REAP reap/0/0\n"
                                         "BODY body/8/2\n"
                                         "BOWN body/8/1\n");
    assert_string_equal(CATALOG_TABLES(X), "CSYS sys/0/0\n"
                                           "CUSER user/0/0\n"
                                           "CACCT acct/0/0\n"
                                           "CALIAS alias/0/0\n"
                                           "CDOM dom/0/0\n"
                                           "COPT opt/0/0\n");
#undef X
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts_are_as_they_always_were),
        cmocka_unit_test(children_follow_their_parent),
        cmocka_unit_test(tables_keep_their_places),
    };
    const char *mode = getenv("TANDEM_GOLDEN");
    writing = mode && strcmp(mode, "write") == 0;
    if (writing) {
        layouts_are_as_they_always_were(NULL);
        return 0;
    }
    golden = argc > 1 ? fopen(argv[1], "r") : NULL;
    if (!golden) {
        fprintf(stderr, "usage: %s tests/golden/store-rows.txt\n", argv[0]);
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
