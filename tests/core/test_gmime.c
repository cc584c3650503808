/* core/mime and GMime over all of tests/mail: the tree of types, decoded subjects, addresses. Where
 * GMime reads otherwise, the name stands in `differ` with the reason, and must differ. */
#include <dirent.h>
#include <gmime/gmime.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/mime/address.h"
#include "core/mime/charset.h"
#include "core/mime/header.h"
#include "core/mime/media.h"
#include "core/mime/mime.h"
#include "tests/lib/unit.h"

static const struct {
    const char *name, *why;
} differ[] = {
    {"bare-cr",                  "it drops a bare CR, which is part of the line (RFC 5322 section 2.2)"},
    {"begins-with-continuation", "it gives up; ours passes over what is no field"                      },
    {"boundary-never-comes",     "BODYSTRUCTURE names at least one part (RFC 3501, body-type-mpart)"   },
    {"boundary-too-long",        "above 250 characters a boundary is none (RFC 2046 section 5.1.1: 70)"},
    {"boundary-with-spaces",     "blanks at a boundary's end do not count (RFC 2046 section 5.1.1)"    },
    {"content-type-broken",      "not valid is text/plain (RFC 2045 section 5.2)"                      },
    {"content-type-twice",       "the first counts; there, the last"                                   },
    {"empty-boundary",           "a boundary has at least one character (RFC 2046 section 5.1.1)"      },
    {"empty-parts",              "what is between two delimiters is a part, if an empty one"           },
    {"encoded-words-odd",        "a word in an unknown charset stays as it is (RFC 2047 section 6.2)"  },
    {"fields-empty",             "an empty Content-Type is text/plain (RFC 2045 section 5.2)"          },
    {"fields-folded",            "it keeps the line ends of a folded display name"                     },
    {"fields-repeated",          "the first counts; there, the last"                                   },
    {"header-only",              "BODYSTRUCTURE names at least one part"                               },
    {"messages-100",             "[limits] mime_depth"                                                 },
    {"nested-100",               "[limits] mime_depth"                                                 },
    {"no-boundary-parameter",    "not valid is text/plain (RFC 2045 section 5.2)"                      },
    {"nothing",                  "even no octets are a message of type text/plain"                     },
    {"nul-octets",               "it ends a text at NUL"                                               },
    {"parts-1200",               "[limits] mime_parts"                                                 },
    {"raw-8bit-broken-utf8",     "what is no UTF-8 is windows-1252"                                    },
    {"rfc822-base64",            "an encoded message cannot be looked into (RFC 2046 section 5.2.1)"   },
    {"rfc822-empty",             "a message has a body, if an empty one"                               },
    {"subject-vietnamese",       "it drops the second of two encoded words"                            },
    {"trailing-delimiter",       "a delimiter begins a part, if an empty one"                          },
};

static struct slice read_file(const char *path, struct buf *to)
{
    FILE *f = fopen(path, "rb");
    int c, last = 0;
    assert_non_null(f);
    buf_init(to, SIZE_MAX);
    while ((c = getc(f)) != EOF) {
        if (c == '\n' && last != '\r')
            assert_ok(buf_append_c(to, '\r'));
        assert_ok(buf_append_c(to, (char)c));
        last = c;
    }
    fclose(f);
    return buf_slice(to);
}

static void put(struct buf *to, const char *s)
{
    assert_ok(buf_append(to, slice_str(s)));
}

/* "multipart/mixed(text/plain message/rfc822(text/plain))" */
static void our_types(const struct mime_tree *tree, size_t i, struct buf *to)
{
    struct arena a;
    struct media m;
    arena_init(&a, 1 << 20);
    media_read(mime_fields(tree, i), tree->nodes[i].in_digest, &a, &m);
    if (tree->nodes[i].opaque) {
        put(to, "application/octet-stream");
    } else {
        assert_ok(buf_append(to, m.type));
        put(to, "/");
        assert_ok(buf_append(to, m.subtype));
    }
    arena_reset(&a);
    enum mime_kind kind = tree->nodes[i].part.kind;
    if (kind != MIME_MULTIPART && kind != MIME_MESSAGE)
        return;
    put(to, "(");
    bool any = false;
    for (size_t k = i + 1; k < tree->n; k++) {
        if (tree->nodes[k].part.parent != i)
            continue;
        put(to, any ? " " : "");
        our_types(tree, k, to);
        any = true;
    }
    put(to, ")");
}

static void their_types(GMimeObject *part, struct buf *to)
{
    GMimeContentType *type = g_mime_object_get_content_type(part);
    put(to, g_mime_content_type_get_media_type(type));
    put(to, "/");
    put(to, g_mime_content_type_get_media_subtype(type));
    if (GMIME_IS_MULTIPART(part)) {
        put(to, "(");
        for (int i = 0; i < g_mime_multipart_get_count((GMimeMultipart *)part); i++) {
            put(to, i ? " " : "");
            their_types(g_mime_multipart_get_part((GMimeMultipart *)part, i), to);
        }
        put(to, ")");
    } else if (GMIME_IS_MESSAGE_PART(part)) {
        GMimeMessage *message = g_mime_message_part_get_message((GMimeMessagePart *)part);
        put(to, "(");
        if (message && g_mime_message_get_mime_part(message))
            their_types(g_mime_message_get_mime_part(message), to);
        put(to, ")");
    }
}

static void our_addresses(struct slice message, struct slice name, struct buf *to)
{
    struct header_field field;
    struct address_walk w;
    struct address a;
    if (!header_find(message, message.len, name, &field))
        return;
    address_walk_init(&w, field.value);
    while (address_next(&w, &a)) {
        if (a.kind != ADDRESS_MAILBOX)
            continue;
        assert_ok(charset_header(a.name, to));
        put(to, "<");
        assert_ok(buf_append(to, a.mailbox));
        put(to, "@");
        assert_ok(buf_append(to, a.host));
        put(to, ">");
    }
    address_walk_finish(&w);
}

static void their_addresses(InternetAddressList *list, struct buf *to)
{
    for (int i = 0; list && i < internet_address_list_length(list); i++) {
        InternetAddress *a = internet_address_list_get_address(list, i);
        if (INTERNET_ADDRESS_IS_GROUP(a)) {
            their_addresses(internet_address_group_get_members((InternetAddressGroup *)a), to);
            continue;
        }
        put(to, internet_address_get_name(a) ? internet_address_get_name(a) : "");
        put(to, "<");
        put(to, internet_address_mailbox_get_addr((InternetAddressMailbox *)a));
        put(to, ">");
    }
}

struct texts {
    struct buf types, subject, from, to;
};

static void texts_init(struct texts *t)
{
    buf_init(&t->types, SIZE_MAX);
    buf_init(&t->subject, SIZE_MAX);
    buf_init(&t->from, SIZE_MAX);
    buf_init(&t->to, SIZE_MAX);
}

static void texts_finish(struct texts *t)
{
    buf_finish(&t->types);
    buf_finish(&t->subject);
    buf_finish(&t->from);
    buf_finish(&t->to);
}

static void read_ours(struct slice message, struct texts *t)
{
    static const struct mime_limits limits = {64, 1000, 1 << 20, 10000};
    struct mime_scan *scan = mime_scan_begin(&limits);
    struct header_field field;
    mime_scan_feed(scan, message);
    our_types(mime_scan_end(scan), 0, &t->types);
    mime_scan_free(scan);
    if (header_find(message, message.len, SLICE("Subject"), &field))
        assert_ok(charset_header(slice_trim(field.value), &t->subject));
    our_addresses(message, SLICE("From"), &t->from);
    our_addresses(message, SLICE("To"), &t->to);
}

static void read_theirs(struct slice octets, struct texts *t)
{
    GMimeStream *stream =
        g_mime_stream_mem_new_with_buffer(octets.ptr ? octets.ptr : "", octets.len);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    if (message) {
        if (g_mime_message_get_mime_part(message))
            their_types(g_mime_message_get_mime_part(message), &t->types);
        if (g_mime_message_get_subject(message))
            put(&t->subject, g_mime_message_get_subject(message));
        their_addresses(g_mime_message_get_from(message), &t->from);
        their_addresses(g_mime_message_get_to(message), &t->to);
        g_object_unref(message);
    }
    g_object_unref(parser);
    g_object_unref(stream);
}

/* What differs, or NULL. */
static const char *compare(const struct texts *ours, const struct texts *theirs, char *why,
                           size_t room)
{
    const struct {
        const char *what;
        const struct buf *ours, *theirs;
    } rows[] = {
        {"types",   &ours->types,   &theirs->types  },
        {"subject", &ours->subject, &theirs->subject},
        {"from",    &ours->from,    &theirs->from   },
        {"to",      &ours->to,      &theirs->to     },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice a = slice_trim(buf_slice(rows[i].ours));
        struct slice b = slice_trim(buf_slice(rows[i].theirs));
        if (slice_ieq(a, b))
            continue;
        snprintf(why, room, "%s: ours '" SLICE_FMT "', GMime's '" SLICE_FMT "'", rows[i].what,
                 SLICE_ARG(slice_first(a, 400)), SLICE_ARG(slice_first(b, 400)));
        return why;
    }
    return NULL;
}

static const char *reason(const char *name)
{
    for (size_t i = 0; i < sizeof differ / sizeof *differ; i++)
        if (strncmp(name, differ[i].name, strlen(differ[i].name)) == 0)
            return differ[i].why;
    return NULL;
}

static unsigned check_folder(const char *folder)
{
    char path[1000], why[1000];
    unsigned wrong = 0, seen = 0;
    DIR *dir = opendir(folder);
    struct dirent *entry;
    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        struct buf octets;
        struct texts ours, theirs;
        size_t n = strlen(entry->d_name);
        if (n < 4 || strcmp(entry->d_name + n - 4, ".eml") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        texts_init(&ours);
        texts_init(&theirs);
        struct slice message = read_file(path, &octets);
        read_ours(message, &ours);
        read_theirs(message, &theirs);
        const char *found = compare(&ours, &theirs, why, sizeof why);
        if (found && !reason(entry->d_name)) {
            print_message("# %s: %s\n", entry->d_name, found);
            wrong++;
        } else if (!found && reason(entry->d_name)) {
            print_message("# %s: does not differ\n", entry->d_name);
            wrong++;
        }
        texts_finish(&ours);
        texts_finish(&theirs);
        buf_finish(&octets);
        seen++;
    }
    closedir(dir);
    assert_true(seen > 20);
    return wrong;
}

static const char *mail;

static void realistic_messages_are_read_as_gmime_reads_them(void **state)
{
    (void)state;
    assert_int_equal(check_folder(mail), 0);
}

static void odd_ones_too_but_for_those_that_are_listed(void **state)
{
    (void)state;
    char odd[1000];
    snprintf(odd, sizeof odd, "%s/odd", mail);
    assert_int_equal(check_folder(odd), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(realistic_messages_are_read_as_gmime_reads_them),
        cmocka_unit_test(odd_ones_too_but_for_those_that_are_listed),
    };
    if (argc != 2)
        return 2;
    mail = argv[1];
    g_mime_init();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    g_mime_shutdown();
    return failed;
}
