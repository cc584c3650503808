#include "imap/batch.h"

bool batch_next(const struct uidset *uids, uint32_t *after, struct uidset *ret)
{
    uint32_t room = BATCH_MAX;
    uidset_clear(ret);
    for (uint32_t i = 0; i < uids->n && room; i++) {
        struct uidrange r = uids->ranges[i];
        if (r.last <= *after)
            continue;
        if (r.first <= *after)
            r.first = *after + 1;
        if (r.last - r.first >= room)
            r.last = r.first + room - 1;
        room -= r.last - r.first + 1;
        uidset_add(ret, r.first, r.last);
        *after = r.last;
    }
    return ret->n != 0;
}
