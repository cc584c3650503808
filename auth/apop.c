#include "auth/apop.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "auth/auth.h"
#include "core/base/arena.h"
#include "core/base/hex.h"

enum { MD5_OCTETS = 16, SECRET_MEMORY = 16 * 1024 };

bool auth_apop_check(struct slice verifier, struct slice timestamp, struct slice digest)
{
    unsigned char said[MD5_OCTETS], right[MD5_OCTETS];
    struct arena arena;
    struct slice secret;
    bool matches = false;
    if (digest.len != 2 * sizeof said || !hex_decode(digest, said))
        return false;
    arena_init(&arena, SECRET_MEMORY);
    if (auth_verifier_plain(verifier, &arena, &secret)) {
        char *text = arena_try(&arena, timestamp.len + secret.len + 1);
        if (text) {
            memcpy(text, timestamp.ptr, timestamp.len);
            memcpy(text + timestamp.len, secret.ptr, secret.len);
            matches =
                gnutls_hash_fast(GNUTLS_DIG_MD5, text, timestamp.len + secret.len, right) == 0;
        }
    }
    arena_wipe(&arena);
    return matches && gnutls_memcmp(said, right, sizeof said) == 0;
}
