/* flood BYTES [CODE]: writes numbered lines of 64 bytes to stdout, BYTES in all, as fast as they
   are taken; then exits with CODE. A failed write ends it with 97. */
#include "patience.h"

#define LINE 64
#define LINES 1024

int main(int argc, char **argv)
{
    static char block[LINE * LINES + 1];
    unsigned long long left = argc > 1 ? strtoull(argv[1], NULL, 10) : 0, number = 0;
    while (left) {
        for (int i = 0; i < LINES; i++, number++) {
            /* By hand: snprintf would make this the bottleneck of a benchmark. */
            char digits[24], *line = block + i * LINE;
            int count = 0;
            unsigned long long rest = number;
            do
                digits[count++] = '0' + rest % 10;
            while (rest /= 10);
            memset(line, ' ', LINE - 1);
            for (int k = 0; k < count; k++)
                line[k] = digits[count - 1 - k];
            line[LINE - 1] = '\n';
        }
        size_t size = left < LINE * LINES ? left : LINE * LINES;
        for (size_t done = 0; done < size;) {
            ssize_t written = write(STDOUT_FILENO, block + done, size - done);
            if (written < 0)
                return 97;
            done += written;
        }
        left -= size;
    }
    return argc > 2 ? atoi(argv[2]) : 0;
}
