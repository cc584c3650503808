/* Which messages are \Recent is decided in memory (store/boxes.h) and written lazily: with the next
 * change of the mailbox, else ten minutes after a session was told, and when the store stops. After
 * a crash a message may be recent once more (RFC 3501 section 2.3.2 lets it). So SELECT writes
 * nothing. */
#ifndef TANDEM_STORE_RECENT_H
#define TANDEM_STORE_RECENT_H

struct env;

/* Before committer_start. */
void recent_register(struct env *env);
/* Before committer_stop: what is not written yet goes out as one change. */
void recent_settle(struct env *env);

#endif
