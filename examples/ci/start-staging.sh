#!/bin/sh
# Starts a staging run through a Soakgate server and follows it to its ending; exits with the ending's code (soakgate --help).
#   CI_RUN_ID=4711 SOAKGATE_SERVER=http://127.0.0.1:8230 start-staging.sh PLAN PERSON [more options of soakgate start]
# Needs curl and the command soakgate (or SOAKGATE="npx soakgate"); the server needs no key, this job has PERSON's.
set -eu

plan=${1:?the plan file is missing}
person=${2:?the person who signs is missing}
shift 2
server=${SOAKGATE_SERVER:-http://127.0.0.1:8230}
server=${server%/}
key=${IDEMPOTENCY_KEY:-${CI_RUN_ID:?set CI_RUN_ID, or IDEMPOTENCY_KEY}}
name=${DEPLOYMENT:-ci-$key}
signed=${SIGNED_START:-soakgate-$key.json}
every=${FOLLOW_SECONDS:-5}
tries=${TRIES:-60}

answer=$(mktemp)
trap 'rm -f "$answer" "$signed.new"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '%s\n' "$*" >&2; }
# The first member of this name in the answer, which is one line of JSON; a quote inside a text has a backslash before it.
field() {
  sed 's/,"/\
"/g; s/:{"/\
"/g; s/^{"/"/' "$answer" | sed -n 's/^"'"$1"'":"\{0,1\}\([^"}]*\).*/\1/p' | sed -n 1p
}
# 000 when nobody answers.
ask() { curl -sS -m 60 -o "$answer" -w '%{http_code}' -H 'accept: application/json' "$@" || true; }
refused() {
  [ "$status" != 000 ] || { say "nobody answers at $server"; return; }
  say "refused ($status): $(field detail)"
  say "  next: $(field remedy)"
  # With all complaints.
  cat "$answer" >&2
  say ''
}

# Signed once: a job that runs again in this folder sends the same, which counts once.
if [ ! -s "$signed" ]; then
  # Words of SOAKGATE are meant to be split.
  # shellcheck disable=SC2086
  ${SOAKGATE:-soakgate} start "$plan" --as "$person" --name "$name" --print "$@" >"$signed.new"
  mv "$signed.new" "$signed"
fi

left=$tries
while :; do
  status=$(ask -X POST -H 'content-type: application/json' -H "idempotency-key: $key" --data-binary "@$signed" "$server/v1/deployments")
  case $status in
    200 | 201) break ;;
    # Not reached: nothing is known to have begun, and the same again counts once.
    000 | 503) left=$((left - 1)) ;;
    409) refused; exit 6 ;;
    403 | 421) refused; exit 7 ;;
    4??) refused; exit 2 ;;
    *) refused; exit 70 ;;
  esac
  [ "$left" -gt 0 ] || { refused; exit 70; }
  sleep "$every"
done
name=$(field deployment)
say "$name: $(field workflowId) runs"

left=$tries
before=
while :; do
  status=$(ask "$server/v1/deployments/$name")
  case $status in
    200)
      left=$tries
      code=$(sed -n 's/.*"exitCode":\([0-9][0-9]*\)}$/\1/p' "$answer")
      waiting=$(field waitingFor)
      now="$(field phase)$([ "$waiting" = null ] || printf '; waiting for: %s' "$waiting")"
      [ "$now" = "$before" ] || say "$name: $now"
      before=$now
      # 8: it goes on.
      [ "$code" = 8 ] || break
      ;;
    000 | 5??) left=$((left - 1)) ;;
    *) refused; exit 2 ;;
  esac
  [ "$left" -gt 0 ] || { refused; exit 70; }
  sleep "$every"
done
say "$name: $(field outcome): $(field reason)"
cat "$answer"
exit "$code"
