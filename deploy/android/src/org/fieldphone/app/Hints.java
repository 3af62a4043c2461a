package org.fieldphone.app;

import android.Manifest;
import android.app.Activity;
import android.app.AlertDialog;
import android.content.ActivityNotFoundException;
import android.content.Context;
import android.content.DialogInterface;
import android.content.Intent;
import android.content.pm.PackageManager;
import android.net.Uri;
import android.os.Build;
import android.os.PowerManager;
import android.provider.Settings;

/** Asks, once each, for what a sleeping phone needs to ring. */
final class Hints {
    private static final int ASK_NOTIFICATIONS = 2;
    private static final String FULL_SCREEN_SETTINGS = "android.settings.MANAGE_APP_USE_FULL_SCREEN_INTENT";

    private final Activity activity;
    private final Notices notices;
    private final Store store;

    Hints(Activity activity, Notices notices) {
        this.activity = activity;
        this.notices = notices;
        this.store = new Store(activity);
    }

    /** Asks the next open question, one at a time. */
    void ask() {
        if (Build.VERSION.SDK_INT >= 33
                && activity.checkSelfPermission(Manifest.permission.POST_NOTIFICATIONS) != PackageManager.PERMISSION_GRANTED
                && store.firstTime("notifications")) {
            activity.requestPermissions(new String[] {Manifest.permission.POST_NOTIFICATIONS}, ASK_NOTIFICATIONS);
        } else if (isRestricted() && store.firstTime("battery")) {
            explain(R.string.reach_battery, Settings.ACTION_REQUEST_IGNORE_BATTERY_OPTIMIZATIONS);
        } else if (!notices.mayFillScreen() && store.firstTime("screen")) {
            explain(R.string.reach_screen, FULL_SCREEN_SETTINGS);
        }
    }

    private boolean isRestricted() {
        PowerManager power = (PowerManager) activity.getSystemService(Context.POWER_SERVICE);
        return !power.isIgnoringBatteryOptimizations(activity.getPackageName());
    }

    private void explain(int text, final String settings) {
        new AlertDialog.Builder(activity)
                .setTitle(R.string.reach_title)
                .setMessage(text)
                .setNegativeButton(R.string.reach_later, null)
                .setPositiveButton(R.string.reach_allow, new DialogInterface.OnClickListener() {
                    @Override
                    public void onClick(DialogInterface dialog, int which) {
                        open(settings);
                    }
                })
                .show();
    }

    private void open(String settings) {
        try {
            activity.startActivity(new Intent(settings, Uri.parse("package:" + activity.getPackageName())));
        } catch (ActivityNotFoundException e) {
            activity.startActivity(new Intent(Settings.ACTION_SETTINGS));
        }
    }
}
