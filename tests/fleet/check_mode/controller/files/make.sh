#!/bin/sh
echo "made $1"
[ -n "$1" ] && touch "$1"
