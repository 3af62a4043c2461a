package org.fieldphone.app;

import android.content.Context;
import android.net.ConnectivityManager;
import android.net.Network;
import android.net.NetworkCapabilities;
import android.net.NetworkRequest;

/**
 * Puts the app on the local network. A phone in a Wi-Fi without internet keeps its mobile
 * data as the network for apps, and a server on the LAN would be out of reach. A cable wins
 * over Wi-Fi; without either (the phone itself is the hotspot) nothing is chosen.
 */
final class Lan {
    interface Listener {
        /** Called on a thread of the system's. */
        void onNetworkChanged();
    }

    private final ConnectivityManager connectivity;
    private final Listener listener;
    private final Watch wifi = new Watch();
    private final Watch cable = new Watch();

    Lan(Context context, Listener listener) {
        this.listener = listener;
        connectivity = (ConnectivityManager) context.getSystemService(Context.CONNECTIVITY_SERVICE);
    }

    void start() {
        connectivity.registerNetworkCallback(request(NetworkCapabilities.TRANSPORT_ETHERNET), cable);
        try {
            // A request, not only a look, so that the phone does not leave a Wi-Fi without internet.
            connectivity.requestNetwork(request(NetworkCapabilities.TRANSPORT_WIFI), wifi);
        } catch (SecurityException e) {
            // Android 6.0.0 asks for a permission here that it does not give.
            connectivity.registerNetworkCallback(request(NetworkCapabilities.TRANSPORT_WIFI), wifi);
        }
    }

    /** Leaves the choice as it is: another part of the app may be using it. */
    void stop() {
        connectivity.unregisterNetworkCallback(wifi);
        connectivity.unregisterNetworkCallback(cable);
    }

    private static NetworkRequest request(int transport) {
        return new NetworkRequest.Builder()
                .addTransportType(transport)
                .removeCapability(NetworkCapabilities.NET_CAPABILITY_INTERNET)
                .build();
    }

    private synchronized void choose() {
        connectivity.bindProcessToNetwork(cable.network != null ? cable.network : wifi.network);
        listener.onNetworkChanged();
    }

    private final class Watch extends ConnectivityManager.NetworkCallback {
        private volatile Network network;

        @Override
        public void onAvailable(Network available) {
            if (available.equals(network)) return;
            network = available;
            choose();
        }

        @Override
        public void onLost(Network lost) {
            if (!lost.equals(network)) return;
            network = null;
            choose();
        }
    }
}
