# Every file that the page names is there.
for file in $(sed -n 's/.*\(src\|href\)="\(src\/[^"]*\)".*/\2/p' index.html); do
  [ -f "$file" ] || { echo "$file is missing"; exit 1; }
done
