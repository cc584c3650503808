/* Verifiers of passwords: "{SCHEME}data". Every scheme is one row; what a row cannot read does not
 * match. The work is done on a worker or in a tool: yescrypt takes 59 ms, argon2id 400 ms. */
#include "auth/hash.h"

#include <argon2.h>
#include <crypt.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gsasl.h>
#include <stdlib.h>

#include "auth/auth.h"
#include "core/base/base64.h"
#include "core/base/hex.h"
#include "core/base/mem.h"
#include "core/base/random.h"

enum {
    DIGEST_MAX = 64,
    DATA_MAX = 1024,    /* octets of a verifier behind its scheme, decoded or not */
    PASSWORD_MAX = 512, /* of crypt(3), and nobody types more */
    ROUNDS_MAX =
        10000000 /* more is a mistake in the catalog that would hold a worker for minutes */
};

enum encoding { ENC_NONE, ENC_BASE64, ENC_HEX };

struct scheme {
    const char *name;
    bool (*check)(const struct scheme *scheme, struct slice data, struct slice password);
    int algorithm; /* gnutls_mac_algorithm_t; its digest has the same number; or argon2_type */
    enum encoding encoding;
    bool salted;
};

static bool equal(struct slice a, struct slice b)
{
    return a.len == b.len && gnutls_memcmp(a.ptr, b.ptr, a.len) == 0;
}

/* A NUL-terminated copy that text_wipe overwrites; NULL when there is a NUL inside. */
static char *text_new(struct slice s)
{
    if (s.len > DATA_MAX || slice_find(s, '\0') < s.len)
        return NULL;
    char *text = mem_new(s.len + 1);
    if (s.len)
        memcpy(text, s.ptr, s.len);
    return text;
}

static void text_wipe(char *text)
{
    if (text)
        mem_wipe(text, strlen(text));
    mem_free(text);
}

/* --- one function per family ------------------------------------------------------------------ */

static bool check_plain(const struct scheme *scheme, struct slice data, struct slice password)
{
    (void)scheme;
    return equal(data, password);
}

/* The whole result of crypt(3) in the arena; empty when it fails. */
static bool crypt_with(const char *setting, struct slice password,
                       char ret_result[static CRYPT_OUTPUT_SIZE])
{
    char *text = text_new(password);
    if (!text)
        return false;
    struct crypt_data *work = mem_new(sizeof *work); /* 32 KiB: not on a worker's stack */
    const char *result = crypt_r(text, setting, work);
    bool good = result && result[0] != '*'; /* "*0": crypt(3) tells a failure */
    if (good)
        strcpy(ret_result, result); /* both are of CRYPT_OUTPUT_SIZE */
    mem_wipe(work, sizeof *work);
    mem_free(work);
    text_wipe(text);
    return good;
}

static bool check_crypt(const struct scheme *scheme, struct slice data, struct slice password)
{
    (void)scheme;
    char *setting = text_new(data);
    char result[CRYPT_OUTPUT_SIZE];
    bool good = setting && setting[0] && crypt_with(setting, password, result) &&
                equal(slice_str(result), data);
    mem_wipe(result, sizeof result);
    text_wipe(setting);
    return good;
}

static bool check_argon2(const struct scheme *scheme, struct slice data, struct slice password)
{
    char *encoded = text_new(data);
    bool good = encoded && argon2_verify(encoded, password.ptr ? password.ptr : "", password.len,
                                         (argon2_type)scheme->algorithm) == ARGON2_OK;
    text_wipe(encoded);
    return good;
}

static bool digest(int algorithm, struct slice a, struct slice b, unsigned char *ret)
{
    gnutls_hash_hd_t h;
    if (gnutls_hash_init(&h, (gnutls_digest_algorithm_t)algorithm) < 0)
        return false;
    bool good = gnutls_hash(h, a.ptr, a.len) >= 0 && gnutls_hash(h, b.ptr, b.len) >= 0;
    gnutls_hash_deinit(h, ret);
    return good;
}

/* digest(password salt), then the salt. */
static bool check_digest(const struct scheme *scheme, struct slice data, struct slice password)
{
    size_t n = gnutls_hash_get_len((gnutls_digest_algorithm_t)scheme->algorithm);
    if (scheme->salted ? data.len <= n : data.len != n)
        return false;
    unsigned char sum[DIGEST_MAX];
    bool good = digest(scheme->algorithm, password, slice_from(data, n), sum) &&
                equal(slice(sum, n), slice_first(data, n));
    mem_wipe(sum, sizeof sum);
    return good;
}

static bool pbkdf2(int algorithm, struct slice password, struct slice salt, uint64_t rounds,
                   unsigned char *ret, size_t len)
{
    gnutls_datum_t key = {(unsigned char *)password.ptr, (unsigned)password.len};
    gnutls_datum_t salted = {(unsigned char *)salt.ptr, (unsigned)salt.len};
    return gnutls_pbkdf2((gnutls_mac_algorithm_t)algorithm, &key, &salted, (unsigned)rounds, ret,
                         len) >= 0;
}

/* The next field up to `separator`; false when there is none. */
static bool field(struct slice *rest, char separator, struct slice *ret)
{
    size_t n = slice_find(*rest, separator);
    if (n == rest->len)
        return false;
    *ret = slice_first(*rest, n);
    *rest = slice_from(*rest, n + 1);
    return true;
}

/* "$1$salt$rounds$" and 20 octets in hexadecimal, HMAC-SHA-1 */
static bool check_pbkdf2(const struct scheme *scheme, struct slice data, struct slice password)
{
    enum { LEN = 20 };
    struct slice salt, count;
    uint64_t rounds;
    unsigned char want[LEN], got[LEN];
    if (!slice_starts(data, SLICE("$1$")))
        return false;
    data = slice_from(data, 3);
    if (!field(&data, '$', &salt) || !field(&data, '$', &count) ||
        !slice_u64(count, ROUNDS_MAX, &rounds) || rounds == 0)
        return false;
    bool good = data.len == sizeof want * 2 && hex_decode(data, want) &&
                pbkdf2(scheme->algorithm, password, salt, rounds, got, LEN) &&
                equal(slice(got, LEN), slice(want, LEN));
    mem_wipe(got, sizeof got);
    return good;
}

/* --- SCRAM ------------------------------------------------------------------------------------ */

struct scram_derived {
    int algorithm;
    size_t len;
    unsigned char stored_key[DIGEST_MAX], server_key[DIGEST_MAX];
};

/* RFC 5802 section 3: the keys that a server stores. */
static bool scram_derive(struct scram_derived *scram, struct slice password, struct slice salt,
                         uint64_t rounds)
{
    unsigned char salted[DIGEST_MAX], client_key[DIGEST_MAX];
    gnutls_mac_algorithm_t mac = (gnutls_mac_algorithm_t)scram->algorithm;
    bool good =
        pbkdf2(scram->algorithm, password, salt, rounds, salted, scram->len) &&
        gnutls_hmac_fast(mac, salted, scram->len, "Client Key", 10, client_key) >= 0 &&
        gnutls_hmac_fast(mac, salted, scram->len, "Server Key", 10, scram->server_key) >= 0 &&
        digest(scram->algorithm, slice(client_key, scram->len), SLICE_NONE, scram->stored_key);
    mem_wipe(salted, sizeof salted);
    mem_wipe(client_key, sizeof client_key);
    return good;
}

/* RFC 5802 section 2.2: clients run the password through SASLprep (RFC 4013). NULL when it cannot
 * be prepared or has a NUL inside: then it is taken as it is. */
static char *prepared(struct slice password)
{
    char *text = text_new(password), *out = NULL;
    if (!text || gsasl_saslprep(text, GSASL_ALLOW_UNASSIGNED, &out, NULL) != GSASL_OK)
        out = NULL;
    text_wipe(text);
    return out;
}

/* "rounds,salt,StoredKey,ServerKey", base64 but the rounds (RFC 5803's fields, Dovecot's order) */
struct scram_fields {
    struct slice rounds, salt64, stored64, server64;
    uint64_t n;
    size_t salt_len, stored_len;
    char salt[DATA_MAX], stored[DATA_MAX];
};

static bool scram_fields(struct slice data, struct scram_fields *f)
{
    if (data.len > DATA_MAX || !field(&data, ',', &f->rounds) || !field(&data, ',', &f->salt64) ||
        !field(&data, ',', &f->stored64))
        return false;
    f->server64 = data;
    return slice_u64(f->rounds, ROUNDS_MAX, &f->n) && f->n &&
           !base64_decode(f->salt64, f->salt, &f->salt_len) &&
           !base64_decode(f->stored64, f->stored, &f->stored_len);
}

static bool check_scram(const struct scheme *scheme, struct slice data, struct slice password)
{
    struct scram_derived scram = {
        .algorithm = scheme->algorithm,
        .len = gnutls_hmac_get_len((gnutls_mac_algorithm_t)scheme->algorithm)};
    struct scram_fields f;
    if (!scram_fields(data, &f))
        return false;
    char *text = prepared(password);
    struct slice first = text ? slice_str(text) : password;
    struct slice salt = slice(f.salt, f.salt_len), stored = slice(f.stored, f.stored_len);
    bool good =
        scram_derive(&scram, first, salt, f.n) && equal(slice(scram.stored_key, scram.len), stored);
    if (!good && !slice_eq(first, password)) /* imported: keys of the password as it was typed */
        good = scram_derive(&scram, password, salt, f.n) &&
               equal(slice(scram.stored_key, scram.len), stored);
    text_wipe(text);
    mem_wipe(&scram, sizeof scram);
    return good;
}

/* --- checking --------------------------------------------------------------------------------- */

static const struct scheme schemes[] = {
    {"ARGON2I",       check_argon2, Argon2_i,          ENC_NONE,   false},
    {"ARGON2ID",      check_argon2, Argon2_id,         ENC_NONE,   false},
    {"BLF-CRYPT",     check_crypt,  0,                 ENC_NONE,   false},
    {"CLEAR",         check_plain,  0,                 ENC_NONE,   false},
    {"CLEARTEXT",     check_plain,  0,                 ENC_NONE,   false},
    {"CRYPT",         check_crypt,  0,                 ENC_NONE,   false},
    {"DES-CRYPT",     check_crypt,  0,                 ENC_NONE,   false},
    {"LDAP-MD5",      check_digest, GNUTLS_MAC_MD5,    ENC_BASE64, false},
    {"MD5",           check_crypt,  0,                 ENC_NONE,   false},
    {"MD5-CRYPT",     check_crypt,  0,                 ENC_NONE,   false},
    {"PBKDF2",        check_pbkdf2, GNUTLS_MAC_SHA1,   ENC_NONE,   false},
    {"PLAIN",         check_plain,  0,                 ENC_NONE,   false},
    {"PLAIN-MD5",     check_digest, GNUTLS_MAC_MD5,    ENC_HEX,    false},
    {"SCRAM-SHA-1",   check_scram,  GNUTLS_MAC_SHA1,   ENC_NONE,   false},
    {"SCRAM-SHA-256", check_scram,  GNUTLS_MAC_SHA256, ENC_NONE,   false},
    {"SHA",           check_digest, GNUTLS_MAC_SHA1,   ENC_BASE64, false},
    {"SHA1",          check_digest, GNUTLS_MAC_SHA1,   ENC_BASE64, false},
    {"SHA256",        check_digest, GNUTLS_MAC_SHA256, ENC_BASE64, false},
    {"SHA256-CRYPT",  check_crypt,  0,                 ENC_NONE,   false},
    {"SHA512",        check_digest, GNUTLS_MAC_SHA512, ENC_BASE64, false},
    {"SHA512-CRYPT",  check_crypt,  0,                 ENC_NONE,   false},
    {"SMD5",          check_digest, GNUTLS_MAC_MD5,    ENC_BASE64, true },
    {"SSHA",          check_digest, GNUTLS_MAC_SHA1,   ENC_BASE64, true },
    {"SSHA256",       check_digest, GNUTLS_MAC_SHA256, ENC_BASE64, true },
    {"SSHA512",       check_digest, GNUTLS_MAC_SHA512, ENC_BASE64, true },
};

/* "{SSHA.HEX}...": the row, how the data are written, and the data. */
static const struct scheme *split(struct slice verifier, enum encoding *ret_encoding,
                                  struct slice *ret_data)
{
    struct slice name;
    if (!slice_starts(verifier, SLICE("{")))
        return NULL;
    verifier = slice_from(verifier, 1);
    if (!field(&verifier, '}', &name))
        return NULL;
    size_t dot = slice_find(name, '.');
    struct slice suffix = slice_from(name, dot);
    name = slice_first(name, dot);
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        const struct scheme *scheme = &schemes[i];
        if (!slice_ieq(name, slice_str(scheme->name)))
            continue;
        if (suffix.len == 0)
            *ret_encoding = scheme->encoding;
        else if (slice_ieq(suffix, SLICE(".HEX")))
            *ret_encoding = ENC_HEX;
        else if (slice_ieq(suffix, SLICE(".B64")) || slice_ieq(suffix, SLICE(".BASE64")))
            *ret_encoding = ENC_BASE64;
        else
            return NULL;
        *ret_data = verifier;
        return scheme;
    }
    return NULL;
}

bool auth_verifier_known(struct slice verifier)
{
    enum encoding encoding;
    struct slice data;
    return split(verifier, &encoding, &data) != NULL;
}

bool auth_verifier_plain(struct slice verifier, struct arena *arena, struct slice *ret)
{
    enum encoding encoding;
    struct slice data;
    const struct scheme *scheme = split(verifier, &encoding, &data);
    if (!scheme || scheme->check != check_plain || data.len > DATA_MAX)
        return false;
    if (!ret)
        return true;
    char *text = arena_new(arena, data.len + 1);
    size_t len = encoding == ENC_HEX ? data.len / 2 : data.len;
    if (encoding == ENC_NONE)
        memcpy(text, data.ptr, data.len);
    else if (encoding == ENC_HEX ? !hex_decode(data, text) : base64_decode(data, text, &len))
        return false;
    *ret = slice(text, len);
    return true;
}

bool scram_keys_read(struct slice verifier, struct slice scheme, struct arena *arena,
                     struct scram_keys *ret)
{
    enum encoding encoding;
    struct slice data;
    struct scram_fields f;
    char server[DATA_MAX];
    size_t server_len;
    const struct scheme *found = split(verifier, &encoding, &data);
    if (!found || found->check != check_scram || encoding != ENC_NONE ||
        !slice_ieq(slice_str(found->name), scheme) || !scram_fields(data, &f) || !f.salt_len ||
        base64_decode(f.server64, server, &server_len))
        return false;
    size_t want = gnutls_hmac_get_len((gnutls_mac_algorithm_t)found->algorithm);
    if (f.stored_len != want || server_len != want)
        return false;
    if (ret)
        *ret = (struct scram_keys){.rounds = arena_dup(arena, f.rounds).ptr,
                                   .salt = arena_dup(arena, f.salt64).ptr,
                                   .stored_key = arena_dup(arena, f.stored64).ptr,
                                   .server_key = arena_dup(arena, f.server64).ptr};
    return !ret || ret->server_key;
}

bool auth_verifier_check(struct slice verifier, struct slice password)
{
    enum encoding encoding;
    struct slice data;
    const struct scheme *scheme = split(verifier, &encoding, &data);
    if (!scheme || data.len > DATA_MAX)
        return false;
    /* A bare digest in hexadecimal cannot be taken for base64: it is half as long again. */
    if (scheme->check == check_digest && !scheme->salted && encoding == ENC_BASE64 &&
        data.len == 2 * gnutls_hash_get_len((gnutls_digest_algorithm_t)scheme->algorithm))
        encoding = ENC_HEX;

    char decoded[DATA_MAX];
    size_t len = data.len / 2;
    if (encoding == ENC_HEX && !hex_decode(data, decoded))
        return false;
    if (encoding == ENC_BASE64 && base64_decode(data, decoded, &len))
        return false;
    bool good = scheme->check(scheme, encoding == ENC_NONE ? data : slice(decoded, len), password);
    mem_wipe(decoded, sizeof decoded); /* {PLAIN.B64} */
    return good;
}

/* --- making ----------------------------------------------------------------------------------- */

struct maker {
    const char *word;
    enum err (*make)(const struct maker *maker, struct slice password, struct arena *arena,
                     struct slice *ret);
    const char *prefix;
    const char *crypt; /* crypt(3)'s own prefix */
    int algorithm;
    uint32_t cost; /* rounds, or 0 = the library's */
};

static enum err joined(struct arena *arena, const char *prefix, struct slice data,
                       struct slice *ret)
{
    size_t n = strlen(prefix);
    char *text = arena_new(arena, n + data.len + 1);
    memcpy(text, prefix, n);
    memcpy(text + n, data.ptr, data.len);
    *ret = slice(text, n + data.len);
    return ERR_OK;
}

static enum err make_crypt(const struct maker *maker, struct slice password, struct arena *arena,
                           struct slice *ret)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE], result[CRYPT_OUTPUT_SIZE];
    char salt[32];
    random_bytes(salt, sizeof salt);
    if (!crypt_gensalt_rn(maker->crypt, maker->cost, salt, sizeof salt, setting, sizeof setting) ||
        !crypt_with(setting, password, result))
        return ERR_DOWN;
    enum err e = joined(arena, maker->prefix, slice_str(result), ret);
    mem_wipe(result, sizeof result);
    return e;
}

static enum err make_argon2(const struct maker *maker, struct slice password, struct arena *arena,
                            struct slice *ret)
{
    enum { MEMORY_KIB = 65536, LANES = 1, LEN = 32 };
    char salt[16], encoded[160];
    random_bytes(salt, sizeof salt);
    if (argon2_hash(maker->cost, MEMORY_KIB, LANES, password.ptr, password.len, salt, sizeof salt,
                    NULL, LEN, encoded, sizeof encoded, Argon2_id, ARGON2_VERSION_13) != ARGON2_OK)
        return ERR_DOWN; /* 64 MiB were not to be had */
    enum err e = joined(arena, maker->prefix, slice_str(encoded), ret);
    mem_wipe(encoded, sizeof encoded);
    return e;
}

static enum err make_scram(const struct maker *maker, struct slice password, struct arena *arena,
                           struct slice *ret)
{
    struct scram_derived scram = {
        .algorithm = maker->algorithm,
        .len = gnutls_hmac_get_len((gnutls_mac_algorithm_t)maker->algorithm)};
    char salt[16], salt64[32], stored64[96], server64[96], text[256];
    random_bytes(salt, sizeof salt);
    char *prep = prepared(password);
    bool good = scram_derive(&scram, prep ? slice_str(prep) : password, slice(salt, sizeof salt),
                             maker->cost);
    text_wipe(prep);
    int n = snprintf(text, sizeof text, "%u,%.*s,%.*s,%.*s", maker->cost,
                     (int)base64_encode(slice(salt, sizeof salt), salt64), salt64,
                     (int)base64_encode(slice(scram.stored_key, scram.len), stored64), stored64,
                     (int)base64_encode(slice(scram.server_key, scram.len), server64), server64);
    mem_wipe(&scram, sizeof scram);
    return good ? joined(arena, maker->prefix, slice(text, (size_t)n), ret) : ERR_DOWN;
}

static enum err make_digest(const struct maker *maker, struct slice password, struct arena *arena,
                            struct slice *ret)
{
    enum { SALT = 8 };
    size_t n = gnutls_hash_get_len((gnutls_digest_algorithm_t)maker->algorithm);
    unsigned char sum[DIGEST_MAX + SALT];
    char text[128];
    random_bytes(sum + n, SALT);
    if (!digest(maker->algorithm, password, slice(sum + n, SALT), sum))
        return ERR_DOWN;
    return joined(arena, maker->prefix, slice(text, base64_encode(slice(sum, n + SALT), text)),
                  ret);
}

static const struct maker makers[] = {
    {"argon2id",      make_argon2, "{ARGON2ID}",      NULL,   0,                 3           },
    {"bcrypt",        make_crypt,  "{BLF-CRYPT}",     "$2y$", 0,                 10          },
    {"scram-sha-1",   make_scram,  "{SCRAM-SHA-1}",   NULL,   GNUTLS_MAC_SHA1,   SCRAM_ROUNDS},
    {"scram-sha-256", make_scram,  "{SCRAM-SHA-256}", NULL,   GNUTLS_MAC_SHA256, SCRAM_ROUNDS},
    {"sha512-crypt",  make_crypt,  "{SHA512-CRYPT}",  "$6$",  0,                 0           },
    {"ssha256",       make_digest, "{SSHA256}",       NULL,   GNUTLS_MAC_SHA256, 0           },
    {"ssha512",       make_digest, "{SSHA512}",       NULL,   GNUTLS_MAC_SHA512, 0           },
    {"yescrypt",      make_crypt,  "{CRYPT}",         "$y$",  0,                 0           },
};

const char *auth_scheme_word(enum auth_scheme scheme)
{
    static const char *const words[] = {[SCHEME_YESCRYPT] = "yescrypt",
                                        [SCHEME_ARGON2ID] = "argon2id",
                                        [SCHEME_SCRAM_SHA_256] = "scram-sha-256"};
    return words[scheme];
}

static const struct maker *maker_find(const char *scheme)
{
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++)
        if (slice_ieq(slice_str(scheme), slice_str(makers[i].word)))
            return &makers[i];
    return NULL;
}

bool auth_scheme_known(const char *scheme)
{
    return maker_find(scheme);
}

enum err auth_verifier_make(const char *scheme, struct slice password, struct arena *arena,
                            struct slice *ret)
{
    const struct maker *maker = maker_find(scheme);
    if (!maker)
        return ERR_NOTFOUND;
    if (password.len == 0 || slice_find(password, '\0') < password.len)
        return ERR_SYNTAX;
    if (password.len >= PASSWORD_MAX) /* crypt(3) counts its NUL */
        return ERR_TOOBIG;
    return maker->make(maker, password, arena, ret);
}
