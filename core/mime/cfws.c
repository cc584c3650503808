#include "core/mime/cfws.h"

size_t comment_length(struct slice s)
{
    size_t depth = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\\')
            i++;
        else if (s.ptr[i] == '(')
            depth++;
        else if (s.ptr[i] == ')' && --depth == 0)
            return i + 1;
    }
    return 0;
}

size_t quoted_length(struct slice s)
{
    for (size_t i = 1; i < s.len; i++) {
        if (s.ptr[i] == '\\')
            i++;
        else if (s.ptr[i] == '"')
            return i + 1;
    }
    return 0;
}

struct slice cfws_skip(struct slice s)
{
    while (s.len) {
        if (is_blank(s.ptr[0])) {
            s = slice_from(s, 1);
        } else if (s.ptr[0] == '(') {
            size_t n = comment_length(s);
            s = slice_from(s, n ? n : s.len);
        } else {
            break;
        }
    }
    return s;
}
