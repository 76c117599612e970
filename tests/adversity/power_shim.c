/* Preloaded into a writing process: logs every write to its data file, every sync of it and every line it tells, in
 * order, so that what a power failure might have left can be put together for any moment. See storage_power.py.
 *
 * A record is a type, an offset, a length and that many bytes:
 *   W  a write that begins        S  a sync that ended
 *   D  the last W is durable      M  a line that is about to be told */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static void record(char type, uint64_t offset, const struct iovec *parts, int count)
{
    static int log = -1;
    uint32_t length = 0;
    if (log < 0)
        log = open(getenv("POWER_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    for (int i = 0; i < count; i++)
        length += parts[i].iov_len;
    syscall(SYS_write, log, &type, sizeof type);
    syscall(SYS_write, log, &offset, sizeof offset);
    syscall(SYS_write, log, &length, sizeof length);
    syscall(SYS_writev, log, parts, count);
}

static int is_data(int descriptor)
{
    static const char name[] = "/data.mdb";
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path);
    ssize_t tail = sizeof name - 1;
    return length > tail && memcmp(path + length - tail, name, tail) == 0;
}

static ssize_t logged(int descriptor, const struct iovec *parts, int count, off_t offset, int positioned)
{
    pthread_mutex_lock(&turn);
    record('W', offset, parts, count);
    ssize_t written = positioned ? syscall(SYS_pwrite64, descriptor, parts->iov_base, parts->iov_len, offset)
                                 : syscall(SYS_writev, descriptor, parts, count);
    if (fcntl(descriptor, F_GETFL) & O_DSYNC)
        record('D', 0, NULL, 0);
    pthread_mutex_unlock(&turn);
    return written;
}

ssize_t pwrite64(int descriptor, const void *data, size_t length, off_t offset)
{
    struct iovec part = {(void *)data, length};
    if (!is_data(descriptor))
        return syscall(SYS_pwrite64, descriptor, data, length, offset);
    return logged(descriptor, &part, 1, offset, 1);
}

ssize_t pwrite(int descriptor, const void *data, size_t length, off_t offset)
{
    return pwrite64(descriptor, data, length, offset);
}

ssize_t writev(int descriptor, const struct iovec *parts, int count)
{
    if (!is_data(descriptor))
        return syscall(SYS_writev, descriptor, parts, count);
    return logged(descriptor, parts, count, lseek(descriptor, 0, SEEK_CUR), 0);
}

ssize_t write(int descriptor, const void *data, size_t length)
{
    const char *told = getenv("POWER_PIPE");
    if (told && atoi(told) == descriptor) {
        struct iovec part = {(void *)data, length};
        pthread_mutex_lock(&turn);
        record('M', 0, &part, 1);
        pthread_mutex_unlock(&turn);
    }
    return syscall(SYS_write, descriptor, data, length);
}

static int synced(long call, int descriptor)
{
    int failed = syscall(call, descriptor);
    if (!failed && is_data(descriptor)) {
        pthread_mutex_lock(&turn);
        record('S', 0, NULL, 0);
        pthread_mutex_unlock(&turn);
    }
    return failed;
}

int fdatasync(int descriptor) { return synced(SYS_fdatasync, descriptor); }

int fsync(int descriptor) { return synced(SYS_fsync, descriptor); }
