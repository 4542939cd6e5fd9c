/* first_instruction FILE: writes the time of its start (CLOCK_MONOTONIC, ns) into FILE. */
#include <time.h>

#include "patience.h"

int main(int argc, char **argv)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    char line[32];
    snprintf(line, sizeof line, "%lld\n", now.tv_sec * 1000000000LL + now.tv_nsec);
    if (argc < 2)
        return 98;
    note(argv[1], line);
    return 0;
}
