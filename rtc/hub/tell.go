package hub

import "fieldphone/rtc"

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
