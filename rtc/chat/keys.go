package chat

import (
	"strings"

	"fieldphone/rtc"
)

// between parts the two user ids of a key; no id and no group's name has it.
const between = "/"

// Key names a chat for the store, the same for all who are in it: the name of
// a group, or both user ids. ok is false for a chat with oneself, or with an
// id that no account can have.
func Key(user, chat string) (key string, ok bool) {
	switch {
	case rtc.IsGroup(chat):
		return chat, true
	case chat == user, strings.Contains(chat, between), chat == rtc.EchoID:
		return "", false
	case chat < user:
		return chat + between + user, true
	}
	return user + between + chat, true
}

// Seen is a chat's name as one of its members calls it.
func Seen(key, viewer string) string {
	first, second, two := strings.Cut(key, between)
	switch {
	case !two:
		return key
	case viewer == first:
		return second
	}
	return first
}
