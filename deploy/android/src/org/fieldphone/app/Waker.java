package org.fieldphone.app;

import android.app.AlarmManager;
import android.app.PendingIntent;
import android.content.Context;
import android.net.wifi.WifiManager;
import android.os.PowerManager;
import android.os.SystemClock;

/**
 * Keeps the phone awake as far as the line needs it. While connected, the server's heartbeat
 * would wake it every few seconds anyway; during long pauses it may sleep, and an alarm ends
 * the pause.
 */
final class Waker {
    /** Shorter pauses are not worth falling asleep for. */
    private static final long SHORT = 10_000;

    private final AlarmManager alarms;
    private final PendingIntent alarm;
    private final PowerManager.WakeLock cpu;
    private final WifiManager.WifiLock wifi;
    private boolean woken;
    private boolean held;

    /** alarm must lead to wake. */
    Waker(Context context, PendingIntent alarm) {
        this.alarm = alarm;
        alarms = (AlarmManager) context.getSystemService(Context.ALARM_SERVICE);
        PowerManager power = (PowerManager) context.getSystemService(Context.POWER_SERVICE);
        cpu = power.newWakeLock(PowerManager.PARTIAL_WAKE_LOCK, "fieldphone:line");
        cpu.setReferenceCounted(false);
        WifiManager manager = (WifiManager) context.getApplicationContext().getSystemService(Context.WIFI_SERVICE);
        wifi = manager == null ? null : manager.createWifiLock(WifiManager.WIFI_MODE_FULL_HIGH_PERF, "fieldphone:line");
        if (wifi != null) wifi.setReferenceCounted(false);
    }

    synchronized void hold() {
        held = true;
        cpu.acquire();
        if (wifi != null) wifi.acquire();
    }

    /** For good: a pause that still runs takes nothing up again. */
    synchronized void release() {
        held = false;
        alarms.cancel(alarm);
        cpu.release();
        if (wifi != null) wifi.release();
    }

    synchronized void wake() {
        woken = true;
        notifyAll();
    }

    synchronized void pause(long milliseconds) throws InterruptedException {
        long until = SystemClock.elapsedRealtime() + milliseconds;
        boolean sleeps = milliseconds > SHORT && !woken && held;
        if (sleeps) {
            alarms.setAndAllowWhileIdle(AlarmManager.ELAPSED_REALTIME_WAKEUP, until, alarm);
            cpu.release();
        }
        try {
            for (long left = milliseconds; left > 0 && !woken; left = until - SystemClock.elapsedRealtime()) wait(left);
        } finally {
            woken = false;
            if (sleeps && held) {
                cpu.acquire();
                alarms.cancel(alarm);
            }
        }
    }
}
