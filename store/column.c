#include "store/column.h"

#include <pthread.h>
#include <string.h>

#include "core/base/budget.h"
#include "core/base/buf.h"
#include "core/base/mem.h"
#include "store/keys.h"

/* The texts of one bucket of 128 UIDs, one behind the other in the order in which they came. */
struct segment {
    uint32_t bucket;
    unsigned n;
    uint64_t has[2];           /* bit UID & 127 */
    uint8_t slot[BUCKET_UIDS]; /* whose the texts are */
    uint32_t end[BUCKET_UIDS]; /* where they end */
    struct buf text;
};

struct column {
    uint32_t a, m;
    char field[COLUMN_FIELD_MAX + 1]; /* in lower case */
    struct column *older, *newer;     /* in the table */
    size_t octets;
    struct segment **segment; /* by bucket */
    size_t n, cap;
    size_t at; /* of the one used last: a search goes through them in order */
};

struct columns {
    pthread_mutex_t lock; /* a leaf */
    struct column *newest, *oldest;
    size_t octets; /* of those in the table */
    unsigned n;
};

/* --- the table -------------------------------------------------------------------------------- */

struct columns *columns_new(void)
{
    struct columns *columns = mem_new(sizeof *columns);
    pthread_mutex_init(&columns->lock, NULL);
    return columns;
}

/* A search holds its columns for as long as it runs, so they count from the first octet on. */
static void grown(struct column *column, size_t octets)
{
    column->octets += octets;
    budget_take(BUDGET_CACHES, octets);
}

static void column_free(struct column *column)
{
    budget_give(BUDGET_CACHES, column->octets);
    for (size_t i = 0; i < column->n; i++) {
        buf_finish(&column->segment[i]->text);
        mem_free(column->segment[i]);
    }
    mem_free(column->segment);
    mem_free(column);
}

static void unlink_column(struct columns *columns, struct column *column)
{
    *(column->newer ? &column->newer->older : &columns->newest) = column->older;
    *(column->older ? &column->older->newer : &columns->oldest) = column->newer;
    column->newer = column->older = NULL;
    columns->octets -= column->octets;
    columns->n--;
}

static void link_column(struct columns *columns, struct column *column)
{
    column->older = columns->newest;
    *(column->older ? &column->older->newer : &columns->oldest) = column;
    columns->newest = column;
    columns->octets += column->octets;
    columns->n++;
}

void columns_free(struct columns *columns)
{
    if (!columns)
        return;
    while (columns->newest) {
        struct column *column = columns->newest;
        unlink_column(columns, column);
        column_free(column);
    }
    pthread_mutex_destroy(&columns->lock);
    mem_free(columns);
}

static struct column *find(const struct columns *columns, const struct column *like)
{
    struct column *column = columns->newest;
    while (column && (column->a != like->a || column->m != like->m ||
                      strcmp(column->field, like->field) != 0))
        column = column->older;
    return column;
}

struct column *column_take(struct columns *columns, uint32_t a, uint32_t m, struct slice field)
{
    if (field.len > COLUMN_FIELD_MAX)
        return NULL;
    struct column *column = mem_new(sizeof *column);
    grown(column, sizeof *column);
    column->a = a;
    column->m = m;
    for (size_t i = 0; i < field.len; i++)
        column->field[i] = ascii_lower(field.ptr[i]);
    pthread_mutex_lock(&columns->lock);
    struct column *kept = find(columns, column);
    if (kept)
        unlink_column(columns, kept);
    pthread_mutex_unlock(&columns->lock);
    if (!kept)
        return column;
    column_free(column);
    return kept;
}

/* Takes the oldest ones out until the rest may stay; linked by `older`. */
static struct column *outgrown(struct columns *columns)
{
    struct column *gone = NULL;
    bool tight = budget_level() != BUDGET_EASY;
    while (columns->oldest &&
           (tight || columns->octets > COLUMNS_OCTETS || columns->n > COLUMNS_MAX)) {
        struct column *oldest = columns->oldest;
        unlink_column(columns, oldest);
        oldest->older = gone;
        gone = oldest;
    }
    return gone;
}

void column_give(struct columns *columns, struct column *column)
{
    if (!column)
        return;
    pthread_mutex_lock(&columns->lock);
    struct column *other = find(columns, column);
    if (other) { /* two searches at the same time: the one that knows less goes */
        unlink_column(columns, other);
        if (other->octets > column->octets) {
            struct column *less = column;
            column = other;
            other = less;
        }
    }
    link_column(columns, column);
    struct column *gone = outgrown(columns);
    pthread_mutex_unlock(&columns->lock);
    if (other)
        column_free(other);
    while (gone) {
        struct column *next = gone->older;
        column_free(gone);
        gone = next;
    }
}

/* --- a column --------------------------------------------------------------------------------- */

/* The first segment that is not before this bucket. */
static size_t place_of(struct column *column, uint32_t bucket)
{
    size_t from = 0, to = column->n;
    if (column->at < to && column->segment[column->at]->bucket < bucket)
        from = column->at + 1;
    if (from < to && column->segment[from]->bucket >= bucket && from == column->at + 1)
        to = from;
    while (from < to) {
        size_t mid = (from + to) / 2;
        if (column->segment[mid]->bucket < bucket)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

static struct segment *segment_of(struct column *column, uint32_t bucket)
{
    if (column->at < column->n && column->segment[column->at]->bucket == bucket)
        return column->segment[column->at];
    size_t at = place_of(column, bucket);
    if (at == column->n || column->segment[at]->bucket != bucket)
        return NULL;
    column->at = at;
    return column->segment[at];
}

static struct segment *add_segment(struct column *column, uint32_t bucket)
{
    size_t at = place_of(column, bucket);
    if (column->n == column->cap) {
        column->cap = column->cap ? 2 * column->cap : 8;
        column->segment = mem_resize(column->segment, column->cap * sizeof *column->segment);
    }
    memmove(column->segment + at + 1, column->segment + at,
            (column->n - at) * sizeof *column->segment);
    struct segment *segment = mem_new(sizeof *segment);
    segment->bucket = bucket;
    buf_init(&segment->text, (size_t)BUCKET_UIDS * COLUMN_TEXT_MAX);
    column->segment[at] = segment;
    column->n++;
    column->at = at;
    grown(column, sizeof *segment + sizeof *column->segment);
    return segment;
}

static bool has(const uint64_t bits[2], unsigned slot)
{
    return bits[slot >> 6] >> (slot & 63) & 1;
}

void column_add(struct column *column, uint32_t uid, struct slice text)
{
    unsigned slot = uid & (BUCKET_UIDS - 1);
    if (text.len > COLUMN_TEXT_MAX || column->octets > COLUMNS_OCTETS / 4 ||
        budget_level() != BUDGET_EASY)
        return;
    struct segment *segment = segment_of(column, uid >> BUCKET_SHIFT);
    if (!segment)
        segment = add_segment(column, uid >> BUCKET_SHIFT);
    size_t cap = segment->text.cap;
    if (has(segment->has, slot) || buf_append(&segment->text, text))
        return;
    grown(column, segment->text.cap - cap);
    segment->has[slot >> 6] |= UINT64_C(1) << (slot & 63);
    segment->slot[segment->n] = (uint8_t)slot;
    segment->end[segment->n++] = (uint32_t)segment->text.len;
}

/* The texts that `look` has not seen yet. A hit lies in one text: '\n' ends each. */
static void look_through(const struct segment *segment, struct column_look *look,
                         struct slice needle)
{
    struct slice text = buf_slice(&segment->text);
    unsigned i = look->n;
    size_t at = i ? segment->end[i - 1] : 0;
    look->n = segment->n;
    while (at < text.len) {
        const char *from = text.ptr + at;
        const char *hit = needle.len ? memmem(from, text.len - at, needle.ptr, needle.len) : from;
        if (!hit)
            break;
        while (segment->end[i] <= (size_t)(hit - text.ptr))
            i++;
        look->hits[segment->slot[i] >> 6] |= UINT64_C(1) << (segment->slot[i] & 63);
        at = segment->end[i];
    }
}

bool column_find(struct column *column, struct column_look *look, uint32_t uid, struct slice needle,
                 bool *ret_found)
{
    unsigned slot = uid & (BUCKET_UIDS - 1);
    const struct segment *segment = segment_of(column, uid >> BUCKET_SHIFT);
    if (!segment || !has(segment->has, slot))
        return false;
    if (look->bucket != segment->bucket)
        *look = (struct column_look){.bucket = segment->bucket};
    if (look->n < segment->n)
        look_through(segment, look, needle);
    *ret_found = has(look->hits, slot);
    return true;
}
