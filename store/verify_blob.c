/* Bodies against what names them. */
#include "store/verify.h"

#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

static bool has_row(struct verify *v, unsigned dbi, uint64_t blob)
{
    struct key k;
    struct slice value;
    return engine_get(v->txn, dbi, key_b(&k, blob), &value) == ERR_OK;
}

static uint32_t chunks_of(uint64_t size)
{
    return (uint32_t)((size + CHUNK_PAYLOAD - 1) / CHUNK_PAYLOAD);
}

/* Every chunk there, of its full length, and, if asked for, what was written. */
static void see_chunks(struct verify *v, uint64_t blob, const struct row_blob *row)
{
    XXH3_state_t *state = v->out->bodies ? XXH3_createState() : NULL;
    if (state)
        XXH3_128bits_reset(state);
    for (uint32_t c = 0; c < chunks_of(row->size); c++) {
        struct key k;
        struct slice value;
        uint64_t left = row->size - (uint64_t)c * CHUNK_PAYLOAD, sum;
        size_t want = left < CHUNK_PAYLOAD ? (size_t)left : CHUNK_PAYLOAD;
        if (engine_get(v->txn, DBI_BODY, key_chunk(&k, blob, c), &value) || value.len != want + 8) {
            verify_finding(v, "body %" PRIu64 ": chunk %u is missing or cut", blob, c);
            break;
        }
        if (!state)
            continue;
        memcpy(&sum, value.ptr + want, sizeof sum);
        if (XXH3_64bits_withSeed(value.ptr, want, blob ^ c) != sum)
            verify_finding(v, "body %" PRIu64 ": chunk %u is not what was written", blob, c);
        XXH3_128bits_update(state, value.ptr, want);
        v->out->octets += want;
    }
    if (!state)
        return;
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    if (memcmp(&hash, row->hash, sizeof row->hash) != 0)
        verify_finding(v, "body %" PRIu64 ": is not what arrived", blob);
}

static enum err see_blob(struct verify *v, void *arg, struct slice key, struct slice value)
{
    (void)arg;
    uint64_t blob = 0;
    struct row_blob row;
    if (!key_get64(key, 0, &blob) || row_blob_decode(value, &row)) {
        verify_finding(v, "body %" PRIu64 ": its row cannot be read", blob);
        return ERR_OK;
    }
    v->out->blobs++;
    uint32_t counted = blob_map_get(&v->refs, blob);
    if (row.refs != counted)
        verify_finding(v, "body %" PRIu64 ": %u references in its row, counted %u", blob, row.refs,
                       counted);
    if (row.refs == 0) {
        if (!has_row(v, DBI_REAP, blob) && !has_row(v, DBI_STAGE, blob))
            verify_finding(v, "body %" PRIu64 ": nothing names it and nothing will delete it",
                           blob);
        return ERR_OK;
    }
    if (has_row(v, DBI_REAP, blob) || has_row(v, DBI_STAGE, blob))
        verify_finding(v, "body %" PRIu64 ": is named and about to be deleted", blob);
    if (!has_row(v, DBI_BOWN, blob))
        verify_finding(v, "body %" PRIu64 ": has no owner row", blob);
    see_chunks(v, blob, &row);
    return ERR_OK;
}

static enum err see_leftover(struct verify *v, void *arg, struct slice key, struct slice value)
{
    (void)value;
    uint64_t blob = 0;
    if (!key_get64(key, 0, &blob) || !has_row(v, DBI_BLOB, blob))
        verify_finding(v, "a row of `%s` stands for body %" PRIu64 ", which is not there",
                       (const char *)arg, blob);
    return ERR_OK;
}

static enum err see_cache(struct verify *v, void *arg, struct slice key, struct slice value)
{
    uint64_t blob = 0;
    uint16_t parser;
    if (!key_get64(key, 0, &blob) || cache_check(value, &parser))
        verify_finding(v, "body %" PRIu64 ": its cache row cannot be read", blob);
    return see_leftover(v, arg, key, value);
}

enum err verify_blobs(struct verify *v)
{
    enum err e = verify_rows(v, DBI_BLOB, SLICE_NONE, see_blob, NULL);
    if (!e)
        e = verify_rows(v, DBI_STAGE, SLICE_NONE, see_leftover, (void *)(uintptr_t) "stage");
    if (!e)
        e = verify_rows(v, DBI_REAP, SLICE_NONE, see_leftover, (void *)(uintptr_t) "reap");
    if (!e)
        e = verify_rows(v, DBI_CACHE, SLICE_NONE, see_cache, (void *)(uintptr_t) "cache");
    if (!e && v->out->bodies)
        e = verify_rows(v, DBI_BODY, SLICE_NONE, see_leftover, (void *)(uintptr_t) "body");
    /* What is counted but has no row at all: a message whose body is lost. */
    for (size_t i = 0; !e && i < v->refs.cap; i++)
        if (v->refs.slots[i].blob && !has_row(v, DBI_BLOB, v->refs.slots[i].blob))
            verify_finding(v, "body %" PRIu64 ": %u messages name it and it is not there",
                           v->refs.slots[i].blob, v->refs.slots[i].value);
    return e;
}
