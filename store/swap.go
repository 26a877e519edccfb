package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Restore replaces the state by the checkpoint in dir, which must lie on the same file
// system and is consumed. Once the rename of dir has happened the swap is finished even if
// the process dies in any of the later steps; before it, nothing has changed.
func (s *Store) Restore(dir string) error {
	s.updateMu.Lock()
	defer s.updateMu.Unlock()
	defer s.long.end()()
	s.dbMu.Lock()
	defer s.dbMu.Unlock()
	if err := os.Rename(dir, filepath.Join(s.baseDir, stateNewDirName)); err != nil {
		return fmt.Errorf("stage the restored state: %w", err)
	}
	if err := syncDir(s.baseDir); err != nil {
		return err
	}
	if s.db != nil {
		err := s.db.Close()
		s.db = nil
		if err != nil {
			return fault("close the replaced state", err)
		}
	}
	if err := finishSwap(s.baseDir); err != nil {
		return fmt.Errorf("swap the restored state in: %w", err)
	}
	return s.openDB()
}

// finishSwap completes the swap that a state.new in baseDir stands for, and removes what
// an earlier one left behind.
func finishSwap(baseDir string) error {
	state := filepath.Join(baseDir, stateDirName)
	stateNew := filepath.Join(baseDir, stateNewDirName)
	stateOld := filepath.Join(baseDir, stateOldDirName)
	waiting, err := exists(stateNew)
	if err != nil {
		return err
	}
	if waiting {
		if err := os.RemoveAll(stateOld); err != nil {
			return err
		}
		if err := os.Rename(state, stateOld); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.Rename(stateNew, state); err != nil {
			return err
		}
		if err := syncDir(baseDir); err != nil {
			return err
		}
	}
	return os.RemoveAll(stateOld)
}

func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = f.Sync()
	return errors.Join(err, f.Close())
}
