#!/bin/sh
# Runs one of RocketMQ's start scripts. They start the JVM as a child and pass no signal on: this script does, to the whole process group.
trap 'trap "" TERM INT; kill -TERM 0' TERM INT
sh "$@" &
wait $!
code=$?
# The trap ends the first wait before the JVM is down.
wait
# 143 is how a JVM says that it stopped in order on SIGTERM.
[ "$code" -gt 128 ] && exit 0
exit "$code"
