/* The detail that travels beside an error code: for the log and the administrator, never for a
 * client. The maker returns the code, so that noting and returning is one line. */
#ifndef TANDEM_BASE_FAULT_H
#define TANDEM_BASE_FAULT_H

#include "core/base/attr.h"
#include "core/base/err.h"

struct fault {
    enum err code;
    char text[248];
};

/* Note why and return `code`. `why` may be NULL (the caller does not want to know); a text that is
 * already there is replaced. Cut at the size of `text`. */
enum err fault(struct fault *why, enum err code, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
