/* Private to config*.c: the table of keys and the reading of one value. */
#ifndef TANDEM_BASE_CONFIG_KEY_H
#define TANDEM_BASE_CONFIG_KEY_H

#include "core/base/buf.h"
#include "core/base/config.h"

/* What a value looks like, and the type of the field it is stored in. */
enum config_kind {
    KIND_NUMBER,     /* uint32_t; with AUTO `auto` is 0 */
    KIND_SIZE,       /* size_t; with AUTO `auto` is 0 */
    KIND_SHARE,      /* struct config_share */
    KIND_TIME_MS,    /* uint64_t */
    KIND_TIME_S,     /* uint32_t */
    KIND_SECONDS,    /* uint32_t; the unit may be left out */
    KIND_BOOL,       /* bool */
    KIND_CHOICE,     /* an enum; `words` in its order */
    KIND_TEXT,       /* const char * */
    KIND_PATH,       /* const char *, absolute */
    KIND_URL,        /* const char *; `words`: the schemes */
    KIND_HOST,       /* const char *, a domain name */
    KIND_CHAR,       /* char, punctuation; empty: '\0' */
    KIND_MODE,       /* uint32_t, octal */
    KIND_LIST,       /* struct config_list; at least `min` items */
    KIND_ADDRESSES,  /* struct config_list of socket addresses */
    KIND_LOCAL,      /* const char *: one socket address, unix or loopback */
    KIND_NETWORKS,   /* struct config_networks */
    KIND_ALIASES,    /* struct config_pairs */
    KIND_AGES,       /* struct config_ages */
    KIND_SOURCES,    /* struct config_sources */
    KIND_MECHANISMS, /* uint32_t, enum config_mechanism */
    KIND_DELAY,      /* two uint64_t in ms: `1s..15s` */
    KIND_DAYS,       /* int32_t; -1 `never` */
    KIND_HIDE,       /* int32_t; -1 no, 0 yes, n `after:n` */
    KIND_DATE,       /* int64_t; 0 not set */
    KIND_BRAKE,      /* two uint32_t: `MESSAGES,PERCENT`; `off` is 0, 0 */
    KIND_LOG_TO      /* struct log_conf: to, path */
};

enum {
    KEY_ZERO = 1, /* 0 is allowed although it is below `min` */
    KEY_AUTO = 2, /* `auto` */
    KEY_OVER = 4, /* may be overridden: the field is in struct settings */
    KEY_MUST = 8  /* of a named section: must be given */
};

struct config_key {
    const char *section, *key;
    enum config_kind kind;
    enum config_key_class class;
    unsigned flags;
    size_t offset; /* in config, settings, or the struct of a named section */
    const char *fallback;
    uint64_t min, max; /* as stored: octets, ms or s */
    const char *words; /* of KIND_CHOICE, KIND_URL: "a|b|c" */
    const char *help;
};

extern const struct config_key config_keys[];
extern const unsigned config_keys_n;

/* Sections that carry a name: one row of the array that a `struct config` has of them. */
struct config_group {
    const char *section;
    size_t size;      /* of an element; it begins with name and line */
    size_t at, count; /* offsets of the array and of its length in struct config */
    unsigned max;
};

enum { GROUP_LISTEN, GROUP_TLS, GROUP_LDAP, GROUP_OAUTH, GROUP_HOOK, GROUPS };
extern const struct config_group config_groups[GROUPS];

/* How every element of a group begins. */
struct config_named {
    const char *name;
    unsigned line;
};
const struct config_group *config_group_find(const char *section); /* NULL: a plain section */

struct config_text {
    const char *value; /* as written; NULL: the default */
    unsigned line;
};

/* NULL: no such key. */
const struct config_key *config_key_find(const char *section, const char *key);

/* One value on its way into a field. */
struct config_value {
    struct arena *arena; /* strings and lists; held to its maximum */
    bool unranged;       /* tests: min and max do not count */
    bool full;           /* the arena was */
    char why[160], mend[200];
};

/* Parse `text` into the field at `base` + key->offset, written only on success. */
MUST_CHECK bool config_value_read(struct config_value *v, const struct config_key *key,
                                  struct slice text, void *base);

/* --- config_locate.c: our own look at the text, beside iniparser's -----------------------------
 */
struct config_entry {
    unsigned line, section; /* index of the section it is in */
    const struct config_key *key;
};

struct config_section {
    unsigned line;
    const struct config_group *group; /* NULL: a plain section */
    char title[64];                   /* as iniparser names it: "imap", "listen imaps" */
    uint64_t seen;                    /* keys so far, by their row in the section */
};

struct config_located {
    struct config_section *sections;
    unsigned n_sections;
    struct config_entry *entries;
    unsigned n_entries;
    struct buf clean; /* the text again, with every line that is not to be trusted left empty */
};

void config_locate(struct slice text, struct config_located *ret, struct config_errors *errs);
void config_located_finish(struct config_located *l);

/* --- config_error.c ----------------------------------------------------------------------------
 */
void config_errors_sort(struct config_errors *errs);
/* The candidate most like `word`, or NULL when none is near. */
struct config_guess {
    const char *word, *best;
    unsigned distance;
};
void config_guess_offer(struct config_guess *g, const char *candidate);

/* --- config.c ----------------------------------------------------------------------------------
 */
/* The i-th element of a group; where the field of a key outside named sections is. */
void *config_element(const struct config *c, const struct config_group *g, unsigned i);
void *config_plain_base(const struct config *c, const struct config_key *key);

/* --- config_check.c: what only several keys together can be wrong about ------------------------
 */
void config_check(const struct config *c, struct config_errors *errs);

#endif
