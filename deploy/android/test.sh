#!/usr/bin/env bash
# Builds the Android app twice and checks what came out; tests its logic on a JVM against a
# whole Fieldphone server. It needs no phone and changes nothing outside a folder of its own.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
source "$(dirname "$0")/env.sh"
need_tools
need /usr/share/java/junit4.jar=junit4 dexdump=dexdump
junit=/usr/share/java/junit4.jar:/usr/share/java/hamcrest.jar

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { printf '\nandroid: %s\n' "$*"; }

say "the same sources make the same package"
head -c 24 /dev/urandom | base64 >"$work/password"
keytool -genkeypair -keystore "$work/key.p12" -storetype PKCS12 -storepass:file "$work/password" -alias test \
  -keyalg RSA -keysize 2048 -validity 30 -dname CN=Test 2>/dev/null
FIELDPHONE_ANDROID_OUT=$work/first FIELDPHONE_ANDROID_KEYSTORE=$work/key.p12 \
  FIELDPHONE_ANDROID_KEYSTORE_PASSWORD_FILE=$work/password "$here/build.sh"
apk=$work/first/fieldphone.apk
compile "$work/second place"
package_app "$work/second place"
cmp "$work/first/build/unsigned.apk" "$work/second place/unsigned.apk"

say "signature, alignment, dex"
apksigner verify -v --min-sdk-version "$min_sdk" --print-certs -Werr "$apk" | tee "$work/verify"
for scheme in v1 v2 v3; do grep -q "^Verified using $scheme scheme .*: true$" "$work/verify"; done
zipalign -c -p 4 "$apk"
unzip -p "$apk" classes.dex >"$work/classes.dex"
dexdump -f "$work/classes.dex" >"$work/dex"
grep -q "Class descriptor *: 'Lorg/fieldphone/app/LineService;'" "$work/dex"

say "manifest"
node "$here/tools/manifest.mjs" "$apk" "$here/res"

say "API levels"
node "$here/tools/lint.mjs" "$types" "$here/api/calls.txt" "$work/first/build/classes" "$min_sdk"
mkdir -p "$work/bad"
cp -r "$work/first/build/classes/." "$work/bad"
javac --release 8 -Xlint:-options -d "$work/bad" -cp "$work/first/build/stub-classes" "$here/test/lint/Unguarded.java"
if node "$here/tools/lint.mjs" "$types" "$here/api/calls.txt" "$work/bad" "$min_sdk" 2>"$work/found"; then
  echo "the lint found nothing in test/lint/Unguarded.java" >&2
  exit 1
fi
grep Unguarded "$work/found" | LC_ALL=C sort | diff "$here/test/lint/expected.txt" -

say "logic, against a whole server"
(cd "$here/../.." && go build -o "$work/fieldphone" ./cmd/fieldphone)
mkdir -p "$work/line" "$work/tests"
javac --release 7 -Xlint:-options -d "$work/line" "$here"/src/org/fieldphone/line/*.java
javac -Xlint:all,-serial,-try -Werror -d "$work/tests" -cp "$work/line:$junit" "$here"/test/org/fieldphone/line/*.java
tests=$(cd "$here/test" && find . -name '*Test.java' | sed 's|^\./||; s|\.java$||; s|/|.|g' | sort)
# shellcheck disable=SC2086 # one argument each
java -Dfieldphone="$work/fieldphone" -Dgolden="$here/../../rtc/testdata/messages" \
  -cp "$work/line:$work/tests:$junit" org.junit.runner.JUnitCore $tests
