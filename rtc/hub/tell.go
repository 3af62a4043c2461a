package hub

import (
	"fieldphone/rtc"
	"fieldphone/rtc/call"
)

// Tell sends a numbered message to every device of some users, also to those that are away for
// less than the resume window. It returns at once.
func (h *Hub) Tell(users []string, msg rtc.Message) {
	h.post(func() {
		for _, user := range users {
			for _, d := range h.users[user] {
				h.send(d, msg)
			}
		}
	})
}

// Reachable lists the devices of some users that can be rung now; none once the hub has stopped.
func (h *Hub) Reachable(users []string) (devices []call.Device) {
	h.ask(func() {
		for _, user := range users {
			devices = append(devices, h.reachable(user)...)
		}
	})
	return devices
}
