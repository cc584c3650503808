/* The changes that tales are made of: one call of store.h each, or a few that belong to different
 * accounts. Each opens the store if it finds it closed, and does the same to the same accounts
 * (alice, who has no undelete window, bob, who has one, carol, dave) every time it is told. */
#ifndef TANDEM_TESTS_STEPS_H
#define TANDEM_TESTS_STEPS_H

#include "tests/lib/life.h"

enum { DAY_S = 86400, WINDOW_S = 14 * DAY_S, BIG = 2600000 };

typedef enum err step_run(struct life *life);

step_run step_start, step_stop, step_restart, step_settle, step_append, step_multiappend,
    step_append_window, step_append_staged, step_stage_abandoned, step_deliver_3, step_deliver_300,
    step_crowd, step_flags_add, step_flags_keyword, step_flags_remove, step_flags_replace,
    step_copy, step_move, step_pop3_update, step_pop3_trash, step_pop3_hide, step_move_popped,
    step_flag_deleted, step_expunge, step_flag_deleted_window, step_expunge_window,
    step_pop3_window, step_keywords_64, step_keywords_none, step_keywords_retire, step_keyword_65,
    step_create, step_create_child, step_subscribe_on, step_subscribe_off, step_rename_tree,
    step_rename_inbox, step_delete_child, step_delete_full, step_move_to_work, step_delete_work,
    step_create_old, step_fill_old, step_delete_old, step_create_erin, step_create_alice,
    step_append_erin, step_delete_dave, step_set_bob, step_undelete, step_fill_archive, step_expire,
    step_alias_on, step_alias_off, step_domain, step_import_mailbox, step_import, step_import_end,
    step_backup, step_account_in;

#endif
