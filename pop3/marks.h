/* What one session has done to the messages of its maildrop: which are marked deleted (DELE), which
 * have been retrieved completely (RETR). Nothing of it is in the store before QUIT or the end of
 * the connection.
 *
 * A RETR is complete when its last octet has been written to the client and then either the client
 * said something more or, at the end, the kernel holds nothing unacknowledged. Until then it waits
 * here with the place of its last octet in the stream of output. */
#ifndef TANDEM_POP3_MARKS_H
#define TANDEM_POP3_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct marks_sent {
    uint32_t message;
    uint64_t end; /* octets of output up to and with its last one */
};

/* Messages are numbered from 1; bitmaps count from bit 0, LSB first. Made by marks_init. */
struct marks {
    uint32_t count;
    unsigned char *deleted;   /* NULL until the first DELE */
    unsigned char *retrieved; /* NULL until the first complete RETR */
    uint32_t ndeleted, nretrieved;
    uint64_t deleted_octets;
    struct marks_sent *sent; /* RETRs that are not complete yet, in order of `end` */
    size_t nsent, cap;
};

void marks_init(struct marks *m, uint32_t count);
void marks_finish(struct marks *m);
bool marks_deleted(const struct marks *m, uint32_t message);
void marks_delete(struct marks *m, uint32_t message, uint32_t octets); /* not deleted before */
void marks_reset(struct marks *m); /* RSET: nothing is deleted; what was retrieved stays so */
/* Those that were retrieved completely are deleted too. Their octets are not counted: nobody is
 * told any more. */
void marks_delete_retrieved(struct marks *m);
/* Has it been sent in this session, completely as far as we know? */
bool marks_has_sent(const struct marks *m, uint32_t message);
void marks_sent(struct marks *m, uint32_t message, uint64_t end);
/* The client is known to be there after `written` octets were. */
void marks_confirm(struct marks *m, uint64_t written);

#endif
