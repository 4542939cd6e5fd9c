/* ignore_term LOG: ignores SIGTERM, SIGINT and SIGHUP, writes `ready PID` to LOG, and waits. */
#include <signal.h>

#include "patience.h"

int main(int argc, char **argv)
{
    if (argc < 2)
        return 98;
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    char line[32];
    snprintf(line, sizeof line, "ready %d\n", getpid());
    note(argv[1], line);
    poll(NULL, 0, PATIENCE_MS);
    return OUT_OF_PATIENCE;
}
