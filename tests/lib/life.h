/* A store as a test lives with it: opened in a directory, changed through store.h one call at a
 * time, each waited for and its error returned (a call that must not fail at all aborts). */
#ifndef TANDEM_TESTS_LIFE_H
#define TANDEM_TESTS_LIFE_H

#include "store/env.h"

struct life {
    char dir[256];
    struct store_conf conf; /* path is set by life_open */
    struct store *store;    /* NULL: closed */
    struct env *env;        /* its first shard */
    struct store_reader *reader;
    struct fault why; /* of the last open that failed */
};

enum err life_open(struct life *life);
void life_close(struct life *life);

/* The domain "test", and accounts in it: "alice". */
enum err life_domain(struct life *life);
enum err life_user(struct life *life, const char *name);
/* With that undelete window; the caller closes it. */
struct store_account *life_account(struct life *life, const char *name, uint32_t undelete_s);
/* Upkeep has nothing more to do now: bodies reaped, deleted mailboxes and accounts swept. False:
 * not within 20 s. */
bool life_settle(struct life *life);
/* Findings of the check, bodies included; each is printed. */
uint64_t life_verify(struct life *life);
uint64_t life_rows(struct life *life, unsigned dbi);

/* Text with a header, the same for the same number, `octets` long at least. NULL: the store took
 * only a part; the error is in `ret`. */
struct store_incoming *life_message(struct store_account *account, unsigned number, size_t octets,
                                    enum err *ret);
enum err life_append(struct store_account *account, const char *path, unsigned number,
                     size_t octets);
enum err life_create(struct store_account *account, const char *path);
enum err life_delete(struct store_account *account, const char *path);
enum err life_rename(struct store_account *account, const char *from, const char *to);
/* Messages first..last of the mailbox, by UID. */
enum err life_flags(struct life *life, struct store_account *account, const char *path,
                    uint32_t first, uint32_t last, enum flag_mode mode, uint8_t sysflags,
                    const char *keyword);
enum err life_copy(struct life *life, struct store_account *account, const char *from,
                   uint32_t first, uint32_t last, const char *to, bool move);
/* Sets \Deleted and expunges. */
enum err life_expunge(struct life *life, struct store_account *account, const char *path,
                      uint32_t first, uint32_t last);
/* A POP3 session over INBOX: numbers (not UIDs) read and deleted, as bits from 1 on. */
enum err life_pop3(struct life *life, struct store_account *account, enum pop3_delete mode,
                   unsigned read, unsigned deleted);

#endif
