/* What a FETCH asks for: fetch-att of RFC 3501 section 9, parsed once per command. */
#ifndef TANDEM_IMAP_FETCH_ITEM_H
#define TANDEM_IMAP_FETCH_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imap/parse.h"

/* Items that are one value of the row; naming one twice asks for it once. */
enum {
    FETCH_UID = 1,
    FETCH_FLAGS = 2,
    FETCH_INTERNALDATE = 4,
    FETCH_SIZE = 8,
    FETCH_ENVELOPE = 16,
    FETCH_BODYSTRUCTURE = 32,
    FETCH_BODY = 64, /* without a section: BODYSTRUCTURE without its extension data */
};

enum section_kind {
    SECTION_ALL,    /* BODY[] */
    SECTION_HEADER, /* with its blank line */
    SECTION_TEXT,
    SECTION_MIME,      /* of a part only */
    SECTION_FIELDS,    /* HEADER.FIELDS */
    SECTION_FIELDS_NOT /* HEADER.FIELDS.NOT */
};

/* Octets of the message, or of one of its parts. */
struct fetch_section {
    struct fetch_section *next;
    enum section_kind kind;
    uint32_t *number; /* 2.1 of BODY[2.1.TEXT] */
    size_t nnumber;   /* 0: the message */
    bool partial;
    uint32_t first, count; /* <first.count> */
    struct slice *fields;  /* sorted without regard to case, for bsearch */
    size_t nfields;
    struct slice label; /* how the response names it: `BODY[HEADER.FIELDS (From)]<0>` */
};

struct fetch_items {
    unsigned simple; /* FETCH_... */
    bool parts;      /* some section is that of a part */
    struct fetch_section *sections;
    bool sets_seen; /* one of them is not .PEEK */
};

/* fetch-att, "(" fetch-att list ")" or a macro, at the parser's place. All in the arena. */
MUST_CHECK enum parse fetch_items_parse(struct parser *p, struct fetch_items **ret);
/* Is the field name one of those of a HEADER.FIELDS section? O(log fields). */
bool fetch_section_names(const struct fetch_section *section, struct slice field);

#endif
