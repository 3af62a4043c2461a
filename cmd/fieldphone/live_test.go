package main

import "testing"

// Ensure that segments, who may join and the log's level change at once, and that the admin is
// told whom a segment's change hits.
func TestOtherLiveSettings(t *testing.T) {
	r := startServer(t)
	root := r.admin("root")
	r.device("maria", hereTwo)
	camp := object{"name": "camp", "clients": []string{"127.0.0.2/32"}, "turn_addresses": []string{"203.0.113.7"}, "transports": []string{"tcp"}}
	effects, problems := root.preview(object{"segments": []object{camp}, "registration": object{"policy": "closed"}})
	if len(problems) > 0 || effects["registration"]["policy"] != "closed" ||
		effects["segment_loses_transport"]["segment"] != "camp" || effects["segment_loses_transport"]["people"] != 1.0 {
		t.Errorf("got %+v, %+v", effects, problems)
	}
	root.set(object{"segments": []object{camp}, "registration": object{"policy": "closed"}, "log": object{"level": "debug"}})
	if got := want[refusalAnswer](t, 403, root.do("POST", "/register", object{"id": "new", "name": "New", "password": "correct horse"})).Error.Code; got != "registration_closed" {
		t.Errorf("got %s", got)
	}
	root.live(func(l liveAnswer) bool { return l.People[0].Devices[0].Segment == "camp" })
	if !r.stderr.waitFor("level=DEBUG", r.ended) {
		t.Error("the log's level did not change")
	}
	effects, _ = root.preview(object{"segments": []object{}})
	if effects["segment_gone"]["segment"] != "camp" || effects["segment_gone"]["people"] != 1.0 {
		t.Errorf("got %+v", effects)
	}
	root.set(object{"segments": []object{}, "registration": object{"policy": "open"}, "log": object{"level": "info"}})
	want[object](t, 201, root.do("POST", "/register", object{"id": "new", "name": "New", "password": "correct horse"}))
}
