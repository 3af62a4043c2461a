package people

import "slices"

// Tagged lists the ids of those who have a tag and can sign in.
func (s *Service) Tagged(tag string) []string {
	now := s.cfg.Now()
	s.mu.RLock()
	defer s.mu.RUnlock()
	var ids []string
	for _, p := range s.people {
		if !p.Disabled && !p.over(now) && slices.Contains(p.Tags, tag) {
			ids = append(ids, p.ID)
		}
	}
	return ids
}
