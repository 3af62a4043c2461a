package org.fieldphone.app;

import android.Manifest;
import android.webkit.PermissionRequest;
import java.util.ArrayList;
import java.util.List;

/** Gives the page camera and microphone as far as the person gives them to the app. */
final class Media {
    private final MainActivity activity;
    private PermissionRequest waiting;

    Media(MainActivity activity) {
        this.activity = activity;
    }

    void asked(PermissionRequest request) {
        if (waiting != null) waiting.deny();
        waiting = request;
        List<String> missing = new ArrayList<String>();
        for (String resource : request.getResources()) {
            String permission = permissionFor(resource);
            if (permission != null && !activity.mayUse(permission)) missing.add(permission);
        }
        if (missing.isEmpty()) answered();
        else activity.askForMedia(missing.toArray(new String[0]));
    }

    void askedNoMore(PermissionRequest request) {
        if (request.equals(waiting)) waiting = null;
    }

    /** Passes on what the person said; false when that was nothing at all. */
    boolean answered() {
        PermissionRequest request = waiting;
        waiting = null;
        if (request == null) return true;
        List<String> granted = new ArrayList<String>();
        for (String resource : request.getResources()) {
            String permission = permissionFor(resource);
            if (permission != null && activity.mayUse(permission)) granted.add(resource);
        }
        if (granted.isEmpty()) request.deny();
        else request.grant(granted.toArray(new String[0]));
        return !granted.isEmpty();
    }

    /** The app's permission for what the page asks, or null for what it never gets. */
    private static String permissionFor(String resource) {
        if (PermissionRequest.RESOURCE_AUDIO_CAPTURE.equals(resource)) return Manifest.permission.RECORD_AUDIO;
        if (PermissionRequest.RESOURCE_VIDEO_CAPTURE.equals(resource)) return Manifest.permission.CAMERA;
        return null;
    }
}
