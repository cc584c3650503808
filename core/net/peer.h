/* The table of client addresses: how many connections and failed logins each has. Bounded, aged,
 * SipHash keys, 64 mutex shards whose locks are leaves. Any thread. */
#ifndef TANDEM_NET_PEER_H
#define TANDEM_NET_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct peers;

struct peers *peers_new(void);
void peers_free(struct peers *peers);
/* IPv4 /32, IPv6 /64, unix: one key for all. */
uint64_t peer_key(const struct peers *peers, const struct sockaddr_storage *address);
bool peer_connect(struct peers *peers, uint64_t key, unsigned max); /* false: over the limit */
void peer_disconnect(struct peers *peers, uint64_t key);
/* Count a failed login and tell by how much its answer is delayed: doubling between the bounds,
 * forgotten after 15 minutes without one. */
uint64_t peer_failed(struct peers *peers, uint64_t key, uint64_t min_ms, uint64_t max_ms);
/* Failed logins that are not forgotten yet. */
unsigned peer_failures(struct peers *peers, uint64_t key);
/* Log lines allowed for this address now? (token bucket of `rate` a second) */
bool peer_may_log(struct peers *peers, uint64_t key, unsigned rate);

#endif
