#include "store/archive.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "core/base/mem.h"

enum { HEAD = 4 + 1 + 8, VERSION = 1 };

static void put_u32(unsigned char *to, uint32_t n)
{
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(n >> (24 - 8 * i));
}

static uint32_t get_u32(const unsigned char *from)
{
    uint32_t n = 0;
    for (int i = 0; i < 4; i++)
        n = n << 8 | from[i];
    return n;
}

/* --- out ----------------------------------------------------------------------------------------
 */

enum err archive_begin(struct archive_out *out, const struct store_sink *sink, const char *kind)
{
    char line[64];
    int n = snprintf(line, sizeof line, "tandem %s %d\n", kind, VERSION);
    *out = (struct archive_out){.sink = sink};
    return sink->put(sink->arg, slice(line, (size_t)n));
}

enum err archive_put(struct archive_out *out, char type, struct slice payload)
{
    unsigned char head[HEAD];
    uint64_t sum = XXH3_64bits_withSeed(payload.ptr, payload.len, out->blocks++);
    put_u32(head, (uint32_t)payload.len);
    head[4] = (unsigned char)type;
    put_u32(head + 5, (uint32_t)(sum >> 32));
    put_u32(head + 9, (uint32_t)sum);
    enum err e = out->sink->put(out->sink->arg, slice(head, sizeof head));
    return e ? e : out->sink->put(out->sink->arg, payload);
}

/* --- in -----------------------------------------------------------------------------------------
 */

/* ERR_CORRUPT: it ends before `len` octets. */
static enum err take(struct archive_in *in, void *to, size_t len)
{
    char *at = to;
    while (len) {
        ptrdiff_t n = in->source->get(in->source->arg, at, len);
        if (n <= 0)
            return n < 0 ? ERR_DOWN : ERR_CORRUPT;
        at += n;
        len -= (size_t)n;
    }
    return ERR_OK;
}

static enum err broken(struct archive_in *in, enum err e, struct fault *why)
{
    if (e == ERR_DOWN)
        return fault(why, e, "it cannot be read further than block %llu",
                     (unsigned long long)in->blocks);
    return fault(why, ERR_CORRUPT, "it is damaged or cut off at block %llu; use another copy",
                 (unsigned long long)in->blocks);
}

enum err archive_open(struct archive_in *in, const struct store_source *source, const char *kind,
                      struct fault *why)
{
    char want[64], line[64];
    int n = snprintf(want, sizeof want, "tandem %s ", kind);
    *in = (struct archive_in){.source = source, .block = mem_new(ARCHIVE_BLOCK_MAX)};
    enum err e = take(in, line, (size_t)n);
    if (e || memcmp(line, want, (size_t)n) != 0)
        return e == ERR_DOWN ? broken(in, e, why)
                             : fault(why, ERR_CORRUPT, "it is no '%s' file of Tandem", kind);
    size_t len = 0;
    while (!(e = take(in, line + len, 1)) && line[len] != '\n' && ++len < 8)
        ;
    if (e)
        return broken(in, e, why);
    if (len != 1 || line[0] != '0' + VERSION)
        return fault(why, ERR_CORRUPT, "it was written by a newer Tandem; use that version");
    return ERR_OK;
}

enum err archive_next(struct archive_in *in, char *ret_type, struct slice *ret_payload,
                      struct fault *why)
{
    unsigned char head[HEAD];
    enum err e = take(in, head, sizeof head);
    uint32_t len = e ? 0 : get_u32(head);
    if (!e)
        e = len > ARCHIVE_BLOCK_MAX ? ERR_CORRUPT : take(in, in->block, len);
    uint64_t sum = e ? 0 : (uint64_t)get_u32(head + 5) << 32 | get_u32(head + 9);
    if (!e && XXH3_64bits_withSeed(in->block, len, in->blocks) != sum)
        e = ERR_CORRUPT;
    if (e)
        return broken(in, e, why);
    in->blocks++;
    *ret_type = (char)head[4];
    *ret_payload = slice(in->block, len);
    return ERR_OK;
}

void archive_close(struct archive_in *in)
{
    mem_free(in->block);
    in->block = NULL;
}
