"""A control group that limits a process's memory, page cache included (cgroup version 1 or 2), and a small
disk to read a model from when it does not fit."""
import os
import pathlib
import subprocess

VERSION_1 = pathlib.Path("/sys/fs/cgroup/memory")
VERSION_2 = pathlib.Path("/sys/fs/cgroup")


class MemoryGroup:
    """A group of its own below the root's; `with` removes it. Its processes must have ended by then."""

    def __init__(self, name):
        is_second = (VERSION_2 / "cgroup.controllers").exists()
        self.folder = (VERSION_2 if is_second else VERSION_1) / name
        self.limit_file = "memory.max" if is_second else "memory.limit_in_bytes"
        self.usage_file = "memory.current" if is_second else "memory.usage_in_bytes"
        self.cache_key = "file" if is_second else "cache"
        self.no_limit = "max" if is_second else "-1"

    def __enter__(self):
        self.folder.mkdir()
        return self

    def __exit__(self, *_):
        self.folder.rmdir()

    @staticmethod
    def why_not():
        """What keeps this process from making groups; None if nothing does."""
        name = f"martlet-try-{os.getpid()}"
        try:
            with MemoryGroup(name) as group:
                group.limit(1 << 30)
        except OSError as error:
            return str(error)
        return None

    def limit(self, byte_count):
        """At most so many bytes; None: no limit."""
        text = self.no_limit if byte_count is None else str(byte_count)
        (self.folder / self.limit_file).write_text(text)

    def enter(self):
        """Moves the calling process in: for `preexec_fn`."""
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def own_bytes(self):
        """What is charged to the group and is not page cache."""
        cache = 0
        for line in (self.folder / "memory.stat").read_text().splitlines():
            key, value = line.split()
            cache = int(value) if key == self.cache_key else cache
        return int((self.folder / self.usage_file).read_text()) - cache


class DiskGroup:
    """A group of its own whose processes read a disk no faster than said (cgroup version 1)."""

    ROOT = pathlib.Path("/sys/fs/cgroup/blkio")

    def __init__(self, name, path, bytes_per_second):
        self.folder = self.ROOT / name
        disk = os.stat(path).st_dev
        self.rule = f"{os.major(disk)}:{os.minor(disk)} {bytes_per_second}"

    def __enter__(self):
        self.folder.mkdir()
        (self.folder / "blkio.throttle.read_bps_device").write_text(self.rule)
        return self

    def __exit__(self, *_):
        self.folder.rmdir()

    def enter(self):
        """Moves the calling process in: for `preexec_fn`."""
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))


def drop_from_page_cache(path):
    """Of a file that nobody has mapped."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


class OwnDisk:
    """A file system of its own in a file, read past the page cache below it and ahead by no more than
    Linux usually does: machines that read megabytes ahead would read much of a small model for each
    expert, and thrash in a small group."""

    READ_AHEAD_KIB = 128

    def __init__(self, folder, byte_count):
        self.image = pathlib.Path(folder, "disk.img")
        self.mount = pathlib.Path(folder, "disk")
        self.byte_count = byte_count
        self.device = None
        self.is_mounted = False

    def __enter__(self):
        try:
            with open(self.image, "wb") as file:
                os.posix_fallocate(file.fileno(), 0, self.byte_count)
            self.mount.mkdir()
            self.device = self.tool("losetup", "--find", "--show", "--direct-io=on", self.image)
            self.tool("mkfs.ext4", "-q", self.device)
            name = pathlib.Path(self.device).name
            pathlib.Path(f"/sys/block/{name}/queue/read_ahead_kb").write_text(
                str(self.READ_AHEAD_KIB))
            self.tool("mount", self.device, self.mount)
            self.is_mounted = True
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.is_mounted:
            self.tool("umount", self.mount)
        if self.device:
            self.tool("losetup", "--detach", self.device)

    @staticmethod
    def tool(*command):
        return subprocess.run(
            [str(part) for part in command], check=True, capture_output=True, text=True
        ).stdout.strip()
