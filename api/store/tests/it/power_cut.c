/*
 * A disk that forgets: preloaded into a process, it keeps beside the real files (under CUT_ROOT) what
 * a power cut would leave of them (under CUT_SHADOW).
 *
 *   files/<id>    the bytes of a file at its last fsync or fdatasync
 *   names/<dir>   the entries of a directory at its last fsync, one a line: kind, id, name
 *
 * <id> is inode and birth time, so that a rename moves a file and a new file is never taken for an
 * old one. <dir> is the path below CUT_ROOT with % for /. A file that was never synced is empty; a
 * name that was created, renamed or removed since the directory was synced is as it was before.
 * A sync that is cut off half way leaves half of it, as a real one may.
 *
 * With CUT_FAIL_AFTER=n every sync after the nth fails with an I/O error.
 *
 * With CUT_FULL=path the disk is full while there is a file of that name: of what is written, half is, and then
 * half of the rest, and in the end there is no space left. <path>.met is made when that happens.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 65536

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static long syncs;

static void die(const char *what) {
    perror(what);
    _exit(99);
}

static void identify(int at, const char *name, int flags, char *id, size_t size, int *is_dir) {
    struct statx s;
    if (statx(at, name, flags | AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME | STATX_TYPE, &s))
        die("statx");
    snprintf(id, size, "%llu-%lld-%u", (unsigned long long)s.stx_ino, (long long)s.stx_btime.tv_sec,
             s.stx_btime.tv_nsec);
    *is_dir = S_ISDIR(s.stx_mode);
}

/* Brings the kept copy up to date, changed blocks only. */
static void keep_bytes(const char *path, const char *copy) {
    static char new[BLOCK], old[BLOCK];
    int from = open(path, O_RDONLY), to = open(copy, O_RDWR | O_CREAT, 0600);
    if (from < 0 || to < 0) die(copy);
    off_t at = 0;
    ssize_t n;
    while ((n = pread(from, new, BLOCK, at)) > 0) {
        if (pread(to, old, n, at) != n || memcmp(new, old, n))
            if (pwrite(to, new, n, at) != n) die("pwrite");
        at += n;
    }
    if (n < 0 || ftruncate(to, at)) die("keep_bytes");
    close(from);
    close(to);
}

static void keep_names(const char *path, const char *copy) {
    char draft[PATH_MAX + 8];
    snprintf(draft, sizeof draft, "%s~", copy);
    FILE *to = fopen(draft, "w");
    DIR *dir = opendir(path);
    if (!to || !dir) die(copy);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char id[64];
        int is_dir;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        identify(dirfd(dir), entry->d_name, 0, id, sizeof id, &is_dir);
        fprintf(to, "%c %s %s\n", is_dir ? 'd' : 'f', id, entry->d_name);
    }
    closedir(dir);
    if (fclose(to) || rename(draft, copy)) die("keep_names");
}

static void keep(int fd) {
    const char *root = getenv("CUT_ROOT"), *shadow = getenv("CUT_SHADOW");
    char link[64], path[PATH_MAX], copy[PATH_MAX], id[64];
    int is_dir;
    if (!root || !shadow) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return;
    path[length] = 0;
    size_t prefix = strlen(root);
    if (strncmp(path, root, prefix) || (path[prefix] && path[prefix] != '/')) return;
    identify(fd, "", AT_EMPTY_PATH, id, sizeof id, &is_dir);
    pthread_mutex_lock(&one_at_a_time);
    if (is_dir) {
        int n = snprintf(copy, sizeof copy, "%s/names/", shadow);
        snprintf(copy + n, sizeof copy - n, "%s", path + prefix);
        for (char *c = copy + n; *c; c++)
            if (*c == '/') *c = '%';
        if (!path[prefix]) strcat(copy, "%");
        keep_names(path, copy);
    } else {
        snprintf(copy, sizeof copy, "%s/files/%s", shadow, id);
        keep_bytes(path, copy);
    }
    pthread_mutex_unlock(&one_at_a_time);
}

/* Whether a file is on the disk, and the disk is full. */
static int is_full(int fd) {
    const char *root = getenv("CUT_ROOT"), *full = getenv("CUT_FULL");
    char link[64], path[PATH_MAX];
    if (!root || !full || access(full, F_OK)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    size_t prefix = strlen(root);
    return length > 0 && (size_t)length > prefix && !strncmp(path, root, prefix) && path[prefix] == '/';
}

static ssize_t no_space(void) {
    char met[PATH_MAX];
    snprintf(met, sizeof met, "%s.met", getenv("CUT_FULL"));
    close(open(met, O_WRONLY | O_CREAT, 0600));
    errno = ENOSPC;
    return -1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    if (!real) real = (ssize_t(*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
    if (!is_full(fd)) return real(fd, bytes, count, at);
    return count > 1 ? real(fd, bytes, count / 2, at) : no_space();
}

ssize_t write(int fd, const void *bytes, size_t count) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    if (!is_full(fd)) return real(fd, bytes, count);
    return count > 1 ? real(fd, bytes, count / 2) : no_space();
}

static int sync_with(const char *call, int fd) {
    const char *limit = getenv("CUT_FAIL_AFTER");
    if (limit && __atomic_add_fetch(&syncs, 1, __ATOMIC_SEQ_CST) > atol(limit)) {
        errno = EIO;
        return -1;
    }
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, call);
    int result = real(fd);
    if (!result) keep(fd);
    return result;
}

int fsync(int fd) { return sync_with("fsync", fd); }
int fdatasync(int fd) { return sync_with("fdatasync", fd); }
