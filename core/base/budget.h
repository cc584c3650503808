/* How much memory connections, jobs and caches hold, by class, against `[limits] memory`. Counting
 * never refuses: whoever is about to grow looks at budget_level() first, so that a session that
 * exists can always end cleanly. Recorder rings and the store's map are not counted; a snapshot
 * that is shared is counted once, by its cache. Any thread; no locks. */
#ifndef TANDEM_BASE_BUDGET_H
#define TANDEM_BASE_BUDGET_H

#include <stddef.h>

struct config_share;

#define BUDGET_LIST(X)                                                                             \
    X(INPUT, "input")       /* what clients sent and is not consumed, arenas of commands */        \
    X(OUTPUT, "output")     /* what waits to be sent */                                            \
    X(UPLOAD, "upload")     /* messages on their way in, <= 1 MiB each */                          \
    X(JOBS, "jobs")         /* arenas of jobs in the pool, hashing */                              \
    X(TLS, "tls")           /* GnuTLS sessions */                                                  \
    X(COMPRESS, "compress") /* zlib */                                                             \
    X(CACHES, "caches")     /* snapshots, verified passwords: given back first */

enum budget_class {
#define X(id, word) BUDGET_##id,
    BUDGET_LIST(X)
#undef X
        BUDGET_CLASSES
};

/* EASY: all is well. TIGHT, from 80 %: caches shrink, no new uploads, no COMPRESS, connections
 * before login are shed, oldest first. FULL, from 95 %: new work is refused. */
enum budget_level { BUDGET_EASY, BUDGET_TIGHT, BUDGET_FULL };

/* Octets of RAM, or of the tightest cgroup (v2) around this process when that is less. Reads
 * /proc and /sys: before the sandbox. */
size_t budget_machine(void);
/* The limit, once at start: a size as it is, a percentage of budget_machine(). */
void budget_setup(const struct config_share *memory);

void budget_take(enum budget_class class, size_t octets);
void budget_give(enum budget_class class, size_t octets); /* what was taken before */
enum budget_level budget_level(void);                     /* one relaxed load */
size_t budget_used(enum budget_class class);
size_t budget_total(void);
size_t budget_limit(void); /* SIZE_MAX before budget_setup */
const char *budget_word(enum budget_class class);

#endif
