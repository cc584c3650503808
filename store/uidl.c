#include "store/uidl.h"

#include <stdio.h>

static const struct slice names[] = {
    [UIDL_DOVECOT] = {"dovecot", 7},
      [UIDL_CYRUS] = {"cyrus",   5},
      [UIDL_COURIER] = {"courier", 7},
    [UIDL_UW] = {"uw",      2},
      [UIDL_UID] = {"uid",     3},
      [UIDL_GUID] = {"guid",    4},
};

enum uidl_format uidl_format(struct slice name)
{
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_ieq(name, names[i]))
            return i;
    return UIDL_DOVECOT;
}

size_t uidl_make(enum uidl_format format, uint32_t uidvalidity, uint32_t uid,
                 const unsigned char emailid[16], char *to)
{
    int n = 0;
    switch (format) {
    case UIDL_DOVECOT:
        n = snprintf(to, UIDL_MAX + 1, "%08x%08x", uid, uidvalidity);
        break;
    case UIDL_CYRUS:
        n = snprintf(to, UIDL_MAX + 1, "%u.%u", uidvalidity, uid);
        break;
    case UIDL_COURIER:
        n = snprintf(to, UIDL_MAX + 1, "UID%u-%u", uid, uidvalidity);
        break;
    case UIDL_UW:
        n = snprintf(to, UIDL_MAX + 1, "%08x%08x", uidvalidity, uid);
        break;
    case UIDL_UID:
        n = snprintf(to, UIDL_MAX + 1, "%u", uid);
        break;
    case UIDL_GUID:
        for (unsigned i = 0; i < 16; i++)
            n += snprintf(to + n, 3, "%02x", emailid[i]);
        break;
    }
    return (size_t)n;
}
