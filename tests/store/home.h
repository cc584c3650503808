/* A store as the daemon has it, with its committers, and one account: changes are made through
 * store.h and waited for, rows are looked at in the engine. */
#ifndef TANDEM_TESTS_STORE_HOME_H
#define TANDEM_TESTS_STORE_HOME_H

#include "store/commit.h"

struct home {
    char dir[64];
    struct store *store;
    struct env *env; /* its only shard */
    struct store_reader *reader;
    struct store_account *account;
    uint32_t undelete_s; /* of the account, from the next home_open on */
    uint32_t log_rows;   /* of the journal, the same; 0 = the default */
};

void home_start(struct home *home); /* an empty store with alice@example.org */
void home_open(struct home *home);  /* the store that is there */
void home_close(struct home *home);
void home_check(struct home *home); /* every rule between rows holds */
void home_stop(struct home *home);  /* checks, closes and removes it */
/* The same around a test, for cmocka; one home at a time. */
int home_setup(void **state);
int home_teardown(void **state);

void home_user(struct home *home, const char *login);
struct store_account *home_account(struct home *home, const char *login);

/* One message of `octets` octets (at least 64, as stored) at the end of a mailbox; its UID. */
uint32_t home_append(struct home *home, const char *path, uint32_t octets, uint8_t sysflags);
/* This message, in pieces, at the end of INBOX; its UID. */
uint32_t home_append_octets(struct home *home, struct slice message);
void home_mailbox(struct home *home, const char *path);
void home_delete_mailbox(struct home *home, const char *path);
struct store_view *home_view(struct home *home, const char *path);
void home_flags(struct home *home, const char *path, uint32_t first, uint32_t last,
                enum flag_mode mode, uint8_t sysflags);
/* Sets \Deleted and expunges. */
void home_expunge(struct home *home, const char *path, uint32_t first, uint32_t last);
void home_move(struct home *home, const char *from, uint32_t first, uint32_t last, const char *to);
void home_copy(struct home *home, const char *from, uint32_t first, uint32_t last, const char *to);
struct box home_box(struct home *home, const char *path);
struct acct home_acct(struct home *home);

uint64_t home_rows(struct home *home, unsigned dbi);
/* Waits until the table has this many rows; fails the test after 20 s. */
void home_await_rows(struct home *home, unsigned dbi, uint64_t rows);
/* Several rounds of upkeep have gone by. */
void home_upkeep(struct home *home);

#endif
