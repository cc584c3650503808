/* Address lists: RFC 5322 section 3.4 with the obsolete forms of 4.4 (routes, empty elements, dots
 * and comments anywhere), and what else is found in mail. One pass, linear, no recursion.
 *
 * Every list has a reading:
 *   - A quote, comment, "<" or domain literal that is not closed is passed over; the list goes on.
 *   - An element without "@" is a mailbox without host: the words of it.
 *   - A comment is the display name of an address that has none: joe@example.com (Joe).
 *   - A group that is not closed ends with the list. Groups do not nest. */
#ifndef TANDEM_MIME_ADDRESS_H
#define TANDEM_MIME_ADDRESS_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/base/slice.h"

enum address_kind { ADDRESS_MAILBOX, ADDRESS_GROUP, ADDRESS_GROUP_END };

/* Texts are unfolded and without their quotes; encoded words stay as they are. They live until the
 * next call. */
struct address {
    enum address_kind kind;
    struct slice name;    /* display name, or the group's; empty: none */
    struct slice route;   /* "@a,@b"; empty: none */
    struct slice mailbox; /* local part; may be empty */
    struct slice host;    /* may be empty */
};

struct address_walk {
    struct slice rest;
    bool in_group;
    bool no_quote, no_comment, no_literal; /* known: no end of one is left */
    struct buf text;
};

void address_walk_init(struct address_walk *w, struct slice value);
bool address_next(struct address_walk *w, struct address *ret);
void address_walk_finish(struct address_walk *w);

#endif
