package org.fieldphone.app;

import android.app.Activity;
import android.content.Context;
import android.content.Intent;
import android.os.Build;

/** What tools/lint.mjs must find; test.sh compiles it and compares. */
final class Unguarded extends Activity {
    void bare(Context context, Intent intent) {
        context.startForegroundService(intent); // 26
    }

    void guarded(Context context, Intent intent) {
        if (Build.VERSION.SDK_INT >= 26) context.startForegroundService(intent);
    }

    void guardedTooLow() {
        if (Build.VERSION.SDK_INT >= 26) setShowWhenLocked(true); // 27
    }

    void afterTheGuard(Context context, Intent intent) {
        if (Build.VERSION.SDK_INT >= 26) finish();
        context.startForegroundService(intent); // 26
    }

    void unlisted(Intent intent) {
        startService(intent);
    }

    byte[] java(String text) {
        return java.util.Base64.getDecoder().decode(text); // 26
    }
}
