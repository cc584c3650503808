/* A conversation as its file says it: read once, played several times (transcript.h). The format is
 * described in tests/README.md.
 *
 * Everything here is the test program's own: a mistake in a script ends the program with file and
 * line, and memory is given back when the script is freed. */
#ifndef TANDEM_TESTS_SCRIPT_H
#define TANDEM_TESTS_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/attr.h"
#include "core/base/slice.h"

enum { SCRIPT_CLIENTS = 8 };

enum wire_protocol { WIRE_IMAP, WIRE_POP3, WIRE_LMTP, WIRE_IMAPS, WIRE_POP3S, WIRE_PROTOCOLS };

enum entry_kind {
    ENTRY_SEND,     /* C: text      C~: without line end */
    ENTRY_EXPECT,   /* S: text      one response of the server */
    ENTRY_SKIP,     /* S: *...      any responses, until the next ENTRY_EXPECT matches */
    ENTRY_FORBID,   /* S! text      not in this reply */
    ENTRY_CONNECT,  /* connect imaps C2 */
    ENTRY_STARTTLS, /* starttls C2 */
    ENTRY_WAIT,     /* wait 50ms */
    ENTRY_CLOSE,    /* close C2 */
    ENTRY_EOF,      /* eof C2: the server closes */
};

struct entry {
    enum entry_kind kind;
    unsigned client; /* from 0 */
    unsigned line;
    bool no_eol;                 /* ENTRY_SEND */
    enum wire_protocol protocol; /* ENTRY_CONNECT */
    unsigned wait_ms;            /* ENTRY_WAIT */
    struct slice text;           /* as written, not yet expanded */
};

struct script_mail {
    const char *account, *mailbox, *file;
};

struct script_setting {
    const char *section, *key, *value;
};

struct script {
    struct arena arena;
    const char *path;
    enum wire_protocol protocol; /* of clients that do not `connect` */
    struct entry *entries;
    size_t nentries;
    const char **accounts;
    size_t naccounts;
    struct script_mail *mails;
    size_t nmails;
    struct script_setting *settings;
    size_t nsettings;
    bool not_pipelined, not_bytewise;
};

struct script *script_read(const char *path);
void script_free(struct script *script);

/* A text is expanded when it is used, because of $(names). Its pieces: */
enum piece_kind {
    PIECE_BYTES,
    PIECE_NAME, /* $(name) */
    PIECE_SYNC, /* {file}: here a client waits for "+" */
    PIECE_REST, /* final "*": whatever follows */
};

struct piece {
    enum piece_kind kind;
    struct slice bytes; /* or the name */
};

enum { SCRIPT_PIECES = 64 };

/* Pieces of an ENTRY_SEND or ENTRY_EXPECT (only these have a final "*"), in the script's arena.
 * `mail` is the directory of the files that {file} and <<file>> name. */
size_t script_expand(struct script *script, const struct entry *entry, const char *mail,
                     struct piece ret[SCRIPT_PIECES]);

/* A message file with its line ends made CRLF; in `arena`. Ends the program if there is none. */
struct slice script_mail_read(struct arena *arena, const char *dir, struct slice name);

/* Say where and what, and end the program. */
NO_RETURN void script_die(const char *path, unsigned line, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif
