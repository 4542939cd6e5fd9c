/* block_until FIFO LOG: writes `ready PID` to LOG, then waits until a number is written into
   FIFO, and exits with it. */
#include "patience.h"

int main(int argc, char **argv)
{
    char line[32], word[16] = "";
    if (argc < 3)
        return 98;
    int fifo = open_fifo(argv[1]);
    snprintf(line, sizeof line, "ready %d\n", getpid());
    note(argv[2], line);
    read_fifo(fifo, word, sizeof word - 1);
    return atoi(word);
}
