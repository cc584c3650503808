/* Names of mailboxes as another server had them. */
#ifndef TANDEM_CMD_MAIL_NAME_H
#define TANDEM_CMD_MAIL_NAME_H

#include "core/base/arena.h"
#include "core/base/slice.h"

enum name_fit { NAME_SAME, NAME_MENDED, NAME_CANNOT };

/* The path below `prefix` (may be empty) of a mailbox that was called `name`, in the arena: octets
 * that no name may have become '_', and so do blanks at the ends of a component (CONTRACTS section
 * 4); a name that is kept for another use gets a '_' behind it. NAME_CANNOT: it is too long or too
 * deep, or not UTF-8. */
enum name_fit name_fit(struct slice prefix, struct slice name, struct arena *arena,
                       struct slice *ret);

#endif
