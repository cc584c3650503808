#include "core/mime/envelope.h"

#include "core/base/arena.h"
#include "core/mime/address.h"
#include "core/mime/envelope_text.h"
#include "core/mime/header.h"

/* Absent: NIL. Present, also when it is empty: a string. */
static void put_field(struct text *t, struct slice fields, struct slice name, struct arena *a)
{
    struct header_field field;
    struct slice value = SLICE_NONE;
    if (header_find(fields, fields.len, name, &field) && header_unfold(a, field.value, &value))
        value = SLICE_NONE;
    text_nstring(t, value);
}

/* An address has a mailbox and a host, if only empty ones: NIL there means a group (RFC 3501
 * section 7.4.2). */
static void put_address(struct text *t, const struct address *address)
{
    struct slice empty = SLICE("");
    bool mailbox = address->kind == ADDRESS_MAILBOX;
    struct slice second = mailbox ? address->mailbox : address->name;
    text_add(t, SLICE("("));
    text_nstring(t, mailbox ? address->name : SLICE_NONE);
    text_add(t, SLICE(" "));
    text_nstring(t, address->route);
    text_add(t, SLICE(" "));
    text_nstring(t, second.len || address->kind == ADDRESS_GROUP_END ? second : empty);
    text_add(t, SLICE(" "));
    text_nstring(t, mailbox && !address->host.len ? empty : address->host);
    text_add(t, SLICE(")"));
}

/* The addresses of all fields of that name. False: there is none, and nothing was written. At the
 * limit a group still gets its end. */
static bool put_addresses(struct text *t, struct slice fields, struct slice name,
                          uint32_t *addresses)
{
    struct header_walk walk;
    struct header_field field;
    bool any = false;
    header_walk_init(&walk, fields, fields.len);
    while (header_next(&walk, &field)) {
        struct address_walk list;
        struct address address;
        bool in_group = false;
        if (!slice_ieq(field.name, name))
            continue;
        address_walk_init(&list, field.value);
        while ((*addresses || in_group) && address_next(&list, &address)) {
            if (*addresses)
                --*addresses;
            else
                address = (struct address){.kind = ADDRESS_GROUP_END};
            in_group =
                address.kind == ADDRESS_GROUP || (in_group && address.kind != ADDRESS_GROUP_END);
            text_add(t, any ? SLICE_NONE : SLICE("("));
            put_address(t, &address);
            any = true;
        }
        address_walk_finish(&list);
    }
    if (any)
        text_add(t, SLICE(")"));
    return any;
}

void envelope_text(struct text *t, struct slice fields, struct arena *a, uint32_t *addresses)
{
    static const struct {
        struct slice name;
        bool default_from; /* "the server sets [it] to be the same value as the from member" */
    } lists[] = {
        {{"From", 4},     false},
        {{"Sender", 6},   true },
        {{"Reply-To", 8}, true },
        {{"To", 2},       false},
        {{"Cc", 2},       false},
        {{"Bcc", 3},      false},
    };
    text_add(t, SLICE("("));
    put_field(t, fields, SLICE("Date"), a);
    text_add(t, SLICE(" "));
    put_field(t, fields, SLICE("Subject"), a);
    size_t from_at = t->to->len + 1, from_len = 0;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        text_add(t, SLICE(" "));
        if (put_addresses(t, fields, lists[i].name, addresses)) {
            if (i == 0)
                from_len = t->to->len - from_at;
        } else if (lists[i].default_from && from_len && !t->err) {
            t->err = buf_reserve(t->to, from_len); /* it may move: only then is it taken from */
            text_add(t, slice(t->to->ptr + from_at, from_len));
        } else {
            text_add(t, SLICE("NIL"));
        }
    }
    text_add(t, SLICE(" "));
    put_field(t, fields, SLICE("In-Reply-To"), a);
    text_add(t, SLICE(" "));
    put_field(t, fields, SLICE("Message-ID"), a);
    text_add(t, SLICE(")"));
    arena_reset(a);
}

enum err mime_envelope(const struct mime_tree *tree, struct buf *to)
{
    struct text t = {.to = to};
    struct arena a;
    size_t before = to->len;
    uint32_t addresses = tree->limits.addresses;
    arena_init(&a, 4 * tree->limits.header);
    envelope_text(&t, mime_fields(tree, 0), &a, &addresses);
    if (t.err)
        to->len = before;
    return t.err;
}
