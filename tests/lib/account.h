/* A store in a directory of its own, with accounts in it, for tests that work below the protocols.
 * Everything aborts with a line that says why: a test cannot go on without it. */
#ifndef TANDEM_TESTS_ACCOUNT_H
#define TANDEM_TESTS_ACCOUNT_H

#include "store/store.h"

struct test_store {
    struct store *store;
    struct store_reader *reader; /* of the calling thread */
    char dir[256];
    bool keep; /* do not remove the directory */
};

/* `dir` NULL: a fresh one under TMPDIR. The domain "test" exists. */
void test_store_open(struct test_store *s, const char *dir);
void test_store_reopen(struct test_store *s);
void test_store_window(struct test_store *s, uint32_t undelete_s); /* as timers see it */
void test_store_close(struct test_store *s);                       /* removes what it made */
/* Logins "user-0@test" ... made n at once, as fast as group commit goes. */
void test_accounts_make(struct test_store *s, unsigned from, unsigned to);
/* Opened with a window of `undelete_s`. */
struct store_account *test_account(struct test_store *s, unsigned number, uint32_t undelete_s);
/* A message of about `octets`, with a header as mail has it; different for each `number`. */
struct store_incoming *test_message(struct store_account *account, size_t octets, unsigned number);
void test_append(struct store_account *account, const char *path, size_t octets, unsigned number);
struct store_view *test_view(struct test_store *s, struct store_account *account, const char *path);

/* Submits without waiting and counts what is under way: test_flight_to() for each op, and
 * test_flight_wait(most) until at most that many are left. Errors are counted. */
struct test_flight;
struct test_flight *test_flight_new(void);
struct store_to test_flight_to(struct test_flight *f);
void test_flight_wait(struct test_flight *f, unsigned most);
unsigned test_flight_errors(const struct test_flight *f);
void test_flight_free(struct test_flight *f);

#endif
