#!/bin/sh
# certificate.sh CERTIFICATE KEY: make a self-signed certificate for localhost (ECDSA P-256, with
# certtool of GnuTLS), for trying Tandem out and for its tests. A real server gets a real one.
set -eu
certificate=$1
key=$2
umask 077
template=$(mktemp)
trap 'rm -f "$template"' EXIT
cat >"$template" <<END
cn = "localhost"
dns_name = "localhost"
ip_address = "127.0.0.1"
ip_address = "::1"
expiration_days = 3650
signing_key
tls_www_server
END
certtool --generate-privkey --key-type ecdsa --curve secp256r1 --outfile "$key" 2>/dev/null
certtool --generate-self-signed --load-privkey "$key" --template "$template" \
    --outfile "$certificate" 2>/dev/null
chmod 644 "$certificate"
