package org.fieldphone.app;

import android.content.BroadcastReceiver;
import android.content.Context;
import android.content.Intent;

/** Takes the line up again after the phone or the app was started anew. */
public final class BootReceiver extends BroadcastReceiver {
    @Override
    public void onReceive(Context context, Intent intent) {
        String action = intent.getAction();
        boolean ours = Intent.ACTION_BOOT_COMPLETED.equals(action) || Intent.ACTION_MY_PACKAGE_REPLACED.equals(action);
        if (!ours || new Store(context).site() == null) return;
        try {
            LineService.start(context);
        } catch (IllegalStateException e) {
            // The system does not allow it now; opening the app starts the line.
        }
    }
}
