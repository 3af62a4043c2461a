package org.fieldphone.app;

import android.graphics.Bitmap;
import android.webkit.ConsoleMessage;
import android.webkit.PermissionRequest;
import android.webkit.WebChromeClient;

/** What the page asks of the phone: camera and microphone. */
final class PageChrome extends WebChromeClient {
    private final MainActivity activity;

    PageChrome(MainActivity activity) {
        this.activity = activity;
    }

    @Override
    public void onPermissionRequest(PermissionRequest request) {
        activity.mediaAsked(request);
    }

    @Override
    public void onPermissionRequestCanceled(PermissionRequest request) {
        activity.mediaAskedNoMore(request);
    }

    @Override
    public boolean onConsoleMessage(ConsoleMessage message) {
        return true; // what the page says to developers stays out of the phone's log
    }

    @Override
    public Bitmap getDefaultVideoPoster() {
        return Bitmap.createBitmap(1, 1, Bitmap.Config.ARGB_8888); // instead of a grey play sign
    }
}
