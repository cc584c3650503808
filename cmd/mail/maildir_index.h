/* What mail servers keep beside the messages of a Maildir: UIDs, UIDLs, names of keywords.
 *
 *      dovecot-uidlist        "3 V<uidvalidity> N<uidnext> ...", then "<uid> <keys> :<file>";
 *                             keys P<UIDL>, O<order>, G<GUID>, others. Version 1 and
 *      courierimapuiddb       "1 <uidvalidity> <uidnext>", then "<uid> <file>"
 *      courierpop3dsizelist   "/<version> <next> <uidvalidity>", then
 *                             "<file> <size> <number>[:<uidvalidity>[:<utf8>]]": UIDL UIDn-v
 *      dovecot-keywords       "<0..25> <name>": letters a..z of file names
 *      courierimapkeywords/:list   names, a blank line, "<file>:<number> <number>..." */
#ifndef TANDEM_CMD_MAIL_MAILDIR_INDEX_H
#define TANDEM_CMD_MAIL_MAILDIR_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/slice.h"

enum { MAILDIR_LETTERS = 26 };
#define MAILDIR_UID_MAX (UINT32_MAX - (UINT32_C(1) << 24)) /* no enumerator is that large */

struct maildir_entry {
    struct slice base; /* file name without flags; lent by the index */
    uint32_t uid;      /* 0: none */
    uint32_t order;    /* 0: none */
    struct slice uidl, guid;
    uint32_t keywords; /* by number; Courier keeps them here */
};

struct maildir_index {
    uint32_t uidvalidity, uidnext; /* 0: the folder has no UIDs */
    struct maildir_entry *entries; /* sorted by base */
    uint32_t n, cap;
    struct slice letters[MAILDIR_LETTERS]; /* keywords by letter or number; empty: none */
    bool courier;   /* its POP3 list was read: the maildrop is in the order of file names */
    char *texts[8]; /* the files, owned */
    unsigned ntexts;
    struct arena arena; /* UIDLs that were put together */
};

/* Reads what there is in the folder `fd`. `complain` is called for each thing that is wrong; what
 * is wrong is left out. `inbox`: Courier's POP3 list is looked for. */
void maildir_index_read(struct maildir_index *index, int fd, bool inbox,
                        void (*complain)(void *arg, const char *line), void *arg);
void maildir_index_finish(struct maildir_index *index);
/* NULL: it has none. */
const struct maildir_entry *maildir_index_find(const struct maildir_index *index,
                                               struct slice base);
/* A file name without ":2,FLAGS"; the flags, empty when there are none. */
struct slice maildir_base(struct slice name, struct slice *ret_flags);
/* Order of Courier's POP3 server: the number that a name begins with, then its octets. */
int maildir_name_cmp(struct slice a, struct slice b);

#endif
