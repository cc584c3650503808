/* Writes tandem.ini(5) from the table of keys, at build time: the page cannot miss one. */
#include <stdio.h>
#include <string.h>

#include "core/base/config.h"

static const char head[] =
    ".SH NAME\n"
    "tandem.ini \\- configuration of the Tandem mail server\n"
    ".SH SYNOPSIS\n"
    ".I /etc/tandem/tandem.ini\n"
    ".SH DESCRIPTION\n"
    "One INI file: sections in brackets, in them lines\n"
    ".IR \"KEY \" = \" VALUE\" .\n"
    "A line that begins with # or ; is a comment; put a value in double quotes if it holds one of\n"
    "these. The smallest useful file:\n"
    ".PP\n"
    ".nf\n"
    "    [tandem]\n"
    "    version = 1\n"
    "    hostname = mail.example.org\n"
    "    default_domain = example.org\n"
    "\n"
    "    [tls]\n"
    "    certificate = /etc/ssl/mail.example.org.pem\n"
    "    key = /etc/ssl/private/mail.example.org.key\n"
    ".fi\n"
    ".PP\n"
    "Without any\n"
    ".B [listen NAME]\n"
    "it serves POP3 on port 110 and, with TLS from the start, 995, IMAP on 143 and 993, and LMTP "
    "on\n"
    "the socket\n"
    ".B lmtp\n"
    "in the directory of the store.\n"
    ".B tandem config check\n"
    "tells every mistake at once, with its line;\n"
    ".B tandem config show\n"
    "tells each value that holds, and who says so.\n"
    ".SS Values\n"
    "Sizes take k, M or G (of 1024), times ms, s, m, h or d; lists are separated by commas. 0 "
    "means\n"
    "\"none\" only where it is said below. Secrets are never in this file but in files of their "
    "own.\n"
    ".SS Changing values\n"
    "A reload\n"
    ".RB ( \"tandem reload\" ,\n"
    "or SIGHUP) takes all of the file, or on any mistake nothing. Below, a key is marked\n"
    ".I new connections\n"
    "if sessions that exist keep the value that they had, and\n"
    ".I restart\n"
    "if the daemon must be started anew for it. All others hold at once.\n"
    ".SS Domains and accounts\n"
    "Keys that are marked\n"
    ".I account\n"
    "can be overridden for a domain or an account, as\n"
    ".IR SECTION.KEY :\n"
    ".B tandem domain set example.org store.quota=2G\n"
    "and\n"
    ".BR \"tandem user set alice pop3.hide_seen=yes\" .\n"
    "What the account says wins over its domain, that over this file, and that over the default.\n";

static const char tail[] = ".SH FILES\n"
                           ".I /etc/tandem/tandem.ini\n"
                           ".SH SEE ALSO\n"
                           ".BR tandemd (8),\n"
                           ".BR tandem (1)\n";

static const struct {
    const char *section, *title, *about;
} sections[] = {
    {"tandem", "[tandem]",          "The server as a whole."                                      },
    {"store",  "[store]",           "Where mail is kept, how much, and how long."                 },
    {"listen", "[listen NAME]",
     "A place to listen at. NAME is free: a-z 0-9 _ -; systemd's FileDescriptorName= of a socket "
     "that "
     "is handed over."                                                                            },
    {"tls",    "[tls], [tls NAME]",
     "Certificates. [tls] is what listeners use, and serves the pairs of all sections: the "
     "client's "
     "wish (SNI) chooses. A named section has from [tls] what it does not say itself; a listener "
     "that names it serves it alone."                                                             },
    {"auth",   "[auth]",
     "Who may come in, and how. Each failed login is a line auth-failed in the log, which the "
     "filter "
     "for Fail2Ban that comes with Tandem reads."                                                 },
    {"ldap",   "[ldap NAME]",       "An LDAP server, named by [auth] sources."                    },
    {"oauth",  "[oauth NAME]",      "An issuer of OAuth tokens, named by [auth] sources."         },
    {"hook",   "[hook NAME]",
     "A program or web address that is asked for accounts, or told of events."                    },
    {"imap",   "[imap]",            "IMAP."                                                       },
    {"pop3",   "[pop3]",            "POP3, and what of an account it shows."                      },
    {"lmtp",   "[lmtp]",            "Mail that comes in."                                         },
    {"limits", "[limits]",          "What one client, address or account may take of the machine."},
    {"log",    "[log]",             "The log."                                                    },
    {"daemon", "[daemon]",          "The process."                                                },
    {"backup", "[backup]",          "Backups."                                                    },
};

/* For troff: a backslash, and a dot or quote at the beginning of a line, would be its own. */
static void put(const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", stdout);
    for (; *text; text++)
        switch (*text) {
        case '\\':
            fputs("\\e", stdout);
            break;
        case '-':
            fputs("\\-", stdout);
            break;
        case ':': /* a priority string has nowhere else to break */
            fputs(":\\:", stdout);
            break;
        default:
            putchar(*text);
        }
}

static void put_key(unsigned i, const struct config_key_info *k)
{
    char least[CONFIG_RANGE_TEXT], most[CONFIG_RANGE_TEXT];
    printf(".TP\n.B \"");
    put(k->key);
    printf("\\fR = \\fI");
    put(k->type);
    printf("\"\n");
    put(k->help);
    putchar('.');
    if (config_key_range(i, least, most))
        printf(" From %s to %s.", least, most);
    if (k->fallback[0]) {
        printf(" Default: ");
        put(k->fallback);
        putchar('.');
    }
    if (k->class != CONFIG_LIVE)
        printf(" \\fI%s\\fR.", k->class == CONFIG_RESTART ? "Restart" : "New connections");
    if (k->overridable)
        printf(" \\fIAccount\\fR.");
    putchar('\n');
}

/* False: a section of the table has no title here. */
static bool put_heading(const char *section)
{
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (strcmp(sections[i].section, section) == 0) {
            printf(".SH \"%s\"\n", sections[i].title);
            put(sections[i].about);
            putchar('\n');
            return true;
        }
    fprintf(stderr, "gen_manual: [%s] needs a title\n", section);
    return false;
}

int main(void)
{
    struct config_key_info k;
    const char *section = "";
    printf(".TH TANDEM.INI 5 \"2026-11\" \"Tandem %s\" \"File formats\"\n%s", TANDEM_VERSION, head);
    for (unsigned i = 0; config_key_info(i, &k); i++) {
        if (strcmp(section, k.section) != 0 && !put_heading(section = k.section))
            return 1;
        put_key(i, &k);
    }
    fputs(tail, stdout);
    return 0;
}
