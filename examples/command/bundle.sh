#!/bin/sh
# A Git repository as one bundle: written to stdout, judged and taken back from stdin.
set -eu
action=$1 place=${2-}

# A bundle as a repository of its own, in a folder that goes away with this script.
unpacked() {
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' HUP INT TERM
  cat > "$work/bundle"
  git clone -q --mirror "$work/bundle" "$work/git"
}

case $action in
capture) exec git -C "$place" bundle create -q - --all ;;
check) unpacked && git -C "$work/git" fsck --strict --no-progress ;;
facts)
  unpacked
  printf '{"refs": %d, "commits": %d}\n' "$(git -C "$work/git" for-each-ref | wc -l)" "$(git -C "$work/git" rev-list --all --count)"
  ;;
restore)
  # 73 tells bkp that something was there and nothing was touched.
  if [ "${BKP_MODE-new}" = new ] && [ -e "$place" ]; then
    echo "$place exists" >&2
    exit 73
  fi
  unpacked
  rm -rf "$place.next"
  mkdir -p "$(dirname "$place")"
  cp -R "$work/git" "$place.next"
  # The old one stays beside the new one, by the name of the snapshot.
  if [ -e "$place" ]; then mv "$place" "$place.before-${BKP_SNAPSHOT-restore}"; fi
  mv "$place.next" "$place"
  ;;
esac
