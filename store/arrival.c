#include "store/arrival.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/base/random.h"
#include "core/base/siphash.h"
#include "core/mime/envelope.h"
#include "core/mime/header.h"
#include "core/mime/sort.h"

enum {
    FIELDS_MAX = 64 << 10, /* of header fields: what is made of more fits no row, and takes a loop
                              too long; it is for the pool, when somebody asks */
    RECENT_REFS = 3
};

static bool contains(const struct facts *facts, uint64_t id)
{
    for (unsigned i = 0; i < facts->nrefs; i++)
        if (facts->refs[i] == id)
            return true;
    return false;
}

static void add_ref(struct facts *facts, uint64_t id)
{
    if (facts->nrefs < THREAD_REFS && !contains(facts, id))
        facts->refs[facts->nrefs++] = id;
}

/* Where a thread is looked for: the last three References newest first, then In-Reply-To, then the
 * first Reference. Two messages that one mail names as its ancestors are of one thread. */
static void thread_refs(struct facts *facts, struct siphash_key sip, struct slice references,
                        struct slice in_reply_to)
{
    struct header_msgids ids;
    struct slice id;
    uint64_t last[RECENT_REFS], first = 0;
    unsigned n = 0;
    header_msgids_init(&ids, references);
    while (header_msgids_next(&ids, &id)) {
        uint64_t hash = siphash(sip, id);
        if (n == 0)
            first = hash;
        last[n++ % RECENT_REFS] = hash;
    }
    for (unsigned i = 1; i <= RECENT_REFS && i <= n; i++)
        add_ref(facts, last[(n - i) % RECENT_REFS]);
    header_msgids_init(&ids, in_reply_to);
    if (header_msgids_next(&ids, &id))
        add_ref(facts, siphash(sip, id));
    if (n)
        add_ref(facts, first);
}

/* Values of the first field of each of these names; empty: there is none. */
struct fields {
    struct slice message_id, references, in_reply_to, date;
};

/* One walk for all: a hostile header has a hundred thousand fields. */
static void find_fields(struct slice header, size_t cap, struct fields *ret)
{
    const struct {
        struct slice name;
        struct slice *value;
    } wanted[] = {
        {{"Message-ID", 10},  &ret->message_id },
        {{"References", 10},  &ret->references },
        {{"In-Reply-To", 11}, &ret->in_reply_to},
        {{"Date", 4},         &ret->date       },
    };
    struct header_walk walk;
    struct header_field found;
    *ret = (struct fields){0};
    header_walk_init(&walk, header, cap);
    while (header_next(&walk, &found))
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
            if (!wanted[i].value->ptr && slice_ieq(found.name, wanted[i].name))
                *wanted[i].value = found.value;
}

static void digest(struct facts *facts, struct slice header, size_t cap)
{
    struct buf b;
    buf_init(&b, HEADER_DIGEST_MAX);
    if (header_digest(header, cap, &b) == ERR_OK) {
        facts->digest = mem_dup(b.ptr, b.len);
        facts->digest_len = b.len;
    }
    buf_finish(&b);
}

unsigned char *facts_cache_row(const struct facts *facts, const struct mime_tree *tree,
                               size_t *ret_len)
{
    unsigned char row[ROW_MAX], ids[8 * (1 + THREAD_REFS)];
    struct buf envelope, structure, cuts, parts, sort;
    size_t used = 0, n = 0;
    struct slice unfit = SLICE_NONE;
    unfit.len = ROW_MAX; /* what has no room in a buf has none in the row */
    buf_init(&envelope, ROW_MAX);
    buf_init(&structure, ROW_MAX);
    buf_init(&cuts, ROW_MAX);
    buf_init(&parts, ROW_MAX);
    buf_init(&sort, ROW_MAX);
    bool small = tree->kept.len <= FIELDS_MAX;
    bool enveloped = small && mime_envelope(tree, &envelope) == ERR_OK;
    bool structured = small && mime_structure(tree, &structure, &cuts) == ERR_OK;
    bool sorted = small && sort_keys_append(tree, &sort) == ERR_OK;
    bool tabled = mime_table(tree, &parts) == ERR_OK;
    memcpy(ids, &facts->message_id, 8);
    for (; n < facts->nrefs; n++)
        memcpy(ids + 8 + 8 * n, &facts->refs[n], 8);
    cache_add(row, &used, PARSER_VERSION, CACHE_ENVELOPE, enveloped ? buf_slice(&envelope) : unfit);
    cache_add(row, &used, PARSER_VERSION, CACHE_BODYSTRUCTURE,
              structured ? buf_slice(&structure) : unfit);
    cache_add(row, &used, PARSER_VERSION, CACHE_CUTS, structured ? buf_slice(&cuts) : unfit);
    cache_add(row, &used, PARSER_VERSION, CACHE_PARTS, tabled ? buf_slice(&parts) : unfit);
    cache_add(row, &used, PARSER_VERSION, CACHE_SORT, sorted ? buf_slice(&sort) : unfit);
    cache_add(row, &used, PARSER_VERSION, CACHE_THREAD, slice(ids, 8 + 8 * n));
    if (facts->digest)
        cache_add(row, &used, PARSER_VERSION, CACHE_HEADER,
                  slice(facts->digest, facts->digest_len));
    buf_finish(&envelope);
    buf_finish(&structure);
    buf_finish(&cuts);
    buf_finish(&parts);
    buf_finish(&sort);
    *ret_len = used;
    return mem_dup(row, used);
}

void facts_from_header(struct facts *facts, struct siphash_key sip, struct slice header, size_t cap)
{
    struct fields fields;
    struct header_msgids ids;
    struct slice id;
    find_fields(header, cap, &fields);
    header_msgids_init(&ids, fields.message_id);
    facts->has_message_id = header_msgids_next(&ids, &id);
    if (facts->has_message_id)
        facts->message_id = siphash(sip, id);
    thread_refs(facts, sip, fields.references, fields.in_reply_to);
    if (!header_date(fields.date, &facts->date, NULL))
        facts->date = 0;
    facts->utf8 = !slice_is_ascii(header);
    digest(facts, header, cap);
}

static enum err thread_of(struct turn *turn, uint32_t a, uint64_t hash, uint64_t *ret)
{
    struct key key;
    struct slice k, value;
    struct row_mid row;
    key_mid(&key, a, hash, 0);
    struct slice prefix = slice_first(key_slice(&key), 12);
    enum err e = engine_first(turn->txn, DBI_MID, prefix, prefix, &k, &value);
    if (!e)
        e = row_mid_decode(value, &row);
    if (!e)
        *ret = row.thread;
    return e;
}

enum err arrival_thread(struct turn *turn, uint32_t a, const struct facts *facts, uint64_t blob,
                        uint64_t *ret_thread)
{
    enum err e = ERR_NOTFOUND;
    for (unsigned i = 0; e == ERR_NOTFOUND && i < facts->nrefs; i++)
        e = thread_of(turn, a, facts->refs[i], ret_thread);
    if (e == ERR_NOTFOUND && facts->has_message_id) /* the same mail again, or its own late copy */
        e = thread_of(turn, a, facts->message_id, ret_thread);
    if (e == ERR_NOTFOUND) {
        *ret_thread = random_u64();
        e = ERR_OK;
    }
    if (e || !facts->has_message_id)
        return e;
    struct key key;
    unsigned char octets[16];
    struct row_mid row = {.time = turn->now, .thread = *ret_thread};
    return turn_put(turn, DBI_MID, key_mid(&key, a, facts->message_id, blob),
                    row_mid_encode(&row, octets));
}

enum err arrival_rows(struct turn *turn, const struct arriving *arriving, const struct box *box,
                      struct hot_edit *edit)
{
    const struct store_incoming *in = arriving->in;
    const struct facts *facts = &in->facts;
    uint64_t thread;
    struct key key;
    unsigned char octets[ROW_MAX];
    enum err e = arrival_thread(turn, arriving->a, facts, in->blob, &thread);
    if (e)
        return e;
    struct row_msg msg = {
        .flags =
            (uint8_t)((facts->eight_bit ? MSG_8BIT : 0) | (facts->utf8 ? MSG_UTF8 : 0) |
                      (facts->has_nul ? MSG_HAS_NUL : 0) | (arriving->has_uidl ? MSG_HAS_UIDL : 0)),
        .size = (uint32_t)facts->size,
        .hdr_len = facts->hdr_len,
        .lines = facts->lines,
        .nparts = facts->nparts,
        .arrival = turn->now,
        .internaldate = in->text.internaldate,
        .blob = in->blob,
        .thread = thread,
        .create_modseq = box->row.highestmodseq,
        .conn = arriving->conn,
        .date = facts->date,
        .rcpt = arriving->rcpt};
    memcpy(msg.emailid, facts->emailid, sizeof msg.emailid);
    struct hot_slot slot = {.modseq = box->row.highestmodseq,
                            .keywords = arriving->keywords,
                            .size = msg.size,
                            .internaldate = in->text.internaldate,
                            .savedate = turn->now,
                            .sysflags = in->text.sysflags,
                            .zone = in->text.zone};
    e = turn_put(turn, DBI_MSG, key_amu(&key, arriving->a, box->m, arriving->uid),
                 row_msg_encode(&msg, octets));
    return e ? e : hot_insert(edit, arriving->uid, &slot);
}
