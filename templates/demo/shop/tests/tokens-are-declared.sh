# Every custom property that is used is declared in the theme.
for name in $(sed -n 's/.*var(\(--[a-z-]*\)).*/\1/p' src/*.css | sort -u); do
  grep -q "^ *$name:" src/theme.css || { echo "$name is not declared"; exit 1; }
done
