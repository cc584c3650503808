/* Inside a search: verdicts, and the part of it that reads the octets of messages. */
#ifndef TANDEM_STORE_MATCH_H
#define TANDEM_STORE_MATCH_H

#include "core/base/buf.h"
#include "store/env.h"

enum verdict { VERDICT_NO, VERDICT_YES, VERDICT_OPEN /* the octets must tell */ };

/* The query's answer from the verdicts of its tests, by Kleene's logic: open only if what is open
 * matters. */
enum verdict match_answer(const struct store_test *tests, size_t n, const uint8_t *verdicts);

/* Memory that is used again for each message; one thread's at a time. */
struct match_room {
    struct buf header, plain, utf8;
    struct buf window; /* folded text; the end of it stays for the next piece */
};
void match_room_init(struct match_room *room);
void match_room_finish(struct match_room *room);

/* A TEST_HEADER over a header, or over a digest that has all fields of that name. */
bool match_header(struct match_room *room, const struct store_test *test, struct slice header);
/* The values of all fields of that name, as match_header compares them, each with '\n' behind it;
 * in `room` until the next call. False: one cannot be read, or has a '\n' of its own. */
bool match_values(struct match_room *room, struct slice field, struct slice header,
                  struct slice *ret);
/* A TEST_SENT over the same; a message without a valid Date was sent on no day. */
bool match_sent(const struct store_test *test, struct slice header);

/* The open verdicts of one message become YES or NO. Worker: reads by a reader of its own. */
struct match_body {
    struct store_reader *reader;
    struct store_body *body;
    uint32_t hdr_len;
    struct slice parts; /* its table (core/mime/parts.h); empty: it is scanned for them */
    const atomic_bool *cancelled;
};
MUST_CHECK enum err match_text(struct match_room *room, const struct match_body *message,
                               const struct store_test *tests, size_t n, uint8_t *verdicts);

#endif
