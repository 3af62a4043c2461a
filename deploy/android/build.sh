#!/usr/bin/env bash
# Builds deploy/android/out/fieldphone.apk, signed (FIELDPHONE_ANDROID_OUT: another folder).
# Installs what a fresh Debian lacks.
#
# The key: FIELDPHONE_ANDROID_KEYSTORE names a PKCS#12 file with one key, and
# FIELDPHONE_ANDROID_KEYSTORE_PASSWORD_FILE a file with its password. Without them a key is
# made at the first build and kept in ~/.config/fieldphone/android. Keep it: phones take
# an update only when it is signed with the same key.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
source "$(dirname "$0")/env.sh"

keystore=${FIELDPHONE_ANDROID_KEYSTORE:-}
password_file=${FIELDPHONE_ANDROID_KEYSTORE_PASSWORD_FILE:-}

own_key() {
  local dir=${XDG_CONFIG_HOME:-$HOME/.config}/fieldphone/android
  keystore=$dir/key.p12
  password_file=$dir/password
  if [ ! -e "$keystore" ]; then
    (
      umask 077
      mkdir -p "$dir"
      head -c 24 /dev/urandom | base64 >"$password_file"
      keytool -genkeypair -keystore "$keystore" -storetype PKCS12 -storepass:file "$password_file" -alias fieldphone \
        -keyalg RSA -keysize 3072 -validity 10950 -dname CN=Fieldphone
    )
    echo "made a signing key: $keystore (back it up, with $password_file)" >&2
  fi
}

need_tools
if [ -n "$keystore" ]; then
  : "${password_file:?FIELDPHONE_ANDROID_KEYSTORE_PASSWORD_FILE must name the file with the password}"
else
  own_key
fi
compile "$out/build"
package_app "$out/build"
apksigner sign --ks "$keystore" --ks-type PKCS12 --ks-pass "file:$password_file" \
  --v1-signing-enabled true --v2-signing-enabled true --v3-signing-enabled true \
  --out "$out/fieldphone.apk" "$out/build/unsigned.apk"
rm -f "$out/fieldphone.apk.idsig"
apksigner verify --min-sdk-version "$min_sdk" "$out/fieldphone.apk"
echo "$out/fieldphone.apk: $(stat -c %s "$out/fieldphone.apk") bytes"
