#include "store/snapshot.h"

#include <assert.h>
#include <string.h>

#include "core/base/mem.h"
#include "store/bits.h"
#include "store/env.h"

/* A snapshot that is being made. */
struct draft {
    struct snapshot *snap;
    uint32_t cap;
};

static void draft_begin(struct draft *draft, const struct box *box, uint32_t room)
{
    draft->cap = room + 1;
    draft->snap = mem_new(sizeof *draft->snap + draft->cap * sizeof draft->snap->bucket[0]);
    atomic_init(&draft->snap->refs, 1);
    draft->snap->uidnext = box->row.uidnext;
    draft->snap->expunge_modseq = box->row.expunge_modseq;
}

static void draft_add(struct draft *draft, uint32_t bucket, const uint64_t present[2])
{
    if (!(present[0] | present[1]))
        return;
    if (draft->snap->n == draft->cap) {
        draft->cap *= 2;
        draft->snap = mem_resize(draft->snap,
                                 sizeof *draft->snap + draft->cap * sizeof draft->snap->bucket[0]);
    }
    struct snapshot *snap = draft->snap;
    snap->bucket[snap->n++] = (struct snapshot_bucket){
        .bucket = bucket, .before = snap->exists, .present = {present[0], present[1]}
    };
    snap->exists += bits_count(present[0]) + bits_count(present[1]);
}

/* Buckets of the mailbox from `from` on, as the rows have them. */
static enum err draft_rows(struct draft *draft, struct engine_txn *txn, const struct box *box,
                           uint32_t from)
{
    struct key prefix, at;
    struct engine_cursor cursor;
    enum err e = engine_cursor_open(txn, DBI_HOT, key_am(&prefix, box->a, box->m), &cursor);
    if (e)
        return e;
    e = engine_seek(&cursor, key_amu(&at, box->a, box->m, from));
    while (!e) {
        struct hot_row row;
        uint32_t bucket;
        e = hot_open(cursor.value, &row);
        if (!e && !key_get32(cursor.key, 8, &bucket))
            e = ERR_CORRUPT;
        if (e)
            break;
        draft_add(draft, bucket, row.present);
        e = engine_next(&cursor);
    }
    engine_cursor_close(&cursor);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err draft_end(struct draft *draft, enum err e, struct snapshot **ret)
{
    if (e) {
        mem_free(draft->snap);
        return e;
    }
    if (draft->snap->n + 1 < draft->cap) {
        draft->cap = draft->snap->n + 1;
        draft->snap = mem_resize(draft->snap,
                                 sizeof *draft->snap + draft->cap * sizeof draft->snap->bucket[0]);
    }
    *ret = draft->snap;
    return ERR_OK;
}

enum err snapshot_build(struct engine_txn *txn, const struct box *box, struct snapshot **ret)
{
    struct draft draft;
    /* The row's count of buckets is a hint: a wrong one must not decide about memory. */
    draft_begin(&draft, box, box->row.nbuckets < 65536 ? box->row.nbuckets : 65536);
    enum err e = draft_rows(&draft, txn, box, 0);
    return draft_end(&draft, e, ret);
}

/* Clear in `present` what lies in the set's ranges from *range on; moves *range to the first one
 * that reaches beyond this bucket. */
static void clear_expunged(uint64_t present[2], uint32_t bucket, const struct uidset *expunged,
                           uint32_t *range)
{
    uint64_t first = (uint64_t)bucket << BUCKET_SHIFT, last = first + BUCKET_UIDS - 1;
    while (*range < expunged->n && expunged->ranges[*range].last < first)
        ++*range;
    while (*range < expunged->n && expunged->ranges[*range].first <= last) {
        const struct uidrange *r = &expunged->ranges[*range];
        unsigned from = r->first > first ? (unsigned)(r->first - first) : 0;
        unsigned to = r->last < last ? (unsigned)(r->last - first) : BUCKET_UIDS - 1;
        for (unsigned half = 0; half < 2; half++) {
            unsigned lo = half * 64, hi = lo + 63;
            if (from > hi || to < lo)
                continue;
            unsigned a = from > lo ? from - lo : 0, b = to < hi ? to - lo : 63;
            present[half] &= ~((~UINT64_C(0) >> (63 - b)) & (~UINT64_C(0) << a));
        }
        if (r->last > last)
            return;
        ++*range;
    }
}

enum err snapshot_derive(const struct snapshot *base, struct engine_txn *txn, const struct box *box,
                         const struct uidset *expunged, struct snapshot **ret)
{
    /* Arrivals lie in the bucket of the old uidnext and behind it: those are read, the others can
     * only have lost messages. */
    uint32_t tail = base->uidnext >> BUCKET_SHIFT, range = 0;
    struct draft draft;
    draft_begin(&draft, box, base->n + 1);
    for (uint32_t i = 0; i < base->n && base->bucket[i].bucket < tail; i++) {
        uint64_t present[2] = {base->bucket[i].present[0], base->bucket[i].present[1]};
        clear_expunged(present, base->bucket[i].bucket, expunged, &range);
        draft_add(&draft, base->bucket[i].bucket, present);
    }
    enum err e = draft_rows(&draft, txn, box, tail);
    e = draft_end(&draft, e, ret);
    if (e || (*ret)->exists == box->row.exists)
        return e;
    snapshot_unref(*ret); /* a row that lies: only the buckets count */
    return snapshot_build(txn, box, ret);
}

struct snapshot *snapshot_ref(struct snapshot *snap)
{
    atomic_fetch_add_explicit(&snap->refs, 1, memory_order_relaxed);
    return snap;
}

void snapshot_unref(struct snapshot *snap)
{
    if (snap && atomic_fetch_sub_explicit(&snap->refs, 1, memory_order_acq_rel) == 1)
        mem_free(snap);
}

size_t snapshot_octets(const struct snapshot *snap)
{
    return sizeof *snap + (size_t)snap->n * sizeof snap->bucket[0];
}

bool snapshot_is(const struct snapshot *snap, const struct box *box)
{
    return snap->uidnext == box->row.uidnext && snap->expunge_modseq == box->row.expunge_modseq;
}

/* --- numbers -----------------------------------------------------------------------------------
 */

/* Index of the first bucket >= `bucket`; n if there is none. */
static uint32_t lower(const struct snapshot *snap, uint32_t bucket)
{
    uint32_t lo = 0, hi = snap->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (snap->bucket[mid].bucket < bucket)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

bool snapshot_has(const struct snapshot *snap, uint32_t uid)
{
    uint32_t at = lower(snap, uid >> BUCKET_SHIFT);
    unsigned bit = uid & (BUCKET_UIDS - 1);
    return at < snap->n && snap->bucket[at].bucket == uid >> BUCKET_SHIFT &&
           (snap->bucket[at].present[bit >> 6] >> (bit & 63) & 1);
}

uint32_t snapshot_rank(const struct snapshot *snap, uint32_t uid)
{
    uint32_t at = lower(snap, uid >> BUCKET_SHIFT);
    if (at == snap->n)
        return snap->exists;
    const struct snapshot_bucket *b = &snap->bucket[at];
    if (b->bucket != uid >> BUCKET_SHIFT)
        return b->before;
    unsigned bit = uid & (BUCKET_UIDS - 1);
    uint64_t upto = ~UINT64_C(0) >> (63 - (bit & 63));
    uint32_t in = bit < 64 ? bits_count(b->present[0] & upto)
                           : bits_count(b->present[0]) + bits_count(b->present[1] & upto);
    return b->before + in;
}

/* Position of the n-th set bit, from 0; it is there. */
static unsigned select_bit(uint64_t word, unsigned n)
{
    unsigned at = 0;
    for (unsigned width = 32; width; width /= 2) {
        unsigned low = bits_count(word & ((UINT64_C(1) << width) - 1));
        if (n >= low) {
            n -= low;
            word >>= width;
            at += width;
        }
    }
    return at;
}

uint32_t snapshot_select(const struct snapshot *snap, uint32_t n)
{
    if (n == 0 || n > snap->exists)
        return 0;
    uint32_t lo = 0, hi = snap->n; /* the last bucket with before < n */
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (snap->bucket[mid].before < n)
            lo = mid;
        else
            hi = mid;
    }
    const struct snapshot_bucket *b = &snap->bucket[lo];
    unsigned rest = n - b->before - 1, in_low = bits_count(b->present[0]);
    unsigned bit = rest < in_low ? select_bit(b->present[0], rest)
                                 : 64 + select_bit(b->present[1], rest - in_low);
    return (b->bucket << BUCKET_SHIFT) + bit;
}

/* First bit >= `from` that is set (or clear, with `invert`); BUCKET_UIDS if there is none. */
static unsigned next_bit(const struct snapshot_bucket *b, unsigned from, bool invert)
{
    for (unsigned half = from >> 6; half < 2; half++) {
        uint64_t word = invert ? ~b->present[half] : b->present[half];
        if (half == from >> 6)
            word &= ~UINT64_C(0) << (from & 63);
        if (word)
            return half * 64 + (unsigned)__builtin_ctzll(word);
    }
    return BUCKET_UIDS;
}

/* Bucket and bit of the first UID >= uid; false if there is none. */
static bool seek(const struct snapshot *snap, uint32_t uid, uint32_t *ret_at, unsigned *ret_bit)
{
    uint32_t at = lower(snap, uid >> BUCKET_SHIFT);
    if (at == snap->n)
        return false;
    bool inside = snap->bucket[at].bucket == uid >> BUCKET_SHIFT;
    unsigned bit = next_bit(&snap->bucket[at], inside ? uid & (BUCKET_UIDS - 1) : 0, false);
    if (bit == BUCKET_UIDS) { /* nothing left of its own bucket; no other one is empty */
        if (++at == snap->n)
            return false;
        bit = next_bit(&snap->bucket[at], 0, false);
    }
    *ret_at = at;
    *ret_bit = bit;
    return true;
}

uint32_t snapshot_next(const struct snapshot *snap, uint32_t uid)
{
    uint32_t at;
    unsigned bit;
    return seek(snap, uid, &at, &bit) ? (snap->bucket[at].bucket << BUCKET_SHIFT) + bit : 0;
}

uint32_t snapshot_run(const struct snapshot *snap, uint32_t uid, uint32_t upto, uint32_t *ret_last)
{
    uint32_t at;
    unsigned bit;
    if (!seek(snap, uid, &at, &bit))
        return 0;
    uint32_t first = (snap->bucket[at].bucket << BUCKET_SHIFT) + bit;
    if (first > upto)
        return 0;
    unsigned end = next_bit(&snap->bucket[at], bit, true);
    while (end == BUCKET_UIDS && at + 1 < snap->n &&
           snap->bucket[at].bucket < upto >> BUCKET_SHIFT &&
           snap->bucket[at + 1].bucket == snap->bucket[at].bucket + 1 &&
           (snap->bucket[at + 1].present[0] & 1))
        end = next_bit(&snap->bucket[++at], 0, true);
    uint32_t last = (snap->bucket[at].bucket << BUCKET_SHIFT) + end - 1;
    *ret_last = last < upto ? last : upto;
    return first;
}
