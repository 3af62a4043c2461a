export const announce = {
  "announce.title": "Announcement",
  "announce.to_group": "To {tag}",
  "announce.to_all": "To everybody",
  "announce.count": "{n} announcements wait for you",
  "announce.next": "Then: {text}",
  "announce.seen": "I have seen it",
  "announce.notify": "Announcement from {name}",
  "api.invalid_text": "Write 1 to 2000 bytes of text, without control characters.",
  "api.no_audience": "There is nobody to hear it. Choose everybody, or another group.",
} as const;
