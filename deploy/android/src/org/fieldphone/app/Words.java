package org.fieldphone.app;

import android.content.Context;
import java.text.DateFormat;
import java.util.Date;
import org.fieldphone.line.Address;
import org.fieldphone.line.LineState;
import org.fieldphone.line.PairingException;
import org.fieldphone.line.TrustException;

/** The sentences for what went wrong. */
final class Words {
    private Words() {}

    static String of(Context context, PairingException e) {
        switch (e.kind) {
            case NO_ADDRESS:
                return context.getString(R.string.bad_no_address);
            case NOT_HTTPS:
                return context.getString(R.string.bad_not_https);
            case BAD_ADDRESS:
                return context.getString(R.string.bad_address);
            case NO_FINGERPRINT:
                return context.getString(R.string.bad_no_fingerprint);
            case BAD_FINGERPRINT:
                return context.getString(R.string.bad_fingerprint);
            case TOO_LONG:
                return context.getString(R.string.bad_too_long);
            default:
                return context.getString(R.string.bad_link);
        }
    }

    /** trust is null where nothing answered. */
    static String of(Context context, TrustException trust, Address address) {
        if (trust == null) return context.getString(R.string.trust_unreachable, address.origin());
        switch (trust.kind) {
            case WRONG_NAME:
                return context.getString(R.string.trust_wrong_name, address.origin());
            case CLOCK:
                return context.getString(R.string.trust_clock, DateFormat.getDateTimeInstance().format(new Date()));
            default:
                return context.getString(R.string.trust_wrong_site, address.origin());
        }
    }

    static int of(LineState state) {
        switch (state) {
            case ONLINE:
                return R.string.line_ONLINE;
            case AWAY:
                return R.string.line_AWAY;
            case SIGNED_OUT:
                return R.string.line_SIGNED_OUT;
            case WRONG_SITE:
                return R.string.line_WRONG_SITE;
            case WRONG_CLOCK:
                return R.string.line_WRONG_CLOCK;
            default:
                return R.string.line_CONNECTING;
        }
    }
}
