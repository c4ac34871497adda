#!/bin/sh
echo "scripted by $(id -un)" > "$1"
