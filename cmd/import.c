/* tandem user import: an account of each line NAME:PASSWORD or NAME:{SCHEME}VERIFIER. Lines are
 * taken in chunks: the passwords of a chunk are hashed by several threads, then all its accounts
 * are handed to the store at once, so that it commits them together. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auth/auth.h"
#include "cmd/setup.h"
#include "cmd/user.h"
#include "core/base/mem.h"

enum { CHUNK = 1024, LINE_MAX_OCTETS = 4096, THREADS_MAX = 64, COMPLAINTS_MAX = 200 };

struct entry {
    unsigned line;
    struct slice login, password, verifier;
    const char *why; /* it could not be hashed */
    struct store_wait *wait;
};

struct import {
    struct verb_call *call;
    const char *scheme;
    struct arena arena; /* of this chunk */
    struct entry entries[CHUNK];
    size_t n;
    atomic_size_t next; /* to be hashed */
    unsigned line, made, failed;
};

static void complain(struct import *im, unsigned line, struct slice name, const char *why)
{
    if (im->failed++ >= COMPLAINTS_MAX)
        return;
    if (name.len)
        verb_complain(im->call, "line %u: " SLICE_FMT ": %s", line, SLICE_ARG(name), why);
    else
        verb_complain(im->call, "line %u: %s", line, why);
}

/* --- hashing ---------------------------------------------------------------------------------- */

static void *hash_some(void *arg)
{
    struct import *im = arg;
    struct arena arena;
    for (;;) {
        size_t i = atomic_fetch_add(&im->next, 1);
        if (i >= im->n)
            return NULL;
        struct entry *entry = &im->entries[i];
        if (entry->verifier.len)
            continue;
        struct slice made;
        arena_init(&arena, LINE_MAX_OCTETS);
        enum err e = auth_verifier_make(im->scheme, entry->password, &arena, &made);
        if (e)
            entry->why = user_password_error(e);
        else
            entry->verifier = slice(mem_dup(made.ptr, made.len), made.len);
        arena_wipe(&arena);
    }
}

static void hash_all(struct import *im)
{
    pthread_t threads[THREADS_MAX];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t want = cores > THREADS_MAX ? THREADS_MAX : cores < 1 ? 1 : (size_t)cores, n = 0;
    atomic_store(&im->next, 0);
    while (n + 1 < want && n + 1 < im->n && !pthread_create(&threads[n], NULL, hash_some, im))
        n++;
    hash_some(im);
    while (n)
        pthread_join(threads[--n], NULL);
}

/* --- a chunk ---------------------------------------------------------------------------------- */

static const char *refusal(enum err e, const struct store_result *result)
{
    return e == ERR_EXISTS       ? "the account exists already"
           : e == ERR_NOTFOUND   ? "its domain is not here; 'tandem domain add' first"
           : result->why.text[0] ? result->why.text
                                 : err_text(e);
}

static void flush(struct import *im)
{
    hash_all(im);
    for (size_t i = 0; i < im->n; i++) {
        struct entry *entry = &im->entries[i];
        if (entry->why)
            continue;
        entry->wait = store_wait_new();
        store_user_create(im->call->store, entry->login, entry->verifier,
                          user_uidl_format(im->call, entry->login), store_wait_to(entry->wait));
    }
    for (size_t i = 0; i < im->n; i++) {
        struct entry *entry = &im->entries[i];
        struct store_result result = {0};
        enum err e = entry->wait ? store_wait(entry->wait, &result) : ERR_OK;
        if (entry->why)
            complain(im, entry->line, entry->login, entry->why);
        else if (e)
            complain(im, entry->line, entry->login, refusal(e, &result));
        else
            im->made++;
        store_result_finish(&result);
        if (entry->password.len) /* then the verifier is of hash_some */
            mem_free((char *)entry->verifier.ptr);
    }
    arena_wipe(&im->arena);
    im->n = 0;
}

/* --- lines ------------------------------------------------------------------------------------ */

static bool is_number(struct slice s)
{
    uint64_t n;
    return s.len == 0 || slice_u64(s, UINT32_MAX, &n);
}

/* What stands before the next colon; *rest is what comes behind it. */
static struct slice next_field(struct slice *rest)
{
    struct slice first = slice_first(*rest, slice_find(*rest, ':'));
    *rest = slice_from(*rest, first.len < rest->len ? first.len + 1 : first.len);
    return first;
}

/* passwd(5), as Dovecot writes it too: PASSWORD:UID:GID:[GECOS]:HOME[:SHELL[:EXTRA]]. Of that only
 * the password is ours. A password may hold colons: it is no such line without the two numbers and
 * two fields more. */
static struct slice password_field(struct slice rest)
{
    struct slice tail = rest, first = next_field(&tail);
    struct slice uid = next_field(&tail), gid = next_field(&tail), gecos = next_field(&tail);
    bool whole = gecos.ptr + gecos.len < rest.ptr + rest.len;
    return whole && is_number(uid) && is_number(gid) ? first : rest;
}

/* "$6$salt$..." without a scheme is of crypt(3), as it is to Dovecot. */
static bool is_bare_crypt(struct slice s)
{
    size_t id = slice_starts(s, SLICE("$")) ? slice_find(slice_from(s, 1), '$') : 0;
    return id >= 1 && id <= 3 && id + 2 < s.len;
}

static struct slice with_scheme(struct import *im, struct slice data)
{
    static const char prefix[] = "{CRYPT}";
    size_t n = sizeof prefix - 1;
    char *text = arena_new(&im->arena, n + data.len);
    memcpy(text, prefix, n);
    memcpy(text + n, data.ptr, data.len);
    return slice(text, n + data.len);
}

static void take_line(struct import *im, struct slice line)
{
    struct auth_name name;
    size_t colon = slice_find(line, ':');
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    if (line.len == 0 || line.ptr[0] == '#')
        return;
    if (colon >= line.len) {
        complain(im, im->line, SLICE_NONE, "write NAME:PASSWORD or NAME:{SCHEME}VERIFIER");
        return;
    }
    struct slice typed = slice_first(line, colon), rest = slice_from(line, colon + 1);
    if (auth_address_parse(typed, slice_str(im->call->config->tandem.default_domain), AUTH_DETAIL,
                           &im->arena, &name) ||
        name.detail.len) {
        complain(im, im->line, typed, "not a name for an account");
        return;
    }
    struct entry *entry = &im->entries[im->n];
    *entry = (struct entry){.line = im->line, .login = name.login};
    rest = password_field(rest);
    if (is_bare_crypt(rest))
        rest = with_scheme(im, slice_first(rest, slice_find(rest, ':')));
    if (!slice_starts(rest, SLICE("{"))) {
        entry->password = arena_dup(&im->arena, rest);
    } else if (!auth_verifier_known(rest)) {
        complain(im, im->line, typed,
                 "unknown scheme; a password that begins with { is written {PLAIN}PASSWORD");
        return;
    } else if (!auth_verifier_plain(rest, &im->arena, &entry->password)) {
        /* A plain one is hashed as well: as a verifier it would serve CRAM-MD5 and APOP alone
         * (CONTRACTS section 3). */
        entry->verifier = arena_dup(&im->arena, slice_first(rest, slice_find(rest, ':')));
    }
    if (++im->n == CHUNK)
        flush(im);
}

static int read_lines(struct import *im)
{
    char text[2 * LINE_MAX_OCTETS];
    size_t len = 0;
    for (;;) {
        ssize_t n = im->call->io->read(im->call->io, text + len, sizeof text - len);
        if (n < 0)
            return verb_complain(im->call, "the input broke off");
        len += (size_t)n;
        size_t at = 0, end;
        while ((end = at + slice_find(slice(text + at, len - at), '\n')) < len) {
            im->line++;
            take_line(im, slice(text + at, end - at));
            at = end + 1;
        }
        if (n == 0 && at < len) { /* the last line may lack its end */
            im->line++;
            take_line(im, slice(text + at, len - at));
        }
        if (n == 0)
            break;
        if (at == 0 && len == sizeof text)
            return verb_complain(im->call, "line %u is too long", im->line + 1);
        memmove(text, text + at, len - at);
        len -= at;
    }
    explicit_bzero(text, sizeof text);
    return EXIT_DONE;
}

int verb_user_import(struct verb_call *call)
{
    struct import *im = mem_new(sizeof *im);
    im->call = call;
    im->scheme = user_scheme(call);
    if (!im->scheme || !verb_arguments(call, 0, 1)) {
        mem_free(im);
        return EXIT_USAGE;
    }
    arena_init(&im->arena, CHUNK * 3 * LINE_MAX_OCTETS);
    int status = read_lines(im);
    flush(im);
    if (im->failed > COMPLAINTS_MAX)
        verb_complain(call, "and %u more", im->failed - COMPLAINTS_MAX);
    verb_say(call, "%u accounts made, %u failed", im->made, im->failed);
    if (status == EXIT_DONE && im->failed)
        status = im->made ? EXIT_PARTLY : EXIT_FAILED;
    mem_free(im);
    return status;
}
