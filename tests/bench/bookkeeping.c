/* What the journal and the POP3 state add to the commands that cause them, in CPU: a line more in a
 * batch beside the batch, and the marks of a download beside the reading of its octets.
 *
 *      bookkeeping [operations]        default 2000 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "store/commit.h"
#include "tests/bench/meter.h"
#include "tests/lib/account.h"

enum {
    ACCOUNTS = 200,
    AT_ONCE = 8,
    LINES = 50,
    MESSAGES = 100,
    BODY = 38 << 10,
    WINDOW = 14 * 86400
};

struct rig {
    struct test_store s;
    unsigned operations;
    struct store_account *account[ACCOUNTS];
    struct store_view *view[ACCOUNTS];
};

/* --- the journal ---------------------------------------------------------------------------------
 */

/* Nothing but lines: one op of many beside one of few tells what a line is. */
struct lines_op {
    struct op op;
    const struct actor *actor;
    unsigned lines;
    bool later;
};

static enum err lines_apply(struct op *base, struct turn *turn)
{
    struct lines_op *op = (struct lines_op *)base;
    struct uidset uids = {0};
    enum err e = ERR_OK;
    for (unsigned i = 0; !e && i < op->lines; i++) {
        uidset_add(&uids, 1 + i % 7, 1 + i % 7);
        struct journal_line line = {.actor = op->actor,
                                    .a = base->acct,
                                    .m = 1 + i % 2, /* no two become one */
                                    .what = op->later ? LOG_FLAGS : LOG_ARRIVED,
                                    .detail = i,
                                    .uids = &uids};
        e = op->later ? turn_journal_later(turn, &line) : turn_journal(turn, &line);
    }
    uidset_finish(&uids);
    return e;
}

static void lines_release(struct op *op)
{
    mem_free(op);
}

static const struct op_kind lines_kind = {
    .name = "lines", .apply = lines_apply, .release = lines_release};

static void submit_lines(struct rig *rig, unsigned i, unsigned n, bool later, struct store_to to)
{
    struct store_account *account = rig->account[i % ACCOUNTS];
    struct lines_op *op = mem_new(sizeof *op);
    op->op = (struct op){
        .kind = &lines_kind, .env = account->env, .acct = account->a, .pages = 8, .to = to};
    op->actor = &account->actor;
    op->lines = n;
    op->later = later;
    committer_submit(account->env->committer, &op->op);
}

static double lines_us(struct rig *rig, unsigned n, bool later)
{
    struct test_flight *f = test_flight_new();
    struct meter start = meter_now();
    for (unsigned i = 0; i < rig->operations; i++) {
        submit_lines(rig, i, n, later, test_flight_to(f));
        test_flight_wait(f, AT_ONCE - 1);
    }
    test_flight_wait(f, 0);
    double us = (double)meter_since(start).cpu_ns / 1000 / rig->operations;
    test_flight_free(f);
    return us;
}

static double line_us(struct rig *rig, bool later)
{
    double one = lines_us(rig, 1, later), many = lines_us(rig, 1 + LINES, later);
    return (many - one) / LINES;
}

/* --- what causes lines ---------------------------------------------------------------------------
 */

static void flag(struct rig *rig, unsigned i, struct store_to to)
{
    struct uidset one = {0};
    struct store_flagop op = {.mode = i / ACCOUNTS % 2 ? FLAGS_REMOVE : FLAGS_ADD,
                              .sysflags = FLAG_FLAGGED};
    uidset_add(&one, 1 + i % 7, 1 + i % 7);
    store_flags(rig->view[i % ACCOUNTS], &one, &op, UINT64_MAX, to);
    uidset_finish(&one);
}

static void append(struct rig *rig, unsigned i, struct store_to to)
{
    struct store_account *account = rig->account[i % ACCOUNTS];
    struct store_incoming *in = test_message(account, 4096, i);
    struct store_dest dest = {.account = account, .path = SLICE("INBOX")};
    store_append(&in, 1, &dest, 1, to);
}

static double change_us(struct rig *rig, void (*change)(struct rig *, unsigned, struct store_to))
{
    struct test_flight *f = test_flight_new();
    struct meter start = meter_now();
    for (unsigned i = 0; i < rig->operations; i++) {
        change(rig, i, test_flight_to(f));
        test_flight_wait(f, AT_ONCE - 1);
    }
    test_flight_wait(f, 0);
    double us = (double)meter_since(start).cpu_ns / 1000 / rig->operations;
    test_flight_free(f);
    return us;
}

/* --- POP3 ----------------------------------------------------------------------------------------
 */

/* A session that downloads everything: the octets read, the marks at QUIT. Per message. */
static void download(struct rig *rig, double *ret_read_us, double *ret_marks_us)
{
    const struct slice inbox = SLICE("INBOX");
    const struct store_poprule rule = {.folders = &inbox, .nfolders = 1, .own = true};
    unsigned char all[MESSAGES / 8 + 1];
    uint64_t read_ns = 0, marks_ns = 0, n = 0;
    memset(all, 0xff, sizeof all);
    for (unsigned i = 0; i < 20; i++) {
        struct store_maildrop *drop;
        struct store_account *account = test_account(&rig->s, ACCOUNTS + i, WINDOW);
        for (unsigned m = 0; m < MESSAGES; m++)
            test_append(account, "INBOX", BODY, m);
        store_reader_idle(rig->s.reader);
        if (store_maildrop_open(rig->s.reader, account, NULL, &rule, &drop))
            abort();
        struct meter start = meter_now();
        for (uint32_t m = 1; m <= MESSAGES; m++) {
            struct store_body *body;
            struct iovec iov[8];
            uint32_t header;
            int got;
            if (store_maildrop_body(drop, rig->s.reader, m, &body, &header))
                abort();
            for (uint64_t at = 0; at < store_body_size(body);) {
                if (store_body_map(body, rig->s.reader, at, iov, 8, &got))
                    abort();
                for (int v = 0; v < got; v++)
                    at += iov[v].iov_len;
            }
            store_body_close(body);
        }
        store_reader_idle(rig->s.reader);
        read_ns += meter_since(start).cpu_ns;
        start = meter_now();
        struct store_wait *wait = store_wait_new();
        store_maildrop_update(drop, all, NULL, POP3_DELETE_EXPUNGE, store_wait_to(wait));
        if (store_wait(wait, NULL))
            abort();
        marks_ns += meter_since(start).cpu_ns;
        store_maildrop_close(drop);
        store_account_close(account);
        n += MESSAGES;
    }
    *ret_read_us = (double)read_ns / 1000 / (double)n;
    *ret_marks_us = (double)marks_ns / 1000 / (double)n;
}

int main(int argc, char **argv)
{
    static struct rig rig;
    double read_us, marks_us;
    rig.operations = argc > 1 ? (unsigned)atoi(argv[1]) : 2000;
    test_store_open(&rig.s, NULL);
    test_accounts_make(&rig.s, 0, ACCOUNTS + 20);
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        rig.account[i] = test_account(&rig.s, i, WINDOW);
        for (unsigned m = 0; m < 10; m++)
            test_append(rig.account[i], "INBOX", 2000, m);
        rig.view[i] = test_view(&rig.s, rig.account[i], "INBOX");
    }
    double flag_us = change_us(&rig, flag), append_us = change_us(&rig, append);
    double later_us = line_us(&rig, true), now_us = line_us(&rig, false);
    download(&rig, &read_us, &marks_us);
    printf("STORE of a flag        %6.1f us CPU, its line of the journal %5.2f us\n", flag_us,
           later_us);
    printf("APPEND of 4 KB         %6.1f us CPU, its line of the journal %5.2f us\n", append_us,
           now_us);
    printf("POP3 download of 38 KB %6.1f us CPU to read, its marks and line %5.2f us\n", read_us,
           marks_us);
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        store_view_close(rig.view[i]);
        store_account_close(rig.account[i]);
    }
    test_store_close(&rig.s);
    return 0;
}
