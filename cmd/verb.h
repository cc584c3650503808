/* What `tandem` can do: one row a verb. A verb runs in the tool itself while the daemon is down,
 * and on a thread of the daemon, asked over the control socket, while it is up: so it speaks and
 * reads only through its call, and waits for the store (store_wait). */
#ifndef TANDEM_CMD_VERB_H
#define TANDEM_CMD_VERB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/arena.h"
#include "core/base/attr.h"
#include "core/base/config.h"
#include "core/base/slice.h"
#include "store/store.h"

struct json_t;
struct verb;

/* Where a verb's words go and its input comes from. What it emits are JSON objects (cmd/row.c makes
 * them, cmd/output.c prints them), the same ones whether they cross the control socket or not. */
struct verb_io {
    void (*emit)(struct verb_io *io, struct json_t *message);  /* takes it over */
    void (*data)(struct verb_io *io, struct slice octets);     /* to standard output, as they are */
    ssize_t (*read)(struct verb_io *io, char *to, size_t cap); /* 0: the end; -1: it broke off */
    bool (*gone)(struct verb_io *io);                          /* nobody listens any more */
};

struct verb_call {
    const struct config *config;
    struct store *store;         /* NULL: DOWN_ALONE, DOWN_LOOKS */
    struct store_reader *reader; /* of this thread */
    struct verb_io *io;
    const struct verb *verb;
    struct arena arena; /* reset by the caller */
    int argc;           /* arguments behind the name of the verb */
    const char **argv;
    const struct column *columns;          /* of verb_row's rows: set by verb_columns */
    uint64_t progress_ms;                  /* when verb_progress last spoke */
    int (*reload)(struct verb_call *call); /* the daemon's; NULL: there is none */
};

enum verb_input {
    VERB_NOTHING,
    VERB_PASSWORD, /* one line: asked for on the terminal, or from stdin with --password-stdin */
    VERB_FILE,     /* the last argument names it, "-" is stdin */
    VERB_MESSAGES, /* each further argument names one, run once for each; none: stdin */
    VERB_READER,   /* the last argument names files; what `reader` writes about them */
    VERB_WRITER    /* none; the last argument names files, made of its data by `writer` */
};

enum verb_down {
    DOWN_WRITES, /* while the daemon is down, the tool opens the store and changes it */
    DOWN_READS,  /* opens it read-only */
    DOWN_LOOKS,  /* the same if there is one; else store and reader are NULL */
    DOWN_ALONE,  /* works on the files of a store that nobody has open; a daemon must not run */
    DOWN_REFUSES /* is about what only a daemon knows */
};

struct verb_opt {
    const char *name;  /* "--scheme" */
    const char *value; /* "S"; NULL: a flag */
    const char *help;  /* for the verb's own --help */
};

enum { VERB_OPTIONS_MAX = 11 };

struct verb {
    const char *name;      /* "user add": one word or two */
    const char *arguments; /* "NAME [FILE...]"; options are said by their rows; NULL: none */
    const char *help;      /* one line */
    const char *about;     /* more of it, lines of at most 80 columns; NULL: nothing */
    const char *needs;     /* the option that must be there; NULL: none */
    struct verb_opt options[VERB_OPTIONS_MAX + 1]; /* up to the first without a name */
    enum verb_input input;
    bool to_file; /* its data: the last argument names the file, "-" is standard output */
    enum verb_down down;
    int (*run)(struct verb_call *call); /* exit status */
    /* In a process of the tool that stays who called it (cmd/mail/files.h). */
    void (*reader)(const char *path, int fd);
    bool (*writer)(const char *path, int fd);
};

extern const struct verb verbs[]; /* sorted by name, ends with a row without one */
const struct verb *verb_find(const char *name);
/* NULL: the verb has no such option. */
const struct verb_opt *verb_find_option(const struct verb *verb, const char *name);

/* --- what a verb says ------------------------------------------------------------------------- */
/* One description, two outputs: a verb declares its columns once and emits rows; the tool prints an
 * aligned table, or with --json an array of objects. Rows are passed on as they come, nothing is
 * collected. A row may have to wait for a slow terminal: so idle the reader (store_reader_idle)
 * before a verb_ call, or emit a bounded number of rows collected before; an old snapshot keeps
 * every freed page alive. */

enum column_type {
    COLUMN_TEXT,
    COLUMN_NUMBER, /* right-aligned */
    COLUMN_REAL,
    COLUMN_OCTETS,  /* a table says 1.5M, JSON the number */
    COLUMN_TIME,    /* RFC 3339, UTC */
    COLUMN_SECONDS, /* a duration: a table says 3m 12s, JSON the number */
    COLUMN_YESNO,
    COLUMN_LIST, /* of text; a table joins it, a record has a line for each */
    COLUMN_TYPES
};

/* How messages call them. */
extern const char *const column_type_names[COLUMN_TYPES];

struct column {
    const char *name; /* key in JSON, header in a table ("last_login": LAST LOGIN) */
    enum column_type type;
};

/* One value; made by the functions below. */
struct cell {
    enum column_type type;
    bool none; /* null, "-" */
    union {
        struct slice text;
        uint64_t number; /* also time, octets, seconds, yes or no */
        double real;
        struct {
            const struct slice *items;
            size_t n;
        } list;
    } as;
};

static inline struct cell cell_text(struct slice text)
{
    return (struct cell){.type = COLUMN_TEXT, .as.text = text};
}

static inline struct cell cell_str(const char *text) /* NULL: none */
{
    return (struct cell){.type = COLUMN_TEXT, .none = !text, .as.text = slice_str(text)};
}

static inline struct cell cell_number(uint64_t number)
{
    return (struct cell){.type = COLUMN_NUMBER, .as.number = number};
}

static inline struct cell cell_real(double real)
{
    return (struct cell){.type = COLUMN_REAL, .as.real = real};
}

static inline struct cell cell_octets(uint64_t octets)
{
    return (struct cell){.type = COLUMN_OCTETS, .as.number = octets};
}

static inline struct cell cell_time(uint64_t seconds) /* since 1970; 0: none */
{
    return (struct cell){.type = COLUMN_TIME, .none = !seconds, .as.number = seconds};
}

static inline struct cell cell_seconds(uint64_t seconds)
{
    return (struct cell){.type = COLUMN_SECONDS, .as.number = seconds};
}

static inline struct cell cell_yesno(bool yes)
{
    return (struct cell){.type = COLUMN_YESNO, .as.number = yes};
}

static inline struct cell cell_list(const struct slice *items, size_t n) /* lent for the call */
{
    return (struct cell){
        .type = COLUMN_LIST, .as.list = {items, n}
    };
}

static inline struct cell cell_none(enum column_type type)
{
    return (struct cell){.type = type, .none = true};
}

/* The columns of the rows that follow; they end with {NULL, COLUMN_TYPES}, and live as long as the
 * call. */
void verb_columns(struct verb_call *call, const struct column *columns);
/* The same for the only row there will be: printed as lines "name  value", and as one object. */
void verb_record(struct verb_call *call, const struct column *columns);
/* A row: as many cells as there are columns, of their types. Octets that are not UTF-8 become '?'.
 */
void verb_cells(struct verb_call *call, const struct cell *cells, size_t n);
#define verb_row(call, ...)                                                                        \
    verb_cells((call), (const struct cell[]){__VA_ARGS__},                                         \
               sizeof((const struct cell[]){__VA_ARGS__}) / sizeof(struct cell))

/* A line about what was done; with --json it goes to standard error. */
void verb_say(struct verb_call *call, const char *format, ...) PRINTF_LIKE(2, 3);
/* A line about what went wrong, to standard error. Returns EXIT_FAILED. */
int verb_complain(struct verb_call *call, const char *format, ...) PRINTF_LIKE(2, 3);
/* Octets to standard output: instead of rows. */
void verb_data(struct verb_call *call, struct slice octets);
/* How far a long verb is: a bar, if a terminal watches. `total` 0: nobody knows. Cheap to call
 * often. */
void verb_progress(struct verb_call *call, uint64_t done, uint64_t total);
/* Nobody listens any more (the tool was interrupted): a long verb that only tells may end. */
bool verb_gone(struct verb_call *call);

/* --- what a verb is told ---------------------------------------------------------------------- */

/* Take "--name VALUE" or "--name=VALUE" out of the arguments; NULL: it is not there. The verb's row
 * has it. */
const char *verb_option(struct verb_call *call, const char *name);
bool verb_flag(struct verb_call *call, const char *name);
enum { ARGUMENTS_MAX = 1 << 16 }; /* as many as may come */
/* After the options: at least min, at most max arguments are left, none of them an option. Else the
 * complaint has been made, and the exit status is EXIT_USAGE. */
MUST_CHECK bool verb_arguments(struct verb_call *call, int min, int max);
/* The same, but behind the first `plain` of them a word may begin with a dash. */
MUST_CHECK bool verb_words(struct verb_call *call, int min, int max, int plain);

/* Formatted, in the call's arena. */
struct slice verb_text(struct verb_call *call, const char *format, ...) PRINTF_LIKE(2, 3);
/* NAME as an account, in its normal form. False: complained. */
MUST_CHECK bool verb_login(struct verb_call *call, const char *name, struct slice *ret);
MUST_CHECK bool verb_user(struct verb_call *call, const char *name, struct store_user *ret);
/* The first line of the input, without its line end, in the arena. False: complained. */
MUST_CHECK bool verb_password(struct verb_call *call, struct slice *ret);
/* How a failed write of the store is put. Returns EXIT_FAILED. */
int verb_failed(struct verb_call *call, const char *what, const struct store_result *result);

/* The account of NAME, open for changes in the name of the administrator; closed by the caller.
 * False: complained. */
MUST_CHECK bool verb_account(struct verb_call *call, const char *name, struct store_account **ret);
/* NAME as the path of a mailbox, in the arena. False: complained. */
MUST_CHECK bool verb_path(struct verb_call *call, const char *name, struct slice *ret);
/* Wait for a write; `what` begins the complaint if it failed. The result is filled and finished by
 * the caller if `ret` is not NULL. True: done. */
MUST_CHECK bool verb_wait(struct verb_call *call, struct store_wait *wait, const char *what,
                          struct store_result *ret);
/* Exit status of a verb that was to do several things. */
int verb_tally(size_t done, size_t failed);

/* store_incoming_write for whoever may wait. */
MUST_CHECK enum err verb_incoming_write(struct store_incoming *in, struct slice octets);

/* The verbs, by file. */
int verb_account_export(struct verb_call *call);
int verb_account_import(struct verb_call *call);
int verb_alias_delete(struct verb_call *call);
int verb_alias_list(struct verb_call *call);
int verb_alias_set(struct verb_call *call);
int verb_backup(struct verb_call *call);
int verb_check(struct verb_call *call);
int verb_config_show(struct verb_call *call);
int verb_copy(struct verb_call *call);
int verb_deliver(struct verb_call *call);
int verb_domain_add(struct verb_call *call);
int verb_domain_delete(struct verb_call *call);
int verb_domain_list(struct verb_call *call);
int verb_domain_set(struct verb_call *call);
int verb_domain_show(struct verb_call *call);
int verb_domain_unset(struct verb_call *call);
int verb_expire(struct verb_call *call);
int verb_export_mail(struct verb_call *call);
int verb_expunge(struct verb_call *call);
int verb_fetch(struct verb_call *call);
int verb_flags(struct verb_call *call);
int verb_import_mail(struct verb_call *call);
int verb_journal(struct verb_call *call);
int verb_kick(struct verb_call *call);
int verb_mailbox_create(struct verb_call *call);
int verb_mailbox_delete(struct verb_call *call);
int verb_mailbox_list(struct verb_call *call);
int verb_mailbox_rename(struct verb_call *call);
int verb_mailbox_status(struct verb_call *call);
int verb_mailbox_subscribe(struct verb_call *call);
int verb_mailbox_unsubscribe(struct verb_call *call);
int verb_move(struct verb_call *call);
int verb_pop3_preview(struct verb_call *call);
int verb_quota(struct verb_call *call);
int verb_quota_recalc(struct verb_call *call);
int verb_reload(struct verb_call *call);
int verb_restore(struct verb_call *call);
int verb_search(struct verb_call *call);
int verb_stats(struct verb_call *call);
int verb_undelete(struct verb_call *call);
int verb_user_add(struct verb_call *call);
int verb_user_delete(struct verb_call *call);
int verb_user_disable(struct verb_call *call);
int verb_user_enable(struct verb_call *call);
int verb_user_import(struct verb_call *call);
int verb_user_list(struct verb_call *call);
int verb_user_passwd(struct verb_call *call);
int verb_user_repair(struct verb_call *call);
int verb_user_set(struct verb_call *call);
int verb_user_show(struct verb_call *call);
int verb_user_unset(struct verb_call *call);
int verb_who(struct verb_call *call);
int verb_why(struct verb_call *call);

#endif
