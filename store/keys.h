/* Every on-disk key and value layout of format 2. Only keys.c and rows.c know a byte position;
 * tests/golden pins each of them.
 *
 * Keys: integers big-endian, at most 510 octets. Values: integers little-endian, packed, first
 * octet `ver`. A reader refuses a higher ver (ERR_CORRUPT). Encoders write into the caller's memory
 * and return a slice of it; decoders return slices into the value: they live as long as it does. */
#ifndef TANDEM_STORE_KEYS_H
#define TANDEM_STORE_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/attr.h"
#include "core/base/err.h"
#include "core/base/slice.h"
#include "store/engine.h"

/* Tables of store.mdb and of catalog.mdb: enum, then where its rows lie (engine.h): tree, octets of
 * the key in front of the mark, mark. Never change one: all are on disk.
 *
 * An account's rows lie together, in the order in which an arrival and a flag dirty the fewest
 * pages: the end of `log`, the `hot` and `mbox` rows of INBOX with `acct` between them in one leaf,
 * the end of `msg` and `mid` in another. A body's owner goes in before its chunks. `blob` is alone,
 * so that a COPY of many messages rewrites few pages, and so is `cache`, which lists walk along. */
#define STORE_TABLES(X)                                                                            \
    X(SYS, "sys", 0, 0)                                                                            \
    X(ACCT, "mail", 4, 12)                                                                         \
    X(MBOX, "mail", 4, 13)                                                                         \
    X(NAME, "mail", 4, 2)                                                                          \
    X(SUBS, "mail", 4, 3)                                                                          \
    X(KW, "mail", 4, 14)                                                                           \
    X(HOT, "mail", 4, 11)                                                                          \
    X(MSG, "mail", 4, 15)                                                                          \
    X(CACHE, "cache", 0, 0)                                                                        \
    X(MID, "mail", 4, 16)                                                                          \
    X(TOMB, "mail", 4, 9)                                                                          \
    X(GONE, "mail", 4, 8)                                                                          \
    X(POP, "mail", 4, 7)                                                                           \
    X(UIDL, "mail", 4, 6)                                                                          \
    X(LOG, "mail", 4, 10)                                                                          \
    X(OPT, "mail", 4, 1)                                                                           \
    X(ANNO, "mail", 4, 4)                                                                          \
    X(ACL, "mail", 4, 5)                                                                           \
    X(SEEN, "mail", 4, 17)                                                                         \
    X(SIG, "sig", 0, 0)                                                                            \
    X(BLOB, "blob", 0, 0)                                                                          \
    X(STAGE, "stage", 0, 0)                                                                        \
    X(REAP, "reap", 0, 0)                                                                          \
    X(BODY, "body", 8, 2)                                                                          \
    X(BOWN, "body", 8, 1)

#define CATALOG_TABLES(X)                                                                          \
    X(CSYS, "sys", 0, 0)                                                                           \
    X(CUSER, "user", 0, 0)                                                                         \
    X(CACCT, "acct", 0, 0)                                                                         \
    X(CALIAS, "alias", 0, 0)                                                                       \
    X(CDOM, "dom", 0, 0)                                                                           \
    X(COPT, "opt", 0, 0)

enum dbi {
#define X(id, tree, lead, mark) DBI_##id,
    STORE_TABLES(X) DBI_STORE_COUNT,
#undef X
};

enum catalog_dbi {
#define X(id, tree, lead, mark) DBI_##id,
    CATALOG_TABLES(X) DBI_CATALOG_COUNT
#undef X
};

enum { FORMAT_VERSION = 2, ROW_VERSION = 1 };
enum { KEY_MAX = ENGINE_KEY_MAX, ROW_MAX = 16368 };
enum { CHUNK_PAYLOAD = 16360 }; /* + 8 octets of checksum: four pages */
enum { BUCKET_SHIFT = 7, BUCKET_UIDS = 128 };
enum { PATH_OCTETS_MAX = 480, COMPONENT_OCTETS_MAX = 255, PATH_LEVELS_MAX = 32 };
enum { KEYWORDS_MAX = 64, KEYWORD_OCTETS_MAX = 200 };
enum { TOMB_RANGES_MAX = 2000, LOG_RANGES_MAX = 64 };
#define MODSEQ_MAX ((uint64_t)INT64_MAX)
#define SLOT_MODSEQ_MAX (((uint64_t)1 << 48) - 1)
#define GONE_TRANSIENT UINT32_MAX /* key time of a transient `gone` row */
#define LOG_CONN_MARK 0xff        /* first octet after A of a connection's row */

/* --- keys ------------------------------------------------------------------------------------ */

struct key {
    unsigned char octets[KEY_MAX];
    uint16_t len;
};

struct slice key_slice(const struct key *key);
struct slice key_text(struct key *key, struct slice text);    /* sys, catalog user... */
struct slice key_a(struct key *key, uint32_t a);              /* acct; catalog acct */
struct slice key_am(struct key *key, uint32_t a, uint32_t m); /* mbox kw */
struct slice key_amu(struct key *key, uint32_t a, uint32_t m,
                     uint32_t u); /* msg pop uidl; hot (bucket) */
struct slice key_name(struct key *key, uint32_t a, struct slice path); /* name subs: '/' -> 0x01 */
struct slice key_tomb(struct key *key, uint32_t a, uint32_t m, uint64_t modseq, uint16_t part);
struct slice key_gone(struct key *key, uint32_t a, uint32_t time, uint32_t m, uint32_t u);
struct slice key_log(struct key *key, uint32_t a, uint64_t seq);
struct slice key_log_conn(struct key *key, uint32_t a, uint64_t conn);
struct slice key_a_text(struct key *key, uint32_t a, struct slice text); /* opt */
struct slice key_am_text(struct key *key, uint32_t a, uint32_t m,
                         struct slice text);     /* anno acl seen */
struct slice key_b(struct key *key, uint64_t b); /* cache blob stage reap bown sig */
struct slice key_chunk(struct key *key, uint64_t b, uint32_t chunk); /* body */
struct slice key_mid(struct key *key, uint32_t a, uint64_t hash, uint64_t b);
struct slice key_catalog_opt(struct key *key, bool domain, uint32_t a, struct slice dom,
                             struct slice name);
/* The integers of a key, as they were put in; false when it is too short for them. */
bool key_get32(struct slice key, size_t at, uint32_t *ret);
bool key_get64(struct slice key, size_t at, uint64_t *ret);
/* The path of a `name` or `subs` key, 0x01 -> '/', into `to` of PATH_OCTETS_MAX. */
struct slice key_path(struct slice key, char *to);

/* --- sys ------------------------------------------------------------------------------------- */

struct row_format {
    uint8_t min_reader;
    uint32_t features;
    unsigned char uuid[16];
    uint64_t created;
};
struct row_state {
    bool clean;
    uint32_t restores;
    uint64_t generation, next_blob, clock;
    unsigned char sip_key[16];
};
struct row_catalog_state {
    uint32_t next_acct;
    uint64_t generation;
};

/* --- accounts, mailboxes --------------------------------------------------------------------- */

enum acct_state {
    ACCT_LIVE,
    ACCT_FROZEN,
    ACCT_DELETING,
    ACCT_MOVED,
    ACCT_IMPORTING,
    ACCT_NEW,
    ACCT_SCRATCH
};
enum { ACCT_HAS_UIDL = 1 };

struct row_acct {
    uint8_t state;
    uint16_t flags;
    uint32_t next_mbox, next_uidvalidity, nmbox;
    uint64_t nonce, used_bytes, used_msgs, gone_bytes, gone_msgs, epoch, created;
    unsigned char uuid[16];
    uint32_t last_imap, last_pop3, scratch_owner, scratch_expiry;
    struct slice login;
};

enum mbox_state { MBOX_LIVE, MBOX_DELETED, MBOX_SWEPT };

struct row_mbox {
    uint8_t special_use, state, flags;
    uint32_t uidvalidity, uidnext, recent_uid, exists, unseen, deleted, first_unseen;
    uint64_t bytes, highestmodseq, expunge_modseq, tomb_floor, modseq_floor, mailboxid,
        deleted_bytes, created;
    uint32_t restores, nbuckets;
    struct slice path;
};

enum { NAME_NOSELECT = 1, NAME_NOINFERIORS = 2 };
struct row_name {
    uint8_t flags;
    uint32_t m; /* 0 if noselect */
};

enum kw_state { KW_FREE, KW_USED, KW_RETIRING };
struct row_kw {
    uint8_t n;
    uint32_t gen;
    struct {
        uint8_t state;
        struct slice name;
    } word[KEYWORDS_MAX];
};

/* --- messages -------------------------------------------------------------------------------- */

/* POP: there is a `pop` row. HIDDEN: it says that the maildrop hides the message for good. So a
 * list of a maildrop needs no row but `hot`: with the first alone the message has been downloaded.
 */
enum { SYSFLAG_MASK = 0x1f, SYSFLAG_POP = 0x20, SYSFLAG_HIDDEN = 0x40 };

struct hot_slot {
    uint64_t modseq, keywords;
    uint32_t size, internaldate, savedate;
    uint8_t sysflags;
    int8_t zone;
};

/* A whole bucket in memory, for a change: slot[bit] is valid where the presence bit is set. */
struct hot_bucket {
    uint8_t n, unseen;
    uint64_t max_modseq;
    uint64_t present[2];
    struct hot_slot slot[BUCKET_UIDS];
};

/* A bucket in place, for reading: borrows the value. */
struct hot_row {
    const unsigned char *slots;
    uint8_t n, unseen;
    uint64_t max_modseq;
    uint64_t present[2];
};
MUST_CHECK enum err hot_open(struct slice value, struct hot_row *ret);
bool hot_has(const struct hot_row *row, unsigned bit);
/* The slot of a present bit. */
void hot_read(const struct hot_row *row, unsigned bit, struct hot_slot *ret);
MUST_CHECK enum err hot_decode(struct slice value, struct hot_bucket *ret);
struct slice hot_encode(const struct hot_bucket *bucket, unsigned char *to /* ROW_MAX */);
static inline bool hot_bucket_has(const struct hot_bucket *b, unsigned bit)
{
    return b->present[bit >> 6] >> (bit & 63) & 1;
}

enum { MSG_8BIT = 1, MSG_UTF8 = 2, MSG_PARSE_FAILED = 4, MSG_HAS_UIDL = 8, MSG_HAS_NUL = 16 };
struct row_msg {
    uint8_t flags;
    uint32_t size, hdr_len, lines, arrival, nparts, internaldate;
    uint64_t blob, thread, create_modseq, conn;
    unsigned char emailid[16];
    int64_t date;
    struct slice rcpt;
};

enum cache_tag {
    CACHE_ENVELOPE = 1, /* with the next three: core/mime/envelope.h, parts.h */
    CACHE_BODYSTRUCTURE,
    CACHE_CUTS,
    CACHE_PARTS,
    CACHE_PREVIEW,
    CACHE_SORT, /* core/mime/sort.h */
    CACHE_THREAD,
    CACHE_HEADER,
    CACHE_TAGS
};
#define CACHE_UNFIT UINT32_MAX /* the length of a tag that did not fit */
/* Append one tag (ascending) to a row under construction; `used` starts at 0. False: no room. */
bool cache_add(unsigned char *row /* ROW_MAX */, size_t *used, uint16_t parser, uint16_t tag,
               struct slice octets);
/* Every tag at its own number, by one walk; `ptr` NULL: not in the row, or unfit. */
MUST_CHECK enum err cache_open(struct slice row, uint16_t *ret_parser,
                               struct slice ret[CACHE_TAGS]);
/* ERR_NOTFOUND: not in the row, or unfit. */
MUST_CHECK enum err cache_find(struct slice row, enum cache_tag tag, struct slice *ret);
MUST_CHECK enum err cache_check(struct slice row, uint16_t *ret_parser);

struct row_mid {
    uint32_t time;
    uint64_t thread;
};

/* A tombstone: n ranges, at most TOMB_RANGES_MAX. */
struct row_tomb {
    uint32_t time;
    uint32_t n;
    const unsigned char *ranges;
};
void tomb_range(const struct row_tomb *row, uint32_t i, uint32_t *first, uint32_t *last);

enum gone_why {
    GONE_EXPUNGED,
    GONE_POP3,
    GONE_EXPIRED,
    GONE_MAILBOX,
    GONE_REPLACED,
    GONE_MOVED,
    GONE_WHY_MASK = 0x3f,
    GONE_NO_REF = 0x40,
    GONE_IS_TRANSIENT = 0x80
};
enum gone_kind { GONE_MESSAGE, GONE_MBOX };
struct row_gone {
    uint8_t kind, why, sysflags;
    int8_t zone;
    uint32_t size, internaldate, savedate, to_m, to_u;
    uint64_t keywords, expunge_modseq, conn;
    struct slice path; /* kind mailbox */
};

enum { POP_DOWNLOADED = 1, POP_HIDDEN = 2 };
struct row_pop {
    uint8_t bits;
    uint32_t time;
};
struct row_uidl {
    uint32_t order;
    struct slice text;
};

/* --- journal ---------------------------------------------------------------------------------- */

enum log_what {
    LOG_ARRIVED = 1,
    LOG_COPIED,
    LOG_MOVED,
    LOG_EXPUNGED,
    LOG_RESTORED,
    LOG_EXPIRED,
    LOG_FLAGS,
    LOG_DOWNLOADED,
    LOG_MBOX_CREATED,
    LOG_MBOX_DELETED,
    LOG_MBOX_RENAMED,
    LOG_HIDDEN /* from POP3, for good */
};
enum { LOG_KEYWORDS = 0x20 };                       /* in the place of a system flag: keywords */
enum { EXPIRY_AUTOEXPUNGE, EXPIRY_POP3, EXPIRIES }; /* detail of LOG_EXPIRED */
struct row_log {
    uint8_t proto, what;
    uint32_t time, m, other_m, count, nranges;
    uint32_t detail; /* LOG_FLAGS: system flags added, those removed << 8; LOG_EXPIRED */
    uint64_t conn;
    /* decode: read with log_range. With other_m the first range is where the messages are now, and
     * the others, in step with it, where they were. */
    const unsigned char *ranges;
};
void log_range(const struct row_log *row, uint32_t i, uint32_t *first, uint32_t *last);
struct row_log_conn {
    uint8_t proto;
    uint32_t time;
    unsigned char address[16];
    struct slice client;
};

/* --- bodies ----------------------------------------------------------------------------------- */

struct row_blob {
    uint8_t codec;
    uint32_t refs;
    uint64_t size, stored;
    unsigned char hash[16];
};
struct row_bown {
    uint8_t codec;
    uint32_t a;
    uint64_t size, arrival;
    unsigned char hash[16];
};
struct row_stage {
    uint32_t time, a;
};
struct row_reap {
    uint32_t time;
};

/* --- catalog ---------------------------------------------------------------------------------- */

enum { USER_CREDS_MAX = 64, ALIAS_TARGETS_MAX = 256 };
struct row_cred {
    uint32_t id;
    uint8_t flags, protocols;
    uint64_t created;
    struct slice name, verifier;
};
struct row_user {
    uint8_t state; /* 0 live, 1 disabled */
    uint16_t shard;
    uint32_t a, flags;
    uint64_t nonce;
    uint16_t ncred;
    struct row_cred cred[USER_CREDS_MAX];
};
struct row_cacct {
    uint16_t shard;
    struct slice login;
};
struct row_alias {
    uint8_t flags;
    uint16_t n;
    uint32_t target[ALIAS_TARGETS_MAX];
};
struct row_dom {
    uint16_t flags;
};

/* --- encode and decode, one pair a row -------------------------------------------------------- */

#define ROWS(X)                                                                                    \
    X(format)                                                                                      \
    X(state)                                                                                       \
    X(catalog_state)                                                                               \
    X(acct)                                                                                        \
    X(mbox)                                                                                        \
    X(name)                                                                                        \
    X(kw)                                                                                          \
    X(msg)                                                                                         \
    X(mid)                                                                                         \
    X(gone)                                                                                        \
    X(pop) X(uidl) X(log_conn) X(blob) X(bown) X(stage) X(reap) X(user) X(cacct) X(alias) X(dom)

#define X(row)                                                                                     \
    struct slice row_##row##_encode(const struct row_##row *from, unsigned char *to);              \
    MUST_CHECK enum err row_##row##_decode(struct slice value, struct row_##row *ret);
ROWS(X)
#undef X

/* `ranges`: n pairs of first, last in memory. */
struct uidrange;
struct slice row_tomb_encode(uint32_t time, const struct uidrange *ranges, uint32_t n,
                             unsigned char *to);
MUST_CHECK enum err row_tomb_decode(struct slice value, struct row_tomb *ret);
struct slice row_log_encode(const struct row_log *from, const struct uidrange *ranges, uint32_t n,
                            unsigned char *to);
MUST_CHECK enum err row_log_decode(struct slice value, struct row_log *ret);
/* Rows that are only a value behind `ver`: subs (empty), opt, anno, acl. */
struct slice row_value_encode(struct slice octets, unsigned char *to);
MUST_CHECK enum err row_value_decode(struct slice value, struct slice *ret);

#endif
