#include "core/net/outq.h"

#include <assert.h>
#include <stdint.h>

#include "core/base/mem.h"

enum {
    BORROW_MIN = 512,    /* below that a copy is cheaper than an iovec of its own */
    SEGMENT_MIN = 1000,  /* with the header a block malloc likes */
    SEGMENT_MAX = 16000, /* what small pieces are collected in; a large piece gets its own size */
};

struct outq_segment {
    struct outq_segment *next;
    const char *ptr; /* the first octet not sent */
    size_t len;
    size_t room; /* owned: octets free behind ptr + len */
    bool borrowed;
    char bytes[];
};

void outq_init(struct outq *q)
{
    *q = (struct outq){0};
}

void outq_finish(struct outq *q)
{
    while (q->head) {
        struct outq_segment *next = q->head->next;
        mem_free(q->head);
        q->head = next;
    }
    outq_init(q);
}

static struct outq_segment *segment_new(size_t size)
{
    struct outq_segment *segment = mem_resize(NULL, sizeof *segment + size);
    *segment = (struct outq_segment){.room = size};
    segment->ptr = segment->bytes;

    return segment;
}

static void push(struct outq *q, struct outq_segment *segment)
{
    if (q->tail)
        q->tail->next = segment;
    else
        q->head = segment;
    q->tail = segment;
}

static void fill(struct outq_segment *segment, struct slice s)
{
    if (s.len)
        memcpy(segment->bytes + (segment->ptr - segment->bytes) + segment->len, s.ptr, s.len);
    segment->len += s.len;
    segment->room -= s.len;
}

void outq_add(struct outq *q, struct slice s)
{
    q->len += s.len;
    if (q->tail && !q->tail->borrowed && q->tail->room) {
        struct slice front = slice_first(s, q->tail->room);
        fill(q->tail, front);
        s = slice_from(s, front.len);
    }
    if (!s.len)
        return;
    size_t size = q->len > SEGMENT_MIN ? SEGMENT_MAX : SEGMENT_MIN;
    push(q, segment_new(s.len > size ? s.len : size));
    fill(q->tail, s);
}

void outq_borrow(struct outq *q, struct slice s)
{
    if (s.len < BORROW_MIN) {
        outq_add(q, s);
        return;
    }
    struct outq_segment *segment = segment_new(0);
    segment->borrowed = true;
    segment->ptr = s.ptr;
    segment->len = s.len;
    push(q, segment);
    q->len += s.len;
    q->borrowed += s.len;
}

int outq_iov(const struct outq *q, struct iovec *iov, int max, size_t bytes_max)
{
    int n = 0;
    for (const struct outq_segment *s = q->head; s && n < max && bytes_max; s = s->next) {
        size_t len = s->len < bytes_max ? s->len : bytes_max;
        iov[n++] = (struct iovec){(void *)(uintptr_t)s->ptr, len};
        bytes_max -= len;
    }
    return n;
}

void outq_sent(struct outq *q, size_t n)
{
    assert(n <= q->len);
    q->len -= n;
    while (n) {
        struct outq_segment *head = q->head;
        size_t part = n < head->len ? n : head->len;
        head->ptr += part;
        head->len -= part;
        n -= part;
        if (head->borrowed)
            q->borrowed -= part;
        if (head->len)
            return;
        q->head = head->next;
        if (!q->head)
            q->tail = NULL;
        mem_free(head);
    }
}

void outq_settle(struct outq *q)
{
    if (!q->borrowed)
        return;
    struct outq old = *q;
    outq_init(q);
    /* Owned segments stay as they are, so that a slow client's queue is copied once, not at the
     * end of every callback. */
    while (old.head) {
        struct outq_segment *segment = old.head;
        old.head = segment->next;
        segment->next = NULL;
        if (segment->borrowed) {
            struct outq_segment *copy = segment_new(segment->len);
            fill(copy, slice(segment->ptr, segment->len));
            mem_free(segment);
            segment = copy;
        }
        q->len += segment->len;
        push(q, segment);
    }
}
