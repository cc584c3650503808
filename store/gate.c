/* The grace gate: when may that be destroyed which a commit has orphaned?
 *
 *      reader                              committer
 *      slot = BUSY                         commit T: nobody names the body any more
 *      turnstile += 1      <-- either -->  turnstile += 1
 *      renew: snapshot S        order      every slot is 0 or >= T?
 *      slot = S                            no claim on the body?
 *      ... finds a row, claims its body    destroy it
 *      reset, slot = 0
 *
 * Claim: all slots 0 or >= T, and then no claim, means that nobody reads the body again.
 *
 * 1. The renew cannot slip behind the check. Both sides add to the turnstile, and additions to one
 *    atomic have one order. If the committer's comes first, the reader's addition reads from it
 *    (acquire from release), so the commit happens before the renew: S >= T. If the reader's comes
 *    first, BUSY happens before the check: the committer sees BUSY, S, or a value stored later.
 *    Stores and loads alone would not do: without a full barrier between them, both sides may read
 *    what was there before the other's store. An addition rather than a fence, because it orders
 *    LMDB's plain accesses in C's own terms, and because thread sanitizers understand it.
 * 2. Whoever could see the body has claimed it by the time its slot says 0 or >= T. A snapshot
 *    S < T keeps its slot below T until the reader stores 0 (or goes through BUSY to an S' >= T);
 *    it registers its claims before that store, the committer's load reads that store or a later
 *    one of the same thread, so the claims happen before the committer looks at them.
 * 3. No claim can arise later: a snapshot >= T does not find the body (a row that owns no reference
 *    may still name it: body.c asks for refs > 0 in the same snapshot).
 *
 * A claim may end at any time; that only delays. Ids are compared as they are: LMDB's never wrap.
 * Commit 1, which a slot could not tell from BUSY, makes the tables and orphans nothing. */
#include "store/env.h"

#include "store/sched.h"

void gate_enter(struct env *env, unsigned slot)
{
    atomic_store(&env->gate[slot], GATE_BUSY);
    atomic_fetch_add(&env->turnstile, 1);
}

bool gate_passed(struct env *env, uint64_t txn)
{
    atomic_fetch_add(&env->turnstile, 1);
    for (unsigned i = 0; i < READER_SLOTS; i++) {
        uint64_t seen = atomic_load(&env->gate[i]);
        if (seen == GATE_BUSY || (seen != 0 && seen < txn))
            return false;
    }
    SCHED_POINT("gate: passed, claims not yet asked for");
    return true;
}
