/* Compiler attributes, wrapped once: the only language extension in the tree. */
#ifndef TANDEM_BASE_ATTR_H
#define TANDEM_BASE_ATTR_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(at, first) __attribute__((format(printf, at, first)))
#define NO_RETURN __attribute__((noreturn))

#endif
