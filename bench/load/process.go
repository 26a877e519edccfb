package load

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// clockTick is the unit of CPU time in /proc: USER_HZ is 100 on every Linux that Go runs on.
const clockTick = 10 * time.Millisecond

// CPUTime returns the CPU time that the processes have used together, in user and kernel.
func CPUTime(pids ...int) (time.Duration, error) {
	var total time.Duration
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, fmt.Errorf("read the CPU time: %w", err)
		}
		// The second field, the name, may hold blanks; it ends with the last parenthesis.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		const user, system = 11, 12 // utime and stime, fields 14 and 15 of proc(5)
		if len(fields) <= system {
			return 0, fmt.Errorf("read the CPU time: /proc/%d/stat has too few fields", pid)
		}
		for _, field := range fields[user : system+1] {
			ticks, err := strconv.ParseInt(string(field), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("read the CPU time: %w", err)
			}
			total += time.Duration(ticks) * clockTick
		}
	}
	return total, nil
}
