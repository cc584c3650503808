/* Giving up keywords that no message has, when a mailbox's table of 64 is full and somebody may
 * want another one:
 *
 *      used --mark--> retiring --scan of `hot`, then `gone`: not found--> free, gen + 1
 *       ^                |
 *       +----------------+  a change names it (keyword_bits), or the scan finds it
 *
 * The scan goes in slices beside other changes. A message gets a keyword by name, which revives it,
 * or from a message of the same mailbox that has it already; messages only move upwards in `hot`,
 * and from there to `gone`, so the scan meets what it has not passed. Whatever brings back the
 * keywords of a `gone` row must name them.
 *
 * What a crash leaves retiring is as good as used. A scan that gave nothing is not repeated within
 * ten minutes. */
#ifndef TANDEM_STORE_RETIRE_H
#define TANDEM_STORE_RETIRE_H

#include "store/commit.h"

struct retire;

/* Before committer_start: makes env->retire and registers its upkeep. */
void retire_register(struct env *env);
void retire_free(struct retire *retire); /* after committer_free; NULL shrugs */

/* The table of this mailbox is full. Any thread; a leaf lock. Does nothing without a committer. */
void retire_keywords(struct env *env, uint32_t a, uint32_t m);

#endif
