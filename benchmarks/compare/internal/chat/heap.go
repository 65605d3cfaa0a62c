package chat

import (
	"math"
	"runtime"
	"runtime/debug"
	"time"
)

// Heap returns how many bytes of the heap are reachable, after collections.
func Heap() float64 {
	for range 3 { // what has a finaliser, or is in a pool, goes with the second
		debug.FreeOSMemory()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// SettledHeap returns the same once nothing in the background, such as compactions of a store that was just opened, adds to it any more: when it is
// the same, to a thousandth, three times in a row. It gives up waiting after half a minute.
func SettledHeap() float64 {
	const pause, most = 200 * time.Millisecond, 150
	last, same := Heap(), 0
	for range most {
		time.Sleep(pause)
		now := Heap()
		if same++; math.Abs(now-last) > last/1000 {
			same = 0
		}
		if last = now; same == 2 {
			break
		}
	}
	return last
}
