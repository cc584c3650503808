/* Stop points for the deterministic scheduler of the tests (tests/lib/sched.h): places where the
 * order of threads matters. They are nothing in a build without TANDEM_SCHED. */
#ifndef TANDEM_STORE_SCHED_H
#define TANDEM_STORE_SCHED_H

#if defined(TANDEM_SCHED)
void sched_point(const char *where);
#define SCHED_POINT(where) sched_point(where)
#else
#define SCHED_POINT(where) ((void)0)
#endif

#endif
