/* What SORT and THREAD compare (RFC 5256, RFC 5957), made from a message's header. */
#ifndef TANDEM_MIME_SORT_H
#define TANDEM_MIME_SORT_H

#include <stdbool.h>

#include "core/mime/mime.h"

struct buf;

/* The base subject of a value of Subject: decoded, blanks made one, without "Re:", "Fwd:", "[list]"
 * and "(fwd)" (RFC 5256 section 2.1), in UTF-8, not folded; appended. *ret_reply: something that
 * says reply or forward was removed (section 3, ORDEREDSUBJECT and REFERENCES). Linear. ERR_LIMIT.
 */
MUST_CHECK enum err sort_base_subject(struct slice value, struct buf *to, bool *ret_reply);

/* Keys are folded by i;unicode-casemap (RFC 5051): comparing octets orders them. Longer ones are
 * cut at SORT_KEY_MAX octets. */
enum { SORT_KEY_MAX = 255 };

struct sort_keys {
    bool reply;                        /* of sort_base_subject */
    struct slice subject;              /* base subject */
    struct slice from, to, cc;         /* addr-mailbox of the first address (section 3) */
    struct slice shown_from, shown_to; /* display name, else mailbox@host (RFC 5957 section 3) */
};

/* The keys of a message, to be stored: u8 1 if reply, then for each key a u8 length and its octets.
 * ERR_LIMIT: more than the buf takes; nothing was added. */
MUST_CHECK enum err sort_keys_append(const struct mime_tree *tree, struct buf *to);
/* ERR_CORRUPT. The keys lie in `stored`. */
MUST_CHECK enum err sort_keys_read(struct slice stored, struct sort_keys *ret);

#endif
