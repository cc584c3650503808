/* A command whose end is known -> typed arguments: RFC 3501 section 9, by a grammar string a row.
 *
 *      "mailbox ?flags ?date stream"    one SP before each word; `?` may be missing
 *
 *      astring   any text                       mailbox   the same, out of modified UTF-7
 *      pattern   list-mailbox                   set       sequence set
 *      flags     "(" flag list ")"              store     FLAGS, +FLAGS.SILENT ... and the flags
 *      date      date-time in quotes            status    "(" status items ")"
 *      id        NIL or "(" string pairs ")"    fetch     fetch items
 *      atoms     one or more, with one SP between
 *      atom      as it says                     initial   base64, or "=" (RFC 4959)
 *      search    search options and keys
 *      select    "(" selection options of LIST ")"
 *      patterns  list-mailbox, or "(" some ")"
 *      return    "RETURN (" return options of LIST ")"
 *      stream    announcement of a literal that the command itself will read; the last word
 *
 * Slices point into the command, or into the arena where something had to be unquoted. There is no
 * I/O, no recursion, and every loop consumes an octet or ends.
 *
 * A command may also be offered up to the announcement of a literal whose octets have not come:
 * then PARSE_MORE says that nothing is wrong so far, PARSE_BAD that no `+` is due, and PARSE_DONE
 * that the announcement is the `stream` of the grammar. */
#ifndef TANDEM_IMAP_PARSE_H
#define TANDEM_IMAP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/attr.h"
#include "core/base/err.h"
#include "core/base/slice.h"
#include "store/store.h"

struct fetch_items;
struct search_args;

enum parse { PARSE_DONE, PARSE_MORE, PARSE_BAD };

/* 0 is "*". Not sorted, may overlap, `first` may be the larger. */
struct seqrange {
    uint32_t first, last;
};
struct seqset {
    struct seqrange *ranges;
    size_t n;
};

struct flag_list {
    uint8_t sysflags; /* FLAG_SEEN ... */
    struct slice *keywords;
    size_t n;
};

enum {
    STATUS_MESSAGES = 1,
    STATUS_RECENT = 2,
    STATUS_UIDNEXT = 4,
    STATUS_UIDVALIDITY = 8,
    STATUS_UNSEEN = 16,
    STATUS_SIZE = 32,       /* RFC 8438 */
    STATUS_APPENDLIMIT = 64 /* RFC 7889 */
};

struct arg {
    bool given; /* false: it was optional and is not there */
    union {
        struct slice text;      /* astring, mailbox, pattern, atom, atoms, initial */
        struct seqset set;      /* set */
        struct flag_list flags; /* flags */
        struct {                /* store */
            struct flag_list flags;
            enum flag_mode mode;
            bool silent;
        } store;
        struct { /* date: seconds since 1970, 0 for what is before; in 15 minutes */
            uint32_t time;
            int8_t zone;
        } date;
        unsigned status;  /* status: STATUS_... */
        unsigned options; /* select: LIST_... of imap/list_parse.h */
        struct {          /* patterns */
            struct slice *items;
            size_t n;
            bool several; /* in parentheses */
        } patterns;
        struct { /* return: LIST_..., STATUS_... */
            unsigned options, status;
        } returns;
        struct { /* id: key, value, key, value; a NIL value has no ptr */
            struct slice *items;
            size_t n;
        } id;
        struct { /* stream */
            uint32_t octets;
            bool nonsync;
        } stream;
        struct fetch_items *fetch;  /* fetch */
        struct search_args *search; /* search */
    };
};

enum { ARGS_MAX = 4 };

struct parser {
    struct slice in; /* to its last CRLF */
    size_t pos;
    struct arena *arena;
    enum err refuse; /* well-formed, but can never be done: ERR_CANNOT, ERR_LIMIT */
};

/* tag SP verb. The verb of `UID FETCH` is both words. On PARSE_BAD a tag that was good is in
 * *ret_tag all the same, else it is empty. */
MUST_CHECK enum parse parse_start(struct parser *p, struct slice *ret_tag, struct slice *ret_verb);
/* All the rest of the command. PARSE_DONE with p->refuse set: the grammar holds, the values do not.
 */
MUST_CHECK enum parse parse_args(struct parser *p, const char *grammar, struct arg args[ARGS_MAX]);

/* --- for the words that live in other files --------------------------------------------------- */
bool parse_peek(const struct parser *p, char c);
MUST_CHECK enum parse parse_char(struct parser *p, char c);
MUST_CHECK enum parse parse_astring(struct parser *p, struct slice *ret);
/* list-mailbox: an astring that may hold wildcards. */
MUST_CHECK enum parse parse_pattern(struct parser *p, struct slice *ret);
/* "(" status items ")": STATUS_... */
MUST_CHECK enum parse parse_status(struct parser *p, unsigned *ret);
/* A sequence set. */
MUST_CHECK enum parse parse_set(struct parser *p, struct seqset *ret);
/* An atom; empty: there is none. */
struct slice parse_atom(struct parser *p);
MUST_CHECK enum parse parse_number(struct parser *p, uint32_t min, uint32_t *ret);
/* The longest run of letters, digits and `.`, `+`, `-`, which may be empty. */
struct slice parse_name(struct parser *p);
/* Room in the command's arena; NULL: over its limit, which is noted in p->refuse. */
MUST_CHECK void *parse_room(struct parser *p, size_t octets);

#endif
