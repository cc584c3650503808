/* A message on its way in, as the loop fills it and the committer takes it over.
 *
 *   loop: write -> canonical octets -> buffer --full--> piece op --> committer: chunks under
 * `stage`
 *                                        |
 *                                   store_append --> append op: last chunks, rows of all recipients
 *
 * The loop owns everything but what is marked otherwise; ops of one incoming are in one lane, so
 * the committer sees its pieces in order and the append behind them. */
#ifndef TANDEM_STORE_INCOMING_H
#define TANDEM_STORE_INCOMING_H

#include "core/base/siphash.h"
#include "core/mime/mime.h"
#include "store/commit.h"

enum { PIECE_CHUNKS = 64, PIECE_OCTETS = PIECE_CHUNKS * CHUNK_PAYLOAD, PIECES_UNDER_WAY = 2 };
enum { THREAD_REFS = 5 };
enum {
    PARSER_VERSION = 3
}; /* of `cache` rows: raised when a parser of core/mime gives other tags */

/* What is learned from the octets as they pass, and from the header when it is whole. */
struct facts {
    uint64_t size;
    uint32_t hdr_len, lines;
    bool has_nul, eight_bit, utf8;
    bool header_done;
    int64_t date; /* Date: field, seconds UTC */
    bool has_message_id;
    uint64_t message_id;        /* SipHash of Message-ID, with the shard's key */
    uint64_t refs[THREAD_REFS]; /* in the order in which a thread is looked for */
    unsigned nrefs;
    unsigned char emailid[16];
    unsigned char hash[16]; /* XXH3-128 of the octets */
    unsigned char *digest;  /* header lines for the `cache` row, owned; NULL: they do not fit */
    size_t digest_len;
    uint32_t nparts;
};

struct incoming_text {
    uint8_t sysflags;
    int8_t zone;
    uint32_t internaldate;
    struct slice *keywords; /* owned, with their texts */
    size_t nkeywords;
};

struct store_incoming {
    struct store *store;
    struct env *env;
    uint32_t a;
    uint64_t max;
    struct facts facts;
    struct mime_scan *scan; /* until the seal */
    size_t header_cap;      /* [limits] header */
    size_t scanned;         /* octets of the buffer that it has seen */
    unsigned char *cache;   /* the `cache` row, owned; after the seal */
    size_t cache_len;
    struct incoming_text text;
    void *hash;   /* XXH3 state */
    char *buffer; /* octets not yet given to a piece */
    size_t len, cap;
    uint64_t line_octets; /* of the line that has not ended */
    bool last_cr, too_big, staged;
    uint32_t chunks; /* given to pieces so far */

    pthread_mutex_t lock; /* of the rest */
    unsigned refs;        /* the loop's, and one per op under way */
    unsigned under_way;
    enum err err; /* of a piece */
    struct loop *loop;
    uint64_t ready_id;
    void (*ready)(void *object);
    struct post post;
    bool posted;

    uint64_t blob; /* committer's: 0 until the first chunk was written */
};

/* No more octets will come: header facts, hash, cache row. Loop. */
void incoming_seal(struct store_incoming *in);
/* Writes what the buffer still holds, with `blob` (of `refs` references), `bown` and `cache`, and
 * ends the stage. In a turn. */
MUST_CHECK enum err incoming_store(struct turn *turn, struct store_incoming *in, uint32_t refs);
void incoming_unref(struct store_incoming *in); /* any thread */

/* arrival.c: reads the header (`header` = the message's first octets, hdr_len of them) up to `cap`
 * octets ([limits] header). */
void facts_from_header(struct facts *facts, struct siphash_key sip, struct slice header,
                       size_t cap);
/* The `cache` row of a message whose header and parts are known; owned by the caller. */
unsigned char *facts_cache_row(const struct facts *facts, const struct mime_tree *tree,
                               size_t *ret_len);

#endif
