export const weak = {
  "weak.sound_only": "Sound only",
  "weak.save_data": "Save data",
  "weak.own_paused": "Weak connection: your picture is paused to keep the sound",
  "weak.peer_paused": "Weak connection: {name}'s picture is paused to keep the sound",
  "weak.own_sound_only": "Sound only: no pictures are sent or received",
  "weak.peer_sound_only": "{name} wants sound only: your picture is not sent",
  "weak.peer_save_data": "{name} saves data: your picture is sent small",
} as const;
