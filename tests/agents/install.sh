#!/bin/sh
# Installs the agents that tests/real_agents.rs drives, at pinned versions, into a directory that
# can be cached: $WT_AGENTS_DIR, by default .agents-cache at the top of the repository (about
# 1.1 GB). Needs npm; the agents themselves are native programs and need no Node to run.
# Does nothing when what is there is what the lock file says.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
dir=${WT_AGENTS_DIR:-$here/../../.agents-cache}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)

if cmp -s "$here/package-lock.json" "$dir/installed.json"; then
    echo "the agents in $dir are up to date"
    exit 0
fi
if ! command -v npm >/dev/null; then
    echo "npm is needed to install the agents into $dir" >&2
    exit 1
fi

rm -f "$dir/installed.json"
cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$dir/"
rm -rf "$dir/node_modules"
# Not `npm ci`: it refuses a lock file that lacks the optional packages of other platforms, which
# not every registry carries. What the lock file does hold is installed as it says, checksums too.
(cd "$dir" && npm install --no-progress)

home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
for agent in claude codex opencode; do
    version=$(env -i PATH="$PATH" HOME="$home" TMPDIR="$home" "$dir/node_modules/.bin/$agent" --version 2>/dev/null)
    echo "$agent $version"
done
# Last, so that an installation that was cut short is made again.
cp "$here/package-lock.json" "$dir/installed.json"
