#include "core/base/utf8.h"

size_t utf8_span(struct slice s)
{
    size_t n = 0;
    for (unsigned k = 1; k && n < s.len; n += k) {
        n += slice_ascii(slice_from(s, n));
        k = n < s.len ? utf8_first(slice_from(s, n), NULL) : 0;
    }
    return n;
}

bool utf8_valid(struct slice s)
{
    return utf8_span(s) == s.len;
}
