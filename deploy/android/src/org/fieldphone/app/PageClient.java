package org.fieldphone.app;

import android.graphics.Bitmap;
import android.net.http.SslCertificate;
import android.net.http.SslError;
import android.os.Build;
import android.os.Bundle;
import android.webkit.RenderProcessGoneDetail;
import android.webkit.SslErrorHandler;
import android.webkit.WebResourceError;
import android.webkit.WebResourceRequest;
import android.webkit.WebResourceResponse;
import android.webkit.WebView;
import android.webkit.WebViewClient;
import java.io.ByteArrayInputStream;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Collections;
import java.util.Date;
import java.util.Locale;
import org.fieldphone.line.SiteTrust;
import org.fieldphone.line.TrustException;

/** Keeps the WebView on the paired site, and on no certificate but one of the site's. */
@SuppressWarnings("deprecation") // the older callbacks serve all versions
final class PageClient extends WebViewClient {
    interface Host {
        void pageFailed(String reason);

        /** The certificate leads to no known one; the site may have renewed its CA. */
        void pageDistrusted(String reason);

        void pageShown();

        void pageCrashed();
    }

    private final Store store;
    private final Store.Site site;
    private final Host host;
    private final MainActivity context;
    private boolean failed;

    PageClient(Store store, Store.Site site, MainActivity context, Host host) {
        this.store = store;
        this.site = site;
        this.context = context;
        this.host = host;
    }

    boolean isSite(String url) {
        return site.pairing.address.owns(url);
    }

    @Override
    public boolean shouldOverrideUrlLoading(WebView view, String url) {
        return !isSite(url);
    }

    @Override
    public WebResourceResponse shouldInterceptRequest(WebView view, WebResourceRequest request) {
        String url = request.getUrl().toString();
        String lower = url.length() > 5 ? url.substring(0, 5).toLowerCase(Locale.ROOT) : url;
        if (isSite(url) || lower.equals("blob:") || lower.equals("data:")) return null;
        return new WebResourceResponse("text/plain", "utf-8", 403, "Forbidden",
                Collections.<String, String>emptyMap(), new ByteArrayInputStream(new byte[0]));
    }

    @Override
    public void onReceivedSslError(WebView view, SslErrorHandler handler, SslError error) {
        TrustException reason = null;
        // A WebSocket is judged like the page that opens it.
        if (isSite(error.getUrl().replaceFirst("^wss://", "https://"))) {
            reason = distrust(error.getCertificate());
            if (reason == null) {
                handler.proceed();
                return;
            }
        }
        handler.cancel();
        if (reason == null) return;
        failed = true;
        String words = Words.of(context, reason, site.pairing.address);
        if (reason.kind == TrustException.Kind.WRONG_SITE) host.pageDistrusted(words);
        else host.pageFailed(words);
    }

    /** Why a certificate is not this site's, or null when it is. */
    private TrustException distrust(SslCertificate certificate) {
        try {
            Bundle state = certificate == null ? null : SslCertificate.saveState(certificate);
            byte[] der = state == null ? null : state.getByteArray("x509-certificate");
            X509Certificate[] chain = der == null ? null : new X509Certificate[] {SiteTrust.decode(der)};
            store.trust(site).check(chain, new Date());
            return null;
        } catch (TrustException e) {
            return e;
        } catch (CertificateException e) {
            return SiteTrust.wrongSite(e);
        }
    }

    /**
     * Whether the page that is shown came from the paired site, under a certificate of its.
     * Android 6 does not read the network security configuration: a certificate that it
     * trusts by itself comes without onReceivedSslError, and is caught here.
     */
    boolean showsSite(WebView view) {
        if (!isSite(view.getUrl())) return false;
        SslCertificate certificate = view.getCertificate();
        if (certificate == null) return Build.VERSION.SDK_INT >= 24;
        return distrust(certificate) == null;
    }

    @Override
    public void onPageStarted(WebView view, String url, Bitmap favicon) {
        failed = false;
    }

    @Override
    public void onPageCommitVisible(WebView view, String url) {
        if (failed || showsSite(view)) return;
        view.loadUrl("about:blank");
        fail(Words.of(context, SiteTrust.wrongSite(null), site.pairing.address));
    }

    @Override
    public void onPageFinished(WebView view, String url) {
        if (!failed && isSite(url)) host.pageShown();
    }

    @Override
    public void onReceivedError(WebView view, WebResourceRequest request, WebResourceError error) {
        if (request.isForMainFrame() && !failed) fail(Words.of(context, null, site.pairing.address));
    }

    @Override
    public boolean onRenderProcessGone(WebView view, RenderProcessGoneDetail detail) {
        host.pageCrashed();
        return true;
    }

    private void fail(String reason) {
        failed = true;
        host.pageFailed(reason);
    }
}
