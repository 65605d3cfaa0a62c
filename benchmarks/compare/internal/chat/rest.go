package chat

import "time"

const (
	restLooks = 200 * time.Millisecond
	restMost  = 30 * time.Second
	// restful is the part of a processor below which a process is at rest.
	restful = 0.1
)

// Rest returns once the process has little to do: once what an earlier round has left to a store's compactions is done, which is no part of the next one. It gives up waiting after half a minute.
func Rest() {
	calm := 0
	for began := time.Now(); calm < 2 && time.Since(began) < restMost; calm++ {
		before := processorTime()
		time.Sleep(restLooks) // what is looked at is how much is done meanwhile
		if processorTime()-before > time.Duration(restful*float64(restLooks)) {
			calm = -1
		}
	}
}
