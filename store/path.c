/* Mailbox paths: which names may be, and their one form (CONTRACTS: UTF-8 NFC, '/' between). */
#include "store/store.h"

#include <stdlib.h>
#include <uninorm.h>

#include "core/base/utf8.h"
#include "store/keys.h"

static const struct slice reserved[] = {
    {"Other Users", 11},
    {"Shared",      6 },
    {"Recoverable", 11}
};

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool component_ok(struct slice c)
{
    if (c.len == 0 || c.len > COMPONENT_OCTETS_MAX || blank(c.ptr[0]) || blank(c.ptr[c.len - 1]))
        return false;
    for (size_t i = 0; i < c.len; i++) {
        unsigned char octet = (unsigned char)c.ptr[i];
        bool c1 = octet == 0xc2 && i + 1 < c.len && (unsigned char)c.ptr[i + 1] < 0xa0;
        if (octet < 0x20 || octet == 0x7f || octet == '%' || octet == '*' || c1)
            return false;
    }
    return true;
}

/* U+0080..U+009F are control characters too: 0xc2 0x80..0x9f, seen in component_ok. */
enum err store_path_check(struct slice wire, struct arena *arena, struct slice *ret)
{
    if (wire.len == 0 || wire.len > 4 * PATH_OCTETS_MAX || !utf8_valid(wire))
        return ERR_CANNOT;
    size_t len = 0;
    uint8_t *nfc = u8_normalize(UNINORM_NFC, (const uint8_t *)wire.ptr, wire.len, NULL, &len);
    if (!nfc)
        return ERR_CANNOT;
    struct slice path = len <= PATH_OCTETS_MAX ? arena_dup(arena, slice(nfc, len)) : SLICE_NONE;
    free(nfc);
    if (!path.ptr)
        return ERR_CANNOT;

    unsigned levels = 0;
    for (struct slice rest = path;;) {
        struct slice component = slice_first(rest, slice_find(rest, '/'));
        if (!component_ok(component) || ++levels > PATH_LEVELS_MAX)
            return ERR_CANNOT;
        if (levels == 1) {
            for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
                if (slice_ieq(component, reserved[i]))
                    return ERR_CANNOT;
            if (slice_ieq(component, SLICE("INBOX")))
                memcpy((char *)(uintptr_t)path.ptr, "INBOX", 5);
        }
        if (component.len == rest.len)
            break;
        rest = slice_from(rest, component.len + 1);
    }
    *ret = path;
    return ERR_OK;
}
