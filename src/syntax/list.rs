//! Lists of scalars: text split at commas.

/// Why a list cannot be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// A double quote inside the list is never closed.
    #[error("a double quote in the list is never closed")]
    OpenQuote,
}

/// Splits at commas. `"…"` and `\,` keep a comma; inside quotes a doubled quote stands for one quote. Empty text is the
/// empty list.
///
/// # Errors
/// `OpenQuote` where a quoted member does not end.
pub fn split(text: &str) -> Result<Vec<String>, ListError> {
    let mut items = Vec::new();
    if text.is_empty() {
        return Ok(items);
    }
    let mut item = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ',' => items.push(std::mem::take(&mut item)),
            '\\' => item.push(chars.next().unwrap_or('\\')),
            // As in CSV, a quote has a meaning only where a member starts.
            '"' if item.is_empty() => loop {
                match chars.next() {
                    None => return Err(ListError::OpenQuote),
                    Some('"') if chars.next_if_eq(&'"').is_some() => item.push('"'),
                    Some('"') => break,
                    Some('\\') => item.push(chars.next().unwrap_or('\\')),
                    Some(inner) => item.push(inner),
                }
            },
            _ => item.push(c),
        }
    }
    items.push(item);
    Ok(items)
}

/// The list of these members as [`split`] reads it; none of them makes it look like JSON.
pub fn join<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> String {
    let mut text = String::new();
    for (index, item) in items.into_iter().enumerate() {
        let item = item.as_ref();
        if index > 0 {
            text.push(',');
        }
        if item.contains([',', '\\', '"']) || item.trim_start().starts_with(['[', '(', '{']) {
            let inner = item.replace('\\', "\\\\").replace('"', "\"\"");
            text.push_str(&format!("\"{inner}\""));
        } else {
            text.push_str(item);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_was_joined_splits_into_the_same() {
        for items in [vec!["a", "b c"], vec!["a,b", "say \"hi\"", r"a\b\"], vec!["[x", "", " {y"], vec!["5\" disk"]] {
            let text = join(&items);
            assert_eq!(split(&text), Ok(items.iter().map(|item| (*item).to_owned()).collect()), "{text}");
            assert!(!text.trim_start().starts_with(['[', '(', '{']), "{text}");
        }
    }

    #[test]
    fn commas_split_unless_kept() {
        for (text, expected) in [
            ("", vec![]),
            ("a", vec!["a"]),
            ("a,b", vec!["a", "b"]),
            (r#"a,b\,c,"d,e""#, vec!["a", "b,c", "d,e"]),
            (r#""say ""hi""",x"#, vec![r#"say "hi""#, "x"]),
            ("a,,b,", vec!["a", "", "b", ""]),
            (r#"5" disk,x"#, vec![r#"5" disk"#, "x"]),
            (r"a\\b\", vec![r"a\b\"]),
        ] {
            assert_eq!(split(text), Ok(expected.into_iter().map(str::to_owned).collect()), "{text}");
        }
        assert_eq!(split("\"a,b"), Err(ListError::OpenQuote));
    }
}
