#!/bin/sh
# A small application of the tests: lines of `key value` in a file, with a tool that writes them out and takes them back.
set -eu
PATH=/usr/bin:/bin
action=$1 place=${2-}
case $action in
capture)
  cat "$place/lines"
  echo '-- end'
  ;;
check)
  [ "$(tail -c 7; echo x)" = "$(printf '%s\nx' '-- end')" ]
  ;;
facts)
  awk '!/^-- end$/ { lines++; bytes += length($0) + 1 } END { printf "{\"lines\": %d, \"bytes\": %d}\n", lines, bytes }'
  ;;
restore)
  [ "${BKP_MODE-replace}" != new ] || [ ! -e "$place/lines" ] || { echo "$place holds lines" >&2; exit 73; }
  # Only the last step touches what is there; what was not finished goes.
  next=$place/.next.$$
  trap 'rm -f "$next" "$next.all"' EXIT
  trap 'exit 1' HUP INT TERM
  sed '/^-- end$/d' > "$next"
  if [ "${BKP_MODE-replace}" = merge ] && [ -e "$place/lines" ]; then
    awk 'NR == FNR { seen[$1] = 1; print; next } !($1 in seen)' "$place/lines" "$next" > "$next.all"
    mv "$next.all" "$place/lines"
  else
    mv "$next" "$place/lines"
  fi
  ;;
esac
