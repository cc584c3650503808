/* ENVELOPE of a header, for envelope.c and structure.c. */
#ifndef TANDEM_MIME_ENVELOPE_TEXT_H
#define TANDEM_MIME_ENVELOPE_TEXT_H

#include "core/mime/text.h"

struct arena;

/* `fields`: of a message (mime_fields). *addresses: how many elements of lists may still be given;
 * counted down. The arena is scratch, reset on return. */
void envelope_text(struct text *t, struct slice fields, struct arena *a, uint32_t *addresses);

#endif
