#!/bin/sh
# The tests: every file in tests/, each in a shell of its own.
cd "$(dirname "$0")" || exit 2
passed=0 failed=0
for test in tests/*.sh; do
  name=$(basename "$test" .sh)
  if why=$(sh "$test" 2>&1); then
    passed=$((passed + 1))
    echo "ok   $name"
  else
    failed=$((failed + 1))
    echo "FAIL $name: $why"
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
