#include "core/base/fault.h"

#include <stdarg.h>
#include <stdio.h>

enum err fault(struct fault *why, enum err code, const char *format, ...)
{
    if (!why)
        return code;
    va_list ap;
    va_start(ap, format);
    why->code = code;
    vsnprintf(why->text, sizeof why->text, format, ap);
    va_end(ap);
    return code;
}
