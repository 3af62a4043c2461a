// Every scenario, in the order in which they are played: places that follow each other
// share browsers.
import accessibility from './accessibility.mjs';
import addresses from './addresses.mjs';
import admin from './admin.mjs';
import announce from './announce.mjs';
import app from './app.mjs';
import attacker from './attacker.mjs';
import calls from './calls.mjs';
import chat from './chat.mjs';
import crowd from './crowd.mjs';
import echo from './echo.mjs';
import fallback from './fallback.mjs';
import files from './files.mjs';
import firstvisit from './firstvisit.mjs';
import locked from './locked.mjs';
import media from './media.mjs';
import paths from './paths.mjs';
import presence from './presence.mjs';
import recovery from './recovery.mjs';
import relaypaths from './relaypaths.mjs';
import ringing from './ringing.mjs';
import roaming from './roaming.mjs';
import twocalls from './twocalls.mjs';
import weak from './weak.mjs';

export const scenarios = [...presence, ...calls, ...chat, ...files, ...crowd, ...media, ...ringing, ...twocalls, ...paths, ...relaypaths, ...locked, ...echo, ...attacker, ...admin, ...announce, ...recovery, ...roaming, ...weak, ...fallback, ...addresses, ...firstvisit, ...app, ...accessibility];
