# Components hold no colour of their own.
! grep -n '#[0-9a-fA-F]\{3,8\};' src/components.css
