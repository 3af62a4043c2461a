package org.fieldphone.app;

import android.app.Notification;
import android.app.NotificationChannel;
import android.app.NotificationManager;
import android.app.PendingIntent;
import android.content.Context;
import android.content.Intent;
import android.graphics.drawable.Icon;
import android.media.AudioAttributes;
import android.media.RingtoneManager;
import android.net.Uri;
import android.os.Build;
import org.fieldphone.line.LineState;
import org.fieldphone.line.Ring;

/** The notifications: that the line is held, that somebody calls, what people wrote, and what was announced. */
final class Notices {
    static final int LINE = 1;
    private static final int RING = 2;
    /** The first of those for what people wrote; the oldest makes room. */
    private static final int FIRST_TEXT = 100;
    private static final int TEXTS = 20;
    /** Announcements have a name beside the number, so that each can go by itself. */
    private static final int ANNOUNCEMENT = 3;
    private static final String LINE_CHANNEL = "line";
    private static final String RING_CHANNEL = "ring";
    private static final String TEXT_CHANNEL = "text";
    private static final String ANNOUNCEMENT_CHANNEL = "announcement";
    private static final long[] VIBRATION = {0, 700, 500, 700, 1_500};

    private final Context context;
    private final NotificationManager manager;
    private int texts;

    Notices(Context context) {
        this.context = context;
        manager = (NotificationManager) context.getSystemService(Context.NOTIFICATION_SERVICE);
        if (Build.VERSION.SDK_INT >= 26) makeChannels();
    }

    private void makeChannels() {
        if (Build.VERSION.SDK_INT >= 26) {
            NotificationChannel line = new NotificationChannel(
                    LINE_CHANNEL, context.getString(R.string.channel_line), NotificationManager.IMPORTANCE_LOW);
            line.setShowBadge(false);
            NotificationChannel ring = new NotificationChannel(
                    RING_CHANNEL, context.getString(R.string.channel_ring), NotificationManager.IMPORTANCE_HIGH);
            ring.setSound(ringtone(), ringing());
            ring.enableVibration(true);
            ring.setVibrationPattern(VIBRATION);
            ring.setLockscreenVisibility(Notification.VISIBILITY_PUBLIC);
            manager.createNotificationChannel(line);
            manager.createNotificationChannel(ring);
            manager.createNotificationChannel(new NotificationChannel(
                    TEXT_CHANNEL, context.getString(R.string.channel_text), NotificationManager.IMPORTANCE_HIGH));
            NotificationChannel announcement = new NotificationChannel(
                    ANNOUNCEMENT_CHANNEL, context.getString(R.string.channel_announcement), NotificationManager.IMPORTANCE_HIGH);
            announcement.setSound(alarm(), alarming());
            announcement.enableVibration(true);
            announcement.setVibrationPattern(VIBRATION);
            announcement.setBypassDnd(true); // as far as the user lets it
            announcement.setLockscreenVisibility(Notification.VISIBILITY_PUBLIC);
            manager.createNotificationChannel(announcement);
        }
    }

    private static Uri ringtone() {
        return RingtoneManager.getDefaultUri(RingtoneManager.TYPE_RINGTONE);
    }

    private static AudioAttributes ringing() {
        return new AudioAttributes.Builder()
                .setUsage(AudioAttributes.USAGE_NOTIFICATION_RINGTONE)
                .setContentType(AudioAttributes.CONTENT_TYPE_SONIFICATION)
                .build();
    }

    private static Uri alarm() {
        return RingtoneManager.getDefaultUri(RingtoneManager.TYPE_ALARM);
    }

    /** Heard also where calls are silent. */
    private static AudioAttributes alarming() {
        return new AudioAttributes.Builder()
                .setUsage(AudioAttributes.USAGE_ALARM)
                .setContentType(AudioAttributes.CONTENT_TYPE_SONIFICATION)
                .build();
    }

    private Notification.Builder builder(String channel) {
        if (Build.VERSION.SDK_INT >= 26) return new Notification.Builder(context, channel);
        return new Notification.Builder(context);
    }

    /** The notification of the foreground service. */
    Notification line(LineState state) {
        PendingIntent server = activity(new Intent(context, PairActivity.class), 1);
        return builder(LINE_CHANNEL)
                .setSmallIcon(R.drawable.icon_small)
                .setContentTitle(context.getString(R.string.app_name))
                .setContentText(context.getString(Words.of(state)))
                .setContentIntent(activity(new Intent(context, MainActivity.class), 2))
                .addAction(action(R.string.page_server, server))
                .setPriority(Notification.PRIORITY_LOW)
                .setShowWhen(false)
                .setOngoing(true)
                .build();
    }

    void showLine(LineState state) {
        manager.notify(LINE, line(state));
    }

    /** Rings, loudly and over the lock screen, until stopRing. */
    void ring(Ring ring) {
        Intent open = new Intent(context, MainActivity.class).setAction(MainActivity.ACTION_RING);
        PendingIntent answer = activity(open, 3);
        Intent decline = LineService.intent(context, LineService.DECLINE).putExtra(LineService.CALL, ring.call);
        PendingIntent refuse = PendingIntent.getService(context, 4, decline, PendingIntent.FLAG_UPDATE_CURRENT | PendingIntent.FLAG_IMMUTABLE);
        Notification.Builder builder = builder(RING_CHANNEL)
                .setSmallIcon(R.drawable.icon_small)
                .setContentTitle(ring.name)
                .setContentText(context.getString(ring.video ? R.string.ring_video : R.string.ring_audio))
                .setCategory(Notification.CATEGORY_CALL)
                .setPriority(Notification.PRIORITY_MAX)
                .setVisibility(Notification.VISIBILITY_PUBLIC)
                .setSound(ringtone(), ringing())
                .setVibrate(VIBRATION)
                .setOngoing(true)
                .setContentIntent(answer)
                .setFullScreenIntent(answer, true)
                .addAction(action(R.string.ring_decline, refuse))
                .addAction(action(R.string.ring_answer, answer));
        Notification notification = builder.build();
        notification.flags |= Notification.FLAG_INSISTENT;
        manager.notify(RING, notification);
    }

    private Notification.Action action(int text, PendingIntent intent) {
        Icon icon = Icon.createWithResource(context, R.drawable.icon_small);
        return new Notification.Action.Builder(icon, context.getString(text), intent).build();
    }

    void text(String name, String body) {
        Notification notification = builder(TEXT_CHANNEL)
                .setSmallIcon(R.drawable.icon_small)
                .setContentTitle(name)
                .setContentText(body)
                .setStyle(new Notification.BigTextStyle().bigText(body))
                .setCategory(Notification.CATEGORY_MESSAGE)
                .setPriority(Notification.PRIORITY_HIGH)
                .setContentIntent(activity(new Intent(context, MainActivity.class), 2))
                .setAutoCancel(true)
                .build();
        notification.defaults |= Notification.DEFAULT_ALL;
        manager.notify(FIRST_TEXT + texts++ % TEXTS, notification);
    }

    /** Says, over the lock screen, what was announced; its page acknowledges it. */
    void announcement(String announcement, String from, String body) {
        Notification notification = alarming(context.getString(R.string.announcement_of, from), body)
                .setStyle(new Notification.BigTextStyle().bigText(body))
                .build();
        manager.notify(announcement, ANNOUNCEMENT, notification);
    }

    void stopAnnouncement(String announcement) {
        manager.cancel(announcement, ANNOUNCEMENT);
    }

    /** An administrator speaks, until stopRing: the page that this opens listens by itself. */
    void attention(Ring ring) {
        PendingIntent listen = activity(new Intent(context, MainActivity.class).setAction(MainActivity.ACTION_RING), 3);
        Notification notification = alarming(context.getString(R.string.attention_of, ring.name), context.getString(R.string.attention_listen))
                .setContentIntent(listen)
                .setFullScreenIntent(listen, true)
                .build();
        manager.notify(RING, notification);
    }

    private Notification.Builder alarming(String title, String text) {
        return builder(ANNOUNCEMENT_CHANNEL)
                .setSmallIcon(R.drawable.icon_small)
                .setContentTitle(title)
                .setContentText(text)
                .setCategory(Notification.CATEGORY_ALARM)
                .setPriority(Notification.PRIORITY_MAX)
                .setVisibility(Notification.VISIBILITY_PUBLIC)
                .setSound(alarm(), alarming())
                .setVibrate(VIBRATION)
                .setContentIntent(activity(new Intent(context, MainActivity.class), 2))
                .setOngoing(true);
    }

    void stopRing() {
        manager.cancel(RING);
    }

    /** Whether a ring can take the whole screen. */
    boolean mayFillScreen() {
        if (Build.VERSION.SDK_INT >= 34) return manager.canUseFullScreenIntent();
        return true;
    }

    private PendingIntent activity(Intent intent, int request) {
        intent.addFlags(Intent.FLAG_ACTIVITY_NEW_TASK);
        return PendingIntent.getActivity(context, request, intent, PendingIntent.FLAG_UPDATE_CURRENT | PendingIntent.FLAG_IMMUTABLE);
    }
}
