/* The changes that the crash sweep interrupts: tales of steps, each one call of store.h (or a few,
 * of different accounts), or a restart, or time going by. Between them they hold every kind of
 * batch. A step that was refused for lack of room can be told again. */
#ifndef TANDEM_TESTS_TALE_H
#define TANDEM_TESTS_TALE_H

#include "tests/lib/life.h"

struct step {
    const char *name;
    enum err (*run)(struct life *life); /* no store is open before the first */
    int64_t passes_s;                   /* time that goes by in it */
};

struct tale {
    const char *name;
    /* Makes the directory that the tale begins with; NULL: an empty one. */
    void (*before)(struct life *life);
    const struct step *steps;
    size_t nsteps;
    bool small; /* every power cut and every kill is tried, always */
};

extern const struct tale tales[];
extern const size_t ntales;

#endif
