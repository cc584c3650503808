/* A socket whose last words must not be lost: closing while octets of the client are unread, or
 * still come, makes the kernel send a reset that can overtake them. So the sending side is shut,
 * what comes is thrown away, and the socket is closed at the client's end or after two seconds. */
#ifndef TANDEM_NET_LINGER_H
#define TANDEM_NET_LINGER_H

struct linger_set;
struct loop;

struct linger_set *linger_set_new(struct loop *loop); /* of one loop; its thread */
void linger_set_free(struct linger_set *set);         /* closes what is left */
void linger_close(struct linger_set *set, int fd); /* takes over fd; at once when too many wait */

#endif
