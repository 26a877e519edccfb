package faults

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// disk is a file system in a sparse file, which lies on a memory file system of its own so
// that the blocks behind it can run out: the writes of pages that the kernel had accepted
// fail then, as on a dying disk.
type disk struct {
	mount, backing string
	frozen         bool
}

// newDisk mounts an ext4 file system of the size at the folder, which must be there.
func newDisk(mount string, bytes int64) (_ *disk, err error) {
	if err := requireTools("mkfs.ext4", "mount", "umount", "fsfreeze"); err != nil {
		return nil, err
	}
	d := &disk{mount: mount, backing: mount + ".backing"}
	if err := os.Mkdir(d.backing, 0o700); err != nil {
		return nil, err
	}
	if err := unix.Mount("tmpfs", d.backing, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", bytes)); err != nil {
		return nil, fmt.Errorf("%w: no memory file system: %w", ErrNoMeans, err)
	}
	image := filepath.Join(d.backing, "image")
	err = errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, bytes))
	if err == nil {
		err = tool("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1", image)
	}
	if err == nil {
		err = tool("mount", "-o", "loop", image, mount)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: no disk of its own: %w", ErrNoMeans, err), d.close())
	}
	return d, nil
}

// freeze makes every write hang until thaw.
func (d *disk) freeze() error {
	err := tool("fsfreeze", "-f", d.mount)
	d.frozen = d.frozen || err == nil
	return err
}

func (d *disk) thaw() error {
	if !d.frozen {
		return nil
	}
	err := tool("fsfreeze", "-u", d.mount)
	d.frozen = d.frozen && err != nil
	return err
}

// exhaust takes the blocks behind the file system away: what it has not written before cannot
// be written any more, though it says that it has room.
func (d *disk) exhaust() error {
	f, err := os.OpenFile(d.filler(), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	zeros := make([]byte, 1<<20)
	for err == nil {
		_, err = f.Write(zeros)
	}
	if err := errors.Join(f.Close()); err != nil {
		return err
	}
	if !errors.Is(err, unix.ENOSPC) {
		return err
	}
	return nil
}

// replenish ends what exhaust began.
func (d *disk) replenish() error { return os.Remove(d.filler()) }

func (d *disk) filler() string { return filepath.Join(d.backing, "filler") }

func (d *disk) close() error {
	err := d.thaw()
	_ = tool("umount", "-l", d.mount) // it may not have been mounted
	return errors.Join(err, unix.Unmount(d.backing, unix.MNT_DETACH))
}
