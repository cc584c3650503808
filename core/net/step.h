/* What a command says when it gives the thread back. */
#ifndef TANDEM_NET_STEP_H
#define TANDEM_NET_STEP_H

enum step {
    STEP_DONE, /* answered: the next command may begin */
    STEP_FULL, /* the output queue is full: call again when it has drained */
    STEP_WAIT, /* a job or commit is under way: call again when it is back */
    STEP_MORE  /* an upload: call again when more input has come */
};

#endif
