/* tandemd: options, and the order in which a start gives things up (CONTRACTS section 2):
 * config -> bind and read keys -> drop root -> no new privileges -> sandbox -> store, threads. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/control.h"
#include "cmd/daemon.h"
#include "cmd/privileges.h"
#include "cmd/sandbox.h"
#include "cmd/setup.h"
#include "core/base/budget.h"
#include "core/base/buf.h"
#include "core/base/fault.h"
#include "core/base/log.h"
#include "core/net/helper.h"
#include "core/net/listen.h"
#include "imap/imap.h"
#include "lmtp/lmtp.h"
#include "pop3/pop3.h"

enum { BANNER_MAX = 1 << 20 };

static const char usage[] = "Usage: tandemd [-c FILE] [-t] [--banner FILE]\n"
                            "Serve one mail store by POP3 and IMAP.\n\n"
                            "  -c, --config FILE   configuration (/etc/tandem/tandem.ini)\n"
                            "  -t, --check         check configuration and certificates, and end\n"
                            "      --banner FILE   print FILE on stdout when it serves\n"
                            "      --version       print the version\n"
                            "  -h, --help          print this\n\n"
                            "SIGTERM and SIGINT end it when its clients have been told, SIGHUP "
                            "reads the configuration anew.\n";

struct options {
    const char *config, *banner;
    bool check;
};

/* 0: go on; else exit status + 1. */
static int options_read(int argc, char **argv, struct options *ret)
{
    enum { OPT_BANNER = 256, OPT_VERSION };
    static const struct option options[] = {
        {"config",  required_argument, NULL, 'c'        },
        {"check",   no_argument,       NULL, 't'        },
        {"banner",  required_argument, NULL, OPT_BANNER },
        {"version", no_argument,       NULL, OPT_VERSION},
        {"help",    no_argument,       NULL, 'h'        },
        {NULL,      0,                 NULL, 0          },
    };
    int c;
    *ret = (struct options){.config = setup_default_config};
    while ((c = getopt_long(argc, argv, "c:th", options, NULL)) != -1) {
        switch (c) {
        case 'c':
            ret->config = optarg;
            break;
        case 't':
            ret->check = true;
            break;
        case OPT_BANNER:
            ret->banner = optarg;
            break;
        case OPT_VERSION:
            puts("tandem " TANDEM_VERSION);
            return 1 + EXIT_DONE;
        case 'h':
            fputs(usage, stdout);
            return 1 + EXIT_DONE;
        default:
            fputs("Try 'tandemd --help'.\n", stderr);
            return 1 + EXIT_USAGE;
        }
    }
    if (optind < argc) {
        setup_complain("what is '%s'? Try 'tandemd --help'", argv[optind]);
        return 1 + EXIT_USAGE;
    }
    return 0;
}

/* Before root is dropped: the file may be root's alone. */
static bool banner_read(const char *path, struct buf *banner)
{
    FILE *f = path ? fopen(path, "re") : NULL;
    char text[4096];
    size_t n;
    enum err e = ERR_OK;
    if (!path)
        return true;
    if (!f) {
        setup_complain("--banner: %s: %s", path, strerror(errno));
        return false;
    }
    while (!e && (n = fread(text, 1, sizeof text, f)) > 0)
        e = buf_append(banner, slice(text, n));
    fclose(f);
    if (e)
        setup_complain("--banner: %s is longer than %d octets", path, BANNER_MAX);
    return !e;
}

static struct server *bind_all(struct config *config)
{
    static const struct protocol *const protocols[] = {&imap_protocol, &pop3_protocol,
                                                       &lmtp_protocol, NULL};
    struct server_conf conf = {.config = config, .protocols = protocols};
    struct server *server;
    struct fault why = {0};
    enum err e = server_new(&conf, &server, &why);
    if (e) {
        setup_complain("%s: %s", config->file, why.text[0] ? why.text : err_text(e));
        return NULL;
    }
    e = server_listen_control(server, &control_protocol, config->daemon.control, 0660, &why);
    if (e) {
        setup_complain("%s: daemon.control: %s", config->file, why.text);
        server_free(server);
        return NULL;
    }
    return server;
}

/* No source of users and no hook asks for it yet: it waits for the daemon to end. It is there
 * because the sandbox, which comes after it, lets nobody fork. */
static enum helper_outcome serve_nothing(uint8_t kind, struct slice arguments, int data_fd)
{
    (void)kind;
    (void)arguments;
    (void)data_fd;
    return HELPER_UNAVAILABLE;
}

static int serve(struct config *config, const struct buf *banner)
{
    struct helper *helper = NULL;
    struct identity who;
    struct fault why = {0};
    if (!identity_find(config, &who) || !store_directory_ready(config, &who))
        return EXIT_FAILED;
    descriptors_raise(config);
    budget_setup(&config->limits.memory);
    struct server *server = bind_all(config);
    if (!server)
        return EXIT_FAILED;
    unix_sockets_chown(config, &who);
    if (!privileges_drop(&who) || !privileges_seal())
        goto out;
    umask(0077);
    if (log_setup(&config->log, &why)) {
        setup_complain("%s: log.to: %s", config->file, why.text);
        goto out;
    }
    if (helper_start(serve_nothing, &helper)) {
        setup_complain("cannot fork the helper: %s", strerror(errno));
        goto out;
    }
    if (!sandbox_enter(config))
        goto out;
    struct daemon_conf conf = {
        .config = config, .server = server, .helper = helper, .banner = buf_slice(banner)};
    return daemon_run(&conf); /* frees server and helper */
out:
    if (helper)
        helper_free(helper);
    server_free(server);
    return EXIT_FAILED;
}

int main(int argc, char **argv)
{
    struct options options;
    struct buf banner;
    int status = options_read(argc, argv, &options);
    if (status)
        return status - 1;
    struct config *config = setup_config(options.config, setup_check);
    if (!config)
        return EXIT_USAGE;
    buf_init(&banner, BANNER_MAX);
    if (options.check)
        printf("%s: good\n", options.config);
    else if (!banner_read(options.banner, &banner))
        status = EXIT_USAGE;
    else
        status = serve(config, &banner);
    buf_finish(&banner);
    config_unref(config);
    return status;
}
