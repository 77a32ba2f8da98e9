//! Settings with names in braces, and what is put in their place.

/// Puts values in place of their names in braces: with `("name", "a")`, `x/{name}` gives `x/a`.
/// Braces around anything else are left as they are; what is put in is never looked at again.
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        filled.push_str(&rest[..open]);
        let inside = &rest[open + 1..];
        let found = inside.find('}').and_then(|close| {
            let name = &inside[..close];
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            Some((value, close))
        });
        match found {
            Some((value, close)) => {
                filled.push_str(value);
                rest = &inside[close + 1..];
            }
            None => {
                filled.push('{');
                rest = inside;
            }
        }
    }
    filled + rest
}

/// Whether a template holds a name in braces.
pub fn names(template: &str, name: &str) -> bool {
    template.contains(&format!("{{{name}}}"))
}

/// The first lower-case word in braces that is none of the known names.
pub fn unknown<'t>(template: &'t str, known: &[&str]) -> Option<&'t str> {
    template.match_indices('{').find_map(|(open, _)| {
        let inside = &template[open + 1..];
        let name = &inside[..inside.find('}')?];
        let word = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        (word && !known.contains(&name)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_names_are_filled_in_and_the_rest_stays() {
        let values = [("name", "a"), ("repo", "{name}")];
        assert_eq!(fill("../{repo}-ws/{name}", &values), "../{name}-ws/a");
        assert_eq!(fill(r#"{"json": "{name}", {x} {"#, &values), r#"{"json": "a", {x} {"#);
        assert_eq!(unknown("{repo}/{nmae}", &["repo", "name"]), Some("nmae"));
        assert_eq!(unknown("{ {A} {name}", &["name"]), None);
        assert!(names("x{name}", "name") && !names("xname", "name"));
    }

    proptest! {
        #[test]
        fn without_values_nothing_changes(text in "\\PC*") {
            prop_assert_eq!(fill(&text, &[]), text);
        }
    }
}
