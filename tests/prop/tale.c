#include "tests/prop/tale.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/lib/dirs.h"
#include "tests/prop/steps.h"

static const struct step birth[] = {
    {"start",        step_start,        0},
    {"domain",       step_domain,       0},
    {"create alice", step_create_alice, 0},
    {"append",       step_append,       0},
    {"stop",         step_stop,         0},
    {"start",        step_start,        0},
    {"stop",         step_stop,         0},
};

static void populate(struct life *life)
{
    static const char *const names[] = {"alice", "bob", "carol", "dave"};
    enum err e = life_open(life);
    if (!e)
        e = life_domain(life);
    for (unsigned i = 0; !e && i < 4; i++)
        e = life_user(life, names[i]);
    if (e || !life_settle(life))
        abort();
    life_close(life);
}

static const struct step mail[] = {
    {"start",                step_start,               0         },
    {"create",               step_create,              0         },
    {"create child",         step_create_child,        0         },
    {"subscribe",            step_subscribe_on,        0         },
    {"unsubscribe",          step_subscribe_off,       0         },
    {"append",               step_append,              0         },
    {"multiappend",          step_multiappend,         0         },
    {"append, window",       step_append_window,       0         },
    {"crowd",                step_crowd,               0         },
    {"deliver to 3",         step_deliver_3,           0         },
    {"flags add",            step_flags_add,           0         },
    {"flags keyword",        step_flags_keyword,       0         },
    {"flags remove",         step_flags_remove,        0         },
    {"flags replace",        step_flags_replace,       0         },
    {"copy",                 step_copy,                0         },
    {"move",                 step_move,                0         },
    {"pop3 update",          step_pop3_update,         0         },
    {"move popped",          step_move_popped,         0         },
    {"flag deleted",         step_flag_deleted,        0         },
    {"expunge",              step_expunge,             0         },
    {"pop3 trash",           step_pop3_trash,          0         },
    {"pop3 hide",            step_pop3_hide,           0         },
    {"settle",               step_settle,              0         },
    {"flag deleted, window", step_flag_deleted_window, 0         },
    {"expunge, window",      step_expunge_window,      0         },
    {"pop3 update, window",  step_pop3_window,         0         },
    {"create old",           step_create_old,          0         },
    {"fill old",             step_fill_old,            0         },
    {"delete old, window",   step_delete_old,          0         },
    {"undelete",             step_undelete,            0         },
    {"delete old again",     step_delete_old,          0         },
    {"rename tree",          step_rename_tree,         0         },
    {"rename INBOX",         step_rename_inbox,        0         },
    {"delete child",         step_delete_child,        0         },
    {"delete full",          step_delete_full,         0         },
    {"settle",               step_settle,              0         },
    {"64 keywords",          step_keywords_64,         0         },
    {"no keyword",           step_keywords_none,       0         },
    {"keywords retire",      step_keywords_retire,     0         },
    {"keyword 65",           step_keyword_65,          0         },
    {"user set",             step_set_bob,             0         },
    {"fill archive",         step_fill_archive,        0         },
    {"expire",               step_expire,              2 * DAY_S },
    {"alias set",            step_alias_on,            0         },
    {"alias delete",         step_alias_off,           0         },
    {"user create",          step_create_erin,         0         },
    {"append erin",          step_append_erin,         0         },
    {"import mailbox",       step_import_mailbox,      0         },
    {"import",               step_import,              0         },
    {"import end",           step_import_end,          0         },
    {"backup",               step_backup,              0         },
    {"account in",           step_account_in,          0         },
    {"restart",              step_restart,             0         },
    {"window passes",        step_settle,              15 * DAY_S},
    {"stop",                 step_stop,                0         },
};

static const struct step bulk[] = {
    {"start",           step_start,               0          },
    {"staged append",   step_append_staged,       0          },
    {"stage abandoned", step_stage_abandoned,     0          },
    {"deliver to 300",  step_deliver_300,         0          },
    {"user delete",     step_delete_dave,         0          },
    {"account swept",   step_settle,              700        },
    {"flag deleted",    step_flag_deleted_window, 0          },
    {"expunge",         step_expunge_window,      0          },
    {"trims",           step_settle,              91 * DAY_S },
    {"message ids",     step_settle,              401 * DAY_S},
    {"stop",            step_stop,                0          },
};

static void bulk_before(struct life *life)
{
    populate(life);
    if (step_append_window(life))
        abort();
    life_close(life);
}

/* An older file is put in the place of the newer one, which clients have seen. */
static void restore(struct life *life)
{
    char now[300], old[310];
    populate(life);
    snprintf(now, sizeof now, "%s/shard-00/store.mdb", life->dir);
    snprintf(old, sizeof old, "%s.old", now);
    file_copy(now, old);
    if (step_append(life) || step_multiappend(life) || step_create(life))
        abort();
    life_close(life);
    if (rename(old, now) != 0)
        abort();
}

/* What a daemon leaves that is killed at its busiest: an upload, expunged messages that somebody
 * was reading, a deleted mailbox, a deleted account. */
static void die_busy(struct life *life)
{
    struct store_reader *slow;
    struct engine_txn *snap;
    char copy[300];
    enum err e;
    populate(life);
    if (step_append(life) || step_multiappend(life) || step_create(life) ||
        step_deliver_300(life) || step_move_to_work(life) || step_append(life))
        abort();
    if (store_reader_new(life->store, NULL, &slow) || reader_snap(slow, life->env, &snap))
        abort();
    struct store_account *bob = life_account(life, "bob", WINDOW_S);
    struct store_incoming *in = life_message(bob, 80, BIG, &e);
    while (in && !life_rows(life, DBI_STAGE))
        usleep(100);
    if (!in || step_expunge(life) || step_delete_work(life) || step_delete_dave(life))
        abort();
    if (!life_rows(life, DBI_GONE))
        abort(); /* the slow reader has held nothing up */
    snprintf(copy, sizeof copy, "%s.copy", life->dir);
    dir_copy(life->dir, copy);
    store_incoming_free(in);
    store_account_close(bob);
    store_reader_free(slow);
    life_close(life);
    dir_copy(copy, life->dir);
    dir_remove(copy);
    snprintf(copy, sizeof copy, "%s/shard-00/store.mdb-lock", life->dir);
    unlink(copy);
    snprintf(copy, sizeof copy, "%s/catalog/catalog.mdb-lock", life->dir);
    unlink(copy);
}

static const struct step recovery[] = {
    {"start",   step_start,   0},
    {"settle",  step_settle,  0},
    {"append",  step_append,  0},
    {"restart", step_restart, 0},
    {"settle",  step_settle,  0},
    {"stop",    step_stop,    0},
};

static const struct step lift[] = {
    {"start",   step_start,       0},
    {"append",  step_append,      0},
    {"create",  step_create,      0},
    {"restart", step_restart,     0},
    {"append",  step_multiappend, 0},
    {"stop",    step_stop,        0},
};

#define STEPS(list) list, sizeof list / sizeof *list

const struct tale tales[] = {
    {"birth", NULL, STEPS(birth),  true},
    {"mail",       populate,      STEPS(mail)    },
    {"bulk",       bulk_before,      STEPS(bulk)},
    {"recovery",       die_busy,  STEPS(recovery)   },
    {"lift",       restore,      STEPS(lift)  },
};
const size_t ntales = sizeof tales / sizeof *tales;
