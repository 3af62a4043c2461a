package sqlstore_test

import (
	"fmt"
	"strings"
	"testing"

	"fieldphone/httpapi/sqlstore"
	"fieldphone/rtc"
)

// Ensure a full disk costs nothing but what could not be stored, which is told,
// and that the store goes on by itself when there is room again.
func TestAFullDisk(t *testing.T) {
	db, err := sqlstore.Open(t.Context(), sqlstore.Config{Dir: t.TempDir()})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	c := startChats(t, db, "anna", "bert")
	c.send("anna", "bert", "before")
	must(t, db.Fill(t.Context(), true))
	body := strings.Repeat("x", rtc.MaxTextBody)
	stored := []string{"before"}
	var refused *rtc.TextSend
	for i := 0; refused == nil; i++ {
		m := &rtc.TextSend{Message: fmt.Sprintf("message-full-%03d", i), Chat: "bert", Body: body}
		switch _, err := c.say("anna", m); {
		case err == nil && i < 100:
			stored = append(stored, body)
		case err == nil:
			t.Fatal("the disk never is full")
		default:
			c.refused(err, rtc.CodeNotStored)
			refused = m
		}
	}
	c.see("bert", "anna", strings.Join(stored, " ")) // reading goes on
	if verdict, err := db.Sound(t.Context()); err != nil || verdict != "ok" {
		t.Errorf("the database is %q, %v", verdict, err)
	}
	must(t, db.Fill(t.Context(), false))
	if _, err := c.say("anna", refused); err != nil {
		t.Errorf("with room again: %v", err)
	}
	c.see("bert", "anna", strings.Join(append(stored, body), " "))
}
