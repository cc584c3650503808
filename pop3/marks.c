#include "pop3/marks.h"

#include <string.h>

#include "core/base/mem.h"

static size_t octets_of(const struct marks *m)
{
    return ((size_t)m->count + 7) / 8;
}

static bool test(const unsigned char *bits, uint32_t message)
{
    return bits && (bits[(message - 1) / 8] >> ((message - 1) % 8) & 1);
}

static void set(struct marks *m, unsigned char **bits, uint32_t message)
{
    if (!*bits)
        *bits = mem_new(octets_of(m));
    (*bits)[(message - 1) / 8] |= (unsigned char)(1u << ((message - 1) % 8));
}

void marks_init(struct marks *m, uint32_t count)
{
    *m = (struct marks){.count = count};
}

void marks_finish(struct marks *m)
{
    mem_free(m->deleted);
    mem_free(m->retrieved);
    mem_free(m->sent);
    *m = (struct marks){0};
}

bool marks_deleted(const struct marks *m, uint32_t message)
{
    return test(m->deleted, message);
}

void marks_delete(struct marks *m, uint32_t message, uint32_t octets)
{
    set(m, &m->deleted, message);
    m->ndeleted++;
    m->deleted_octets += octets;
}

void marks_reset(struct marks *m)
{
    if (m->deleted)
        memset(m->deleted, 0, octets_of(m));
    m->ndeleted = 0;
    m->deleted_octets = 0;
}

void marks_delete_retrieved(struct marks *m)
{
    for (uint32_t message = 1; m->nretrieved && message <= m->count; message++)
        if (test(m->retrieved, message) && !test(m->deleted, message))
            marks_delete(m, message, 0);
}

bool marks_has_sent(const struct marks *m, uint32_t message)
{
    bool sent = test(m->retrieved, message);
    for (size_t i = 0; !sent && i < m->nsent; i++)
        sent = m->sent[i].message == message;
    return sent;
}

void marks_sent(struct marks *m, uint32_t message, uint64_t end)
{
    if (m->nsent == m->cap) {
        m->cap = m->cap ? 2 * m->cap : 8;
        m->sent = mem_resize(m->sent, m->cap * sizeof *m->sent);
    }
    m->sent[m->nsent++] = (struct marks_sent){message, end};
}

void marks_confirm(struct marks *m, uint64_t written)
{
    size_t n = 0;
    for (; n < m->nsent && m->sent[n].end <= written; n++) {
        if (!test(m->retrieved, m->sent[n].message))
            m->nretrieved++;
        set(m, &m->retrieved, m->sent[n].message);
    }
    if (n == 0)
        return;
    m->nsent -= n;
    memmove(m->sent, m->sent + n, m->nsent * sizeof *m->sent);
}
