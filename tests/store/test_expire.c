/* Mail expires when its settings say so: never earlier, never by a clock that lies, and into the
 * undelete window. */
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/config.h"
#include "store/admin.h"
#include "store/hot.h"
#include "tests/lib/unit.h"
#include "tests/store/home.h"

enum { DAY = 86400 };

static void configure(struct home *home, const char *text)
{
    char file[256];
    struct config *config;
    struct config_errors errors;
    int n = snprintf(file, sizeof file, "[tandem]\nversion = 1\n%s", text);
    config_errors_init(&errors);
    assert_ok(config_parse(slice(file, (size_t)n), "test", &config, &errors));
    config_errors_finish(&errors);
    store_set_config(home->store, config);
    config_unref(config);
}

static void set(struct home *home, struct slice name, struct slice value)
{
    struct arena arena;
    struct store_user user;
    struct store_opt opt = {.name = name, .value = value};
    arena_init(&arena, 1 << 16);
    assert_ok(store_user_find(home->reader, SLICE("alice@example.org"), &arena, &user));
    store_reader_idle(home->reader);
    user.opts = &opt;
    user.nopts = value.len > 0;
    struct store_wait *wait = store_wait_new();
    store_user_set(home->store, &user, store_wait_to(wait));
    assert_ok(store_wait(wait, NULL));
    arena_reset(&arena);
}

/* An empty value: the domain has no settings of its own. */
static void set_domain(struct home *home, struct slice domain, struct slice name,
                       struct slice value)
{
    const struct store_opt opt = {.name = name, .value = value, .of_domain = true};
    struct store_wait *wait = store_wait_new();
    store_domain_set(home->store, domain, &opt, value.len > 0, store_wait_to(wait));
    assert_ok(store_wait(wait, NULL));
}

static uint32_t exists(struct home *home, const char *path)
{
    return home_box(home, path).row.exists;
}

static void await(struct home *home, const char *path, uint32_t messages)
{
    for (unsigned i = 0; i < 400 && exists(home, path) != messages; i++)
        home_upkeep(home);
    assert_int_equal(exists(home, path), messages);
}

static struct store_expired expire_now(struct home *home)
{
    struct store_result result;
    struct store_wait *wait = store_wait_new();
    store_expire(home->store, 0, home->account->a, store_wait_to(wait));
    assert_ok(store_wait(wait, &result));
    struct store_expired expired = result.expired;
    store_result_finish(&result);
    return expired;
}

/* Time goes by, and all that is due is done. */
static void pass(struct home *home, uint32_t seconds)
{
    clock_shift(seconds);
    (void)expire_now(home);
}

static void download(struct home *home, unsigned char messages)
{
    struct slice inbox = SLICE("INBOX");
    const struct store_poprule rule = {.folders = &inbox, .nfolders = 1, .retr_seen = true};
    struct store_maildrop *drop;
    assert_ok(store_maildrop_open(home->reader, home->account, NULL, &rule, &drop));
    store_reader_idle(home->reader);
    struct store_wait *wait = store_wait_new();
    store_maildrop_update(drop, &messages, NULL, POP3_DELETE_EXPUNGE, store_wait_to(wait));
    assert_ok(store_wait(wait, NULL));
    store_maildrop_close(drop);
}

static struct store_lost only_lost(struct home *home)
{
    struct store_window *window;
    struct store_lost lost, more;
    assert_ok(store_window_open(home->reader, home->account, &(struct store_pick){0}, &window));
    assert_ok(store_window_next(window, &lost));
    assert_err(store_window_next(window, &more), ERR_NOTFOUND);
    store_window_close(window);
    store_reader_idle(home->reader);
    return lost;
}

static void undelete(struct home *home, const struct store_lost *lost)
{
    struct store_wait *wait = store_wait_new();
    store_undelete(home->account, lost, 1, SLICE_NONE, store_wait_to(wait));
    assert_ok(store_wait(wait, NULL));
}

/* --- autoexpunge ---------------------------------------------------------------------------------
 */

static void trash_is_emptied_by_the_time_of_saving(void **state)
{
    struct home *home = *state;
    configure(home, "[store]\nautoexpunge = Trash:30d, No such:1d, Junk:2d\n");
    home_append(home, "INBOX", 100, 0);
    home_append(home, "Trash", 200, 0);
    pass(home, 20 * DAY);
    home_move(home, "INBOX", 1, 1, "Trash"); /* old, but saved there just now */
    home_append(home, "INBOX", 300, 0);
    pass(home, 9 * DAY);
    assert_int_equal(exists(home, "Trash"), 2);
    clock_shift(1 * DAY);
    await(home, "Trash", 1);
    assert_int_equal(home_box(home, "Trash").row.bytes, 100);
    struct store_lost lost = only_lost(home);
    assert_int_equal(lost.by, LOST_EXPIRY);
    assert_int_equal(lost.octets, 200);
    clock_shift(20 * DAY);
    await(home, "Trash", 0);
    assert_int_equal(exists(home, "INBOX"), 1);
}

static void what_was_undeleted_does_not_expire_at_once(void **state)
{
    struct home *home = *state;
    configure(home, "[store]\nautoexpunge = Trash:3d\n");
    home_append(home, "Trash", 200, 0);
    clock_shift(3 * DAY);
    await(home, "Trash", 0);
    struct store_lost lost = only_lost(home);
    undelete(home, &lost);
    pass(home, 2 * DAY);
    assert_int_equal(exists(home, "Trash"), 1);
    clock_shift(1 * DAY);
    await(home, "Trash", 0);
}

static void an_account_has_its_own_ages(void **state)
{
    struct home *home = *state;
    configure(home, "[store]\nautoexpunge = Trash:3d\n");
    set(home, SLICE("store.autoexpunge"), SLICE("Junk:1d"));
    home_append(home, "Trash", 100, 0);
    home_append(home, "Junk", 100, 0);
    clock_shift(4 * DAY);
    await(home, "Junk", 0);
    assert_int_equal(exists(home, "Trash"), 1);
    set(home, SLICE("store.autoexpunge"), SLICE_NONE); /* the file's again */
    clock_shift(2 * 3600);
    await(home, "Trash", 0);
}

static void many_go_in_slices(void **state)
{
    struct home *home = *state;
    uint32_t n = 1;
    home_append(home, "Trash", 100, 0);
    for (; n < 20000; n *= 2)
        home_copy(home, "Trash", 1, n, "Trash");
    clock_shift(2 * DAY);
    configure(home, "[store]\nautoexpunge = Trash:1d\n");
    struct store_expired expired = expire_now(home);
    assert_int_equal(expired.autoexpunge, n);
    assert_int_equal(expired.octets, 100 * (uint64_t)n);
    assert_int_equal(exists(home, "Trash"), 0);
    assert_int_equal(home_acct(home).row.gone_msgs, n);
}

/* --- POP3 ----------------------------------------------------------------------------------------
 */

static void mail_expires_days_after_its_first_download(void **state)
{
    struct home *home = *state;
    configure(home, "[pop3]\nexpire = 3\n");
    for (unsigned i = 1; i <= 4; i++)
        home_append(home, "INBOX", 100 * i, 0);
    pass(home, 10 * DAY); /* the time of arrival does not count */
    assert_int_equal(exists(home, "INBOX"), 4);
    download(home, 1 | 2 | 4);
    home_move(home, "INBOX", 2, 2, "Archive"); /* somebody has put it away */
    home_expunge(home, "INBOX", 3, 3);
    pass(home, 2 * DAY);
    download(home, 1); /* again: the first time counts */
    assert_int_equal(exists(home, "INBOX"), 2);
    clock_shift(1 * DAY);
    await(home, "INBOX", 1);
    assert_int_equal(home_box(home, "INBOX").row.bytes, 400);
    assert_int_equal(exists(home, "Archive"), 1);
    pass(home, 30 * DAY);
    assert_int_equal(exists(home, "INBOX"), 1); /* it was never downloaded */
}

static void an_undeleted_download_has_its_days_again(void **state)
{
    struct home *home = *state;
    set(home, SLICE("pop3.expire"), SLICE("3"));
    home_append(home, "INBOX", 100, 0);
    download(home, 1);
    clock_shift(3 * DAY);
    await(home, "INBOX", 0);
    struct store_lost lost = only_lost(home);
    assert_int_equal(lost.by, LOST_EXPIRY);
    undelete(home, &lost);
    pass(home, 2 * DAY);
    assert_int_equal(exists(home, "INBOX"), 1);
    clock_shift(1 * DAY);
    await(home, "INBOX", 0);
}

/* --- the clock -----------------------------------------------------------------------------------
 */

static void a_clock_that_stepped_lets_nothing_expire_for_an_hour(void **state)
{
    struct home *home = *state;
    configure(home, "[store]\nautoexpunge = Trash:1d\n");
    home_append(home, "Trash", 100, 0);
    home->env->clock = clock_wall() + 5 * DAY; /* the wall clock is behind what was seen before */
    clock_shift(2 * DAY);
    for (unsigned i = 0; i < 3; i++)
        home_upkeep(home);
    assert_int_equal(exists(home, "Trash"), 1);
    assert_int_equal(expire_now(home).autoexpunge, 1); /* unless it is asked for */
    assert_int_equal(exists(home, "Trash"), 0);
}

static void asked_for_the_window_and_the_journal_go_too(void **state)
{
    struct home *home = *state;
    configure(home, "[store]\nundelete = 2d\nlog_days = 1\n");
    home_append(home, "INBOX", 100, 0);
    for (unsigned i = 0; i < 300; i++) {
        home_copy(home, "INBOX", 1, 1, "Archive");
    }
    home_expunge(home, "INBOX", 1, 1);
    clock_shift(3 * DAY);
    struct store_expired expired = expire_now(home);
    assert_true(expired.undelete <= 1); /* the timer may have been there first */
    assert_int_equal(home_acct(home).row.gone_msgs, 0);
    assert_true(home_rows(home, DBI_LOG) < 256);
}

static void nothing_expires_where_nothing_is_set(void **state)
{
    struct home *home = *state;
    home_append(home, "Trash", 100, 0);
    home_append(home, "INBOX", 100, 0);
    download(home, 1);
    pass(home, 400 * DAY);
    struct store_expired expired = expire_now(home);
    assert_int_equal(expired.pop3 + expired.autoexpunge, 0);
    assert_int_equal(exists(home, "Trash") + exists(home, "INBOX"), 2);
}

static void only_an_account_that_is_there_can_be_asked_for(void **state)
{
    struct home *home = *state;
    struct store_wait *wait = store_wait_new();
    store_expire(home->store, 0, 99, store_wait_to(wait));
    assert_err(store_wait(wait, NULL), ERR_NOTFOUND);
    wait = store_wait_new();
    store_expire(home->store, 0, 0, store_wait_to(wait)); /* all of them */
    assert_ok(store_wait(wait, NULL));
}

/* --- whose settings ------------------------------------------------------------------------------
 */

/* Half a day before, it is there; half a day later it has gone. */
static void goes_after(struct home *home, const char *path, unsigned days)
{
    home_append(home, path, 100, 0);
    download(home, 1); /* what INBOX holds */
    pass(home, days * DAY - DAY / 2);
    assert_int_equal(exists(home, path), 1);
    pass(home, DAY);
    assert_int_equal(exists(home, path), 0);
}

/* And out of the undelete window, once all else has. */
static void is_dropped_after(struct home *home, unsigned days)
{
    pass(home, 30 * DAY);
    uint32_t uid = home_append(home, "Drafts", 100, 0);
    home_expunge(home, "Drafts", uid, uid);
    pass(home, days * DAY - DAY / 2);
    assert_int_equal(home_acct(home).row.gone_msgs, 1);
    pass(home, DAY);
    assert_int_equal(home_acct(home).row.gone_msgs, 0);
}

/* An account's before its domain's, and that before the file's; one that is taken back gives way to
 * the next. Another domain's is nobody else's. */
static void the_nearest_setting_holds(void **state)
{
    struct home *home = *state;
    static const struct {
        struct slice name;
        const char *path, *before, *behind; /* around the days */
    } timers[] = {
        {{"store.autoexpunge", 17}, "Trash", "Trash:", "d"},
        {{"pop3.expire", 11},       "INBOX", "",       "" },
        {{"store.undelete", 14},    NULL,    "",       "d"},
    };
    struct slice other = SLICE("example.or"), mine = SLICE("example.org");
    struct store_wait *wait = store_wait_new();
    store_domain_create(home->store, other, store_wait_to(wait));
    assert_ok(store_wait(wait, NULL));
    for (size_t i = 0; i < sizeof timers / sizeof *timers; i++) {
        char text[4][32], file[96];
        struct slice value[4];
        for (unsigned days = 1; days < 4; days++) {
            int n = snprintf(text[days], sizeof text[days], "%s%u%s", timers[i].before, days,
                             timers[i].behind);
            value[days] = slice(text[days], (size_t)n);
        }
        size_t dot = slice_find(timers[i].name, '.');
        snprintf(file, sizeof file, "[" SLICE_FMT "]\n" SLICE_FMT " = " SLICE_FMT "\n",
                 SLICE_ARG(slice_first(timers[i].name, dot)),
                 SLICE_ARG(slice_from(timers[i].name, dot + 1)), SLICE_ARG(value[3]));
        configure(home, file);
        set_domain(home, other, timers[i].name, value[1]);
        set_domain(home, mine, timers[i].name, value[2]);
        set(home, timers[i].name, value[1]);
        for (unsigned days = 1; days < 4; days++) {
            if (timers[i].path)
                goes_after(home, timers[i].path, days);
            else
                is_dropped_after(home, days);
            if (days == 1)
                set(home, timers[i].name, SLICE_NONE);
            else
                set_domain(home, mine, timers[i].name, SLICE_NONE);
        }
        configure(home, "");
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, home_setup, home_teardown)
    const struct CMUnitTest tests[] = {
        CASE(trash_is_emptied_by_the_time_of_saving),
        CASE(what_was_undeleted_does_not_expire_at_once),
        CASE(an_account_has_its_own_ages),
        CASE(many_go_in_slices),
        CASE(mail_expires_days_after_its_first_download),
        CASE(an_undeleted_download_has_its_days_again),
        CASE(a_clock_that_stepped_lets_nothing_expire_for_an_hour),
        CASE(asked_for_the_window_and_the_journal_go_too),
        CASE(nothing_expires_where_nothing_is_set),
        CASE(only_an_account_that_is_there_can_be_asked_for),
        CASE(the_nearest_setting_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
