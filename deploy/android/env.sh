# shellcheck shell=bash disable=SC2034
# What build.sh and test.sh share: where things are, and the tools that a fresh Debian lacks.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${FIELDPHONE_ANDROID_OUT:-$here/out}
types=$here/node_modules/@nativescript/types-android
dx_jar=$here/node_modules/@nativescript/android/framework/build-tools/android-metadata-generator.jar
framework=/usr/share/android-framework-res/framework-res.apk
min_sdk=23
export LC_ALL=C.UTF-8 TZ=UTC DEBIAN_FRONTEND=noninteractive

# need FILE_OR_COMMAND=PACKAGE...: installs the Debian packages of what is missing.
need() {
  local missing=() pair
  for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null || [ -e "${pair%%=*}" ] || missing+=("${pair#*=}")
  done
  [ ${#missing[@]} -eq 0 ] && return
  echo "install ${missing[*]}" >&2
  local sudo=()
  [ "$(id -u)" -eq 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

need_tools() {
  need javac=openjdk-17-jdk-headless node=nodejs npm=npm aapt=aapt zipalign=zipalign apksigner=apksigner "$framework=android-framework-res"
  if ! (cd "$here" && npm ls --silent >/dev/null 2>&1) || [ ! -e "$dx_jar" ]; then
    (cd "$here" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
  fi
}

# compile DIR: stubs, resources and the app's classes, below DIR.
compile() {
  local dir=$1
  rm -rf "$dir"
  mkdir -p "$dir"/{stubs,stub-classes,gen,classes}
  node "$here/tools/stubs.mjs" "$types" "$here/api/calls.txt" "$dir/stubs"
  (cd "$dir/stubs" && find . -name '*.java' -print0 | sort -z | xargs -0 javac --release 7 -Xlint:-options -nowarn -d ../stub-classes)
  aapt package -f -m -M "$here/AndroidManifest.xml" -S "$here/res" -I "$framework" -J "$dir/gen"
  (cd "$here" && find src "$dir/gen" -name '*.java' -print0 | sort -z |
    xargs -0 javac --release 7 -Xlint:all,-options,-serial -Werror -g:source,lines -d "$dir/classes" -cp "$dir/stub-classes")
}

# package_app DIR: DIR/unsigned.apk, aligned, out of what compile made. The same sources make the same bytes.
package_app() {
  local dir=$1
  (cd "$dir/classes" && find . -name '*.class' | sed 's|^\./||' | sort |
    xargs java -cp "$dx_jar" com.android.dx.command.Main --dex --output="$dir/classes.dex")
  aapt package -f -M "$here/AndroidManifest.xml" -S "$here/res" -I "$framework" -F "$dir/resources.apk"
  touch -d 1980-01-01T00:00:00Z "$dir/classes.dex"
  (cd "$dir" && aapt add -f resources.apk classes.dex >/dev/null)
  zipalign -f -p 4 "$dir/resources.apk" "$dir/unsigned.apk"
}
