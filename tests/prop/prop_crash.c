/* The promise: what was acknowledged is there after a crash, once, and what was not is there whole
 * or not at all; the store opens by itself, every rule between rows holds, and it works on.
 *
 * Each tale is told once while all its calls are recorded and its ledger is kept step by step. Then
 *
 *      cut    the machine loses power after any of the calls, with any of the unsynced ones done
 *      kill   the process is killed before any of the calls (the locks are left behind)
 *      eio    any of the calls fails for good: the process ends by itself, or goes on
 *      full   any of the calls finds no room, or ends in its middle: the change is refused whole,
 *             and made when it is asked for again
 *
 * TANDEM_CRASH_STATES bounds how many states a sweep looks at (default 50, 0: all of them); which
 * ones follows from TANDEM_CRASH_SEED. The cuts and kills of a small tale are tried all. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "store/commit.h"
#include "tests/lib/cut.h"
#include "tests/lib/dirs.h"
#include "tests/lib/unit.h"
#include "tests/prop/ledger.h"
#include "tests/prop/tale.h"

enum { STEPS_MAX = 64, DEFAULT_STATES = 50, PROBE = 9999 };

/* What is known of a tale that was told without a fault. */
struct told {
    const struct tale *tale;
    char before[256]; /* the directory that it begins with */
    struct record *record;
    uint64_t calls;
    uint32_t restores; /* older files put in place */
    /* After so many steps; a closed store's is that of the last time it was open. */
    struct ledger with_ids[STEPS_MAX + 1], ledger[STEPS_MAX + 1];
    bool is_new[STEPS_MAX + 1];
};

static char work[64], label[256] = "nothing";
static struct told told;
static int64_t shifted;
static unsigned states_max;
static uint64_t seed;

static void aborted(int sig)
{
    (void)sig;
    ssize_t ignored = write(STDERR_FILENO, label, strlen(label));
    (void)ignored;
    ignored = write(STDERR_FILENO, ": aborted\n", 10);
}

/* Time as it is after so many steps of the tale, this one included. */
static void be_in_step(size_t step)
{
    int64_t to = 0;
    for (size_t i = 0; i <= step && i < told.tale->nsteps; i++)
        to += told.tale->steps[i].passes_s;
    clock_shift(to - shifted);
    shifted = to;
}

static void life_in(struct life *life, const char *sub)
{
    *life = (struct life){0};
    snprintf(life->dir, sizeof life->dir, "%s/%s", work, sub);
}

/* --- telling -----------------------------------------------------------------------------------
 */

static void keep_ledgers(struct life *life, size_t steps)
{
    if (!life->store) {
        if (steps) {
            told.with_ids[steps] = told.with_ids[steps - 1];
            told.ledger[steps] = told.ledger[steps - 1];
        }
        return;
    }
    told.is_new[steps] = true;
    told.restores = life->env->restores;
    ledger_write(&told.with_ids[steps], life, true);
    ledger_write(&told.ledger[steps], life, false);
}

static void tell(const struct tale *tale)
{
    struct life life;
    told = (struct told){.tale = tale};
    assert_true(tale->nsteps <= STEPS_MAX);
    life_in(&life, "before");
    snprintf(told.before, sizeof told.before, "%s", life.dir);
    dir_empty(life.dir);
    snprintf(label, sizeof label, "%s: before", tale->name);
    if (tale->before)
        tale->before(&life);
    life_in(&life, "told");
    if (tale->before) { /* an open changes the directory: look at a copy */
        dir_copy(told.before, life.dir);
        assert_ok(life_open(&life));
        keep_ledgers(&life, 0);
        life_close(&life);
    }
    dir_copy(told.before, life.dir);
    faults_watch(life.dir);
    faults_record();
    for (size_t i = 0; i < tale->nsteps; i++) {
        snprintf(label, sizeof label, "%s: telling %s", tale->name, tale->steps[i].name);
        be_in_step(i);
        faults_mark(2 * (int)i);
        assert_ok(tale->steps[i].run(&life));
        faults_mark(2 * (int)i + 1);
        keep_ledgers(&life, i + 1);
    }
    told.calls = faults_calls();
    told.record = faults_record_end();
    faults_watch(NULL);
    be_in_step(0);
}

static void forget(void)
{
    be_in_step(0);
    record_free(told.record);
    for (size_t i = 0; i <= told.tale->nsteps; i++)
        if (told.is_new[i]) {
            ledger_finish(&told.with_ids[i]);
            ledger_finish(&told.ledger[i]);
        }
}

/* --- after a crash -----------------------------------------------------------------------------
 */

static bool ids_are_fresh(struct life *life)
{
    struct engine_txn *snap;
    struct slice key, value;
    uint64_t last = 0;
    assert_ok(reader_snap(life->reader, life->env, &snap));
    enum err e = engine_last(snap, DBI_BLOB, SLICE_NONE, &key, &value);
    bool fresh = e || (key_get64(key, 0, &last) && last < life->env->next_blob);
    store_reader_idle(life->reader);
    if (!fresh)
        fprintf(stderr, "the next body would be %llu, but %llu is there\n",
                (unsigned long long)life->env->next_blob, (unsigned long long)last);
    return fresh;
}

/* It works on: one message arrives, as the next of its mailbox. */
static bool goes_on(struct life *life)
{
    struct arena arena;
    struct store_user user;
    arena_init(&arena, 1 << 16);
    enum err none = store_user_find(life->reader, SLICE("alice@test"), &arena, &user);
    arena_reset(&arena);
    store_reader_idle(life->reader);
    if (none)
        return true;
    struct store_account *account = life_account(life, "alice", 0);
    struct store_status before, after;
    enum err e = store_mailbox_status(life->reader, account, SLICE("INBOX"), &before);
    store_reader_idle(life->reader);
    if (!e)
        e = life_append(account, "INBOX", PROBE, 100);
    if (!e)
        e = store_mailbox_status(life->reader, account, SLICE("INBOX"), &after);
    store_reader_idle(life->reader);
    store_account_close(account);
    bool good = !e && after.uidnext == before.uidnext + 1 &&
                after.messages == before.messages + 1 &&
                after.highestmodseq == before.highestmodseq + 1;
    if (!good)
        fprintf(stderr, "the next message: %s\n", err_word(e));
    return good;
}

/* `mark`: how far the tale had come. `ids`: this is what the told tale left. `linger`: upkeep may
 * have been refused. */
static bool survives(const char *dir, int mark, bool ids, bool linger)
{
    struct life life;
    struct ledger now;
    size_t done = mark < 0 ? 0 : ((size_t)mark + 1) / 2;
    bool in_flight = mark >= 0 && mark % 2 == 0;
    const struct ledger *ledgers = ids ? told.with_ids : told.ledger;
    be_in_step(in_flight ? done : done ? done - 1 : 0);
    life_in(&life, dir);
    enum err e = life_open(&life);
    if (e) {
        fprintf(stderr, "does not open: %s %s\n", err_word(e), life.why.text);
        return false;
    }
    bool good = life_settle(&life);
    if (!good)
        fprintf(stderr, "is never through with what the crash left\n");
    good &= life_verify(&life) == 0;
    ledger_write(&now, &life, ids);
    good &= ledger_between(&now, &ledgers[done], &ledgers[done + in_flight], linger);
    ledger_finish(&now);
    if (life.env->restores != told.restores) {
        fprintf(stderr, "%u older files were noticed, %u were put in place\n", life.env->restores,
                told.restores);
        good = false;
    }
    good &= ids_are_fresh(&life) && goes_on(&life);
    life_close(&life);
    return good;
}

static const char *step_name(int mark)
{
    return mark < 0 ? "nothing" : told.tale->steps[mark / 2].name;
}

/* Whether the i-th of n is one of the chosen; `all` where the tale is small. */
static bool chosen(uint64_t i, uint64_t n, bool all)
{
    if (!states_max || n <= states_max || (all && told.tale->small))
        return true;
    uint64_t at = (i + seed) % n;
    return at * states_max / n != (at + 1) * states_max / n;
}

/* --- power cuts --------------------------------------------------------------------------------
 */

static const char *const choice_names[] = {"nothing", "all", "last", "torn", "random"};

/* Of the states at one cut, those that differ from one another and from earlier ones. */
static bool tells_apart(const struct cut *cut, enum cut_choice choice)
{
    if (cut_is_sync(cut))
        return choice == CUT_NOTHING;
    return choice != CUT_NOTHING &&
           (choice == CUT_ALL || choice == CUT_TORN || cut_unsynced(cut) > 1);
}

static uint64_t sweep_cuts(uint64_t total, unsigned *bad)
{
    struct cut *cut = cut_new(told.record);
    uint64_t n = 0, tried = 0;
    int mark = -1;
    while (cut_next(cut, &mark))
        for (enum cut_choice choice = CUT_NOTHING; choice <= CUT_RANDOM; choice++) {
            if (!tells_apart(cut, choice) || (n++, total && !chosen(n - 1, total, true)))
                continue;
            if (!total)
                continue;
            char dir[128];
            snprintf(label, sizeof label, "%s: power cut %llu at '%s', unsynced: %s of %u",
                     told.tale->name, (unsigned long long)n, step_name(mark), choice_names[choice],
                     cut_unsynced(cut));
            snprintf(dir, sizeof dir, "%s/cut", work);
            cut_write(cut, choice, seed + n, dir);
            tried++;
            if (*bad < 3 && !survives("cut", mark, true, false)) {
                print_error("%s\n", label);
                ++*bad;
            }
        }
    cut_free(cut);
    return total ? tried : n;
}

static void cut_tale(void **state)
{
    unsigned bad = 0;
    tell(*state);
    uint64_t total = sweep_cuts(0, &bad), tried = sweep_cuts(total, &bad);
    print_message("# %s: %llu calls, %llu states of power cuts, %llu looked at\n", told.tale->name,
                  (unsigned long long)told.calls, (unsigned long long)total,
                  (unsigned long long)tried);
    forget();
    assert_int_equal(bad, 0);
}

/* --- children ----------------------------------------------------------------------------------
 */

enum { CHILD_DONE = 0, CHILD_FATAL = 70, CHILD_REFUSED = 3, CHILD_WRONG = 4 };

static _Atomic int *shared_mark;

static bool needs_room(enum fault_kind kind)
{
    return kind == FAULT_ENOSPC || kind == FAULT_SHORT;
}

static bool is_between(struct life *life, size_t steps, size_t or_steps)
{
    struct ledger now;
    if (!life->store)
        return true;
    ledger_write(&now, life, false);
    bool good = ledger_between(&now, &told.ledger[steps], &told.ledger[or_steps], true);
    ledger_finish(&now);
    return good;
}

/* A step that found no room has done nothing (to some account), and can be done again. */
static bool again(struct life *life, size_t step)
{
    const struct step *s = &told.tale->steps[step];
    for (unsigned tries = 0; tries < 100; tries++) {
        enum err e = s->run(life);
        if (!e)
            return true;
        if (e != ERR_FULL) {
            fprintf(stderr, "%s: '%s' asked for again: %s %s\n", label, s->name, err_word(e),
                    life->store ? "" : life->why.text);
            return false;
        }
    }
    fprintf(stderr, "%s: '%s' is refused for ever\n", label, s->name);
    return false;
}

static int child(enum fault_kind kind, uint64_t nth, uint64_t n)
{
    struct life life;
    bool room = needs_room(kind);
    life_in(&life, "child");
    faults_watch(life.dir);
    faults_arm(kind, nth, n);
    for (size_t i = 0; i < told.tale->nsteps; i++) {
        be_in_step(i);
        *shared_mark = 2 * (int)i;
        enum err e = told.tale->steps[i].run(&life);
        if (e && (!room || e != ERR_FULL)) {
            if (room)
                fprintf(stderr, "%s: '%s': %s %s\n", label, told.tale->steps[i].name, err_word(e),
                        life.store ? "" : life.why.text);
            return room && (life.store || kind == FAULT_ENOSPC) ? CHILD_WRONG : CHILD_REFUSED;
        }
        if (e &&
            !(is_between(&life, i, i + 1) && again(&life, i) && is_between(&life, i + 1, i + 1)))
            return CHILD_WRONG;
        *shared_mark = 2 * (int)i + 1;
    }
    life_close(&life);
    return CHILD_DONE;
}

/* Exit status of the tale told with a fault. */
static int run_child(enum fault_kind kind, uint64_t nth, uint64_t n)
{
    char dir[128];
    snprintf(dir, sizeof dir, "%s/child", work);
    dir_copy(told.before, dir);
    be_in_step(0);
    *shared_mark = -1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(child(kind, nth, n));
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status))
        fprintf(stderr, "%s: signal %d\n", label, WTERMSIG(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct ends {
    unsigned done, fatal, refused, killed;
};

static bool is_legal(enum fault_kind kind, int status, struct ends *ends)
{
    ends->done += status == CHILD_DONE;
    ends->fatal += status == CHILD_FATAL;
    ends->refused += status == CHILD_REFUSED;
    ends->killed += status == FAULT_KILLED;
    switch (kind) {
    case FAULT_KILL:
        return status == FAULT_KILLED || status == CHILD_DONE; /* it had fewer calls this time */
    case FAULT_SHORT: /* LMDB making a new file does not tell room from damage */
        return status == CHILD_DONE || status == CHILD_REFUSED;
    case FAULT_EIO:
        return status == CHILD_DONE || status == CHILD_FATAL || status == CHILD_REFUSED;
    default:
        return status == CHILD_DONE;
    }
}

static void sweep_children(const struct tale *tale, enum fault_kind kind, const char *name,
                           uint64_t n)
{
    unsigned bad = 0;
    struct ends ends = {0};
    uint64_t tried = 0;
    tell(tale);
    for (uint64_t nth = 1; nth <= told.calls && bad < 3; nth++) {
        if (!chosen(nth - 1, told.calls, kind == FAULT_KILL))
            continue;
        snprintf(label, sizeof label, "%s: %s at call %llu", tale->name, name,
                 (unsigned long long)nth);
        int status = run_child(kind, nth, n);
        tried++;
        if (!is_legal(kind, status, &ends)) {
            print_error("%s at '%s': exit status %d\n", label, step_name(*shared_mark), status);
            bad++;
        }
        if (!survives("child", *shared_mark, false, needs_room(kind))) {
            print_error("%s at '%s': did not survive it\n", label, step_name(*shared_mark));
            bad++;
        }
    }
    print_message(
        "# %s: %s at %llu of %llu calls: %u told to the end, %u fatal, %u refused to open, "
        "%u killed\n",
        tale->name, name, (unsigned long long)tried, (unsigned long long)told.calls, ends.done,
        ends.fatal, ends.refused, ends.killed);
    forget();
    assert_int_equal(bad, 0);
}

static void kill_tale(void **state)
{
    sweep_children(*state, FAULT_KILL, "kill", 1);
}

static void eio_tale(void **state)
{
    sweep_children(*state, FAULT_EIO, "eio", 1);
}

static void full_tale(void **state)
{
    sweep_children(*state, FAULT_ENOSPC, "no room once", 1);
}

static void full_for_a_while_tale(void **state)
{
    sweep_children(*state, FAULT_ENOSPC, "no room for 20 calls", 20);
}

static void short_tale(void **state)
{
    sweep_children(*state, FAULT_SHORT, "short write", 1);
}

/* --- */

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        CMUnitTestFunction run;
    } sweeps[] = {
        {"cut",   cut_tale             },
        {"kill",  kill_tale            },
        {"eio",   eio_tale             },
        {"full",  full_tale            },
        {"while", full_for_a_while_tale},
        {"short", short_tale           },
    };
    enum { SWEEPS = sizeof sweeps / sizeof *sweeps, TALES_MAX = 8 };
    struct CMUnitTest tests[SWEEPS * TALES_MAX];
    static char names[SWEEPS * TALES_MAX][64];
    size_t n = 0;
    for (size_t i = 0; i < SWEEPS; i++)
        for (size_t t = 0; t < ntales && t < TALES_MAX; t++) {
            snprintf(names[n], sizeof names[n], "%s_%s", sweeps[i].name, tales[t].name);
            if (argc > 1 && !strstr(names[n], argv[1]))
                continue;
            tests[n] = (struct CMUnitTest){.name = names[n],
                                           .test_func = sweeps[i].run,
                                           .initial_state = (void *)(uintptr_t)&tales[t]};
            n++;
        }
    struct log_conf conf = {.to = LOG_TO_FILE, .level = LOG_ERROR, .path = "/dev/null"};
    struct fault why;
    if (log_setup(&conf, &why))
        return 1;
    signal(SIGABRT, aborted);
    states_max = (unsigned)number_of("TANDEM_CRASH_STATES", DEFAULT_STATES);
    seed = number_of("TANDEM_CRASH_SEED", clock_wall_us());
    print_message("# TANDEM_CRASH_SEED=%llu\n", (unsigned long long)seed);
    dir_make(work, sizeof work);
    shared_mark =
        mmap(NULL, sizeof *shared_mark, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int failed = _cmocka_run_group_tests("crash", tests, n, NULL, NULL);
    dir_remove(work);
    return failed;
}
