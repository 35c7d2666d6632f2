//! The prompt: the account, and the context or node.

use crate::json::is_unprintable;

/// The colour of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Colour {
    Red,
    Green,
    Yellow,
    Blue,
    Magenta,
    Cyan,
}

impl Colour {
    /// Returns the colour with that English name.
    pub fn parse(name: &str) -> Option<Colour> {
        Some(match name.to_ascii_lowercase().as_str() {
            "red" => Colour::Red,
            "green" => Colour::Green,
            "yellow" => Colour::Yellow,
            "blue" => Colour::Blue,
            "magenta" => Colour::Magenta,
            "cyan" => Colour::Cyan,
            _ => return None,
        })
    }

    fn code(self) -> &'static str {
        match self {
            Colour::Red => "31",
            Colour::Green => "32",
            Colour::Yellow => "33",
            Colour::Blue => "34",
            Colour::Magenta => "35",
            Colour::Cyan => "36",
        }
    }
}

/// The content of the prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// The account, or the account and its user: `admin`, `ops/anna`. `None` when nobody is logged in.
    pub account: Option<String>,
    /// The context in use, or the address of a node given instead of it; `None` without either.
    pub place: Option<String>,
    /// Whether the node is the embedded sandbox.
    pub sandbox: bool,
    /// The colour of the context.
    pub colour: Option<Colour>,
}

impl Prompt {
    /// Returns the prompt without colours, and with them.
    pub(super) fn texts(&self) -> (String, String) {
        let clean = |text: &str| -> String { text.chars().filter(|c| !is_unprintable(*c)).collect() };
        let account = self.account.as_deref().map_or("-".to_owned(), clean);
        let place = if self.sandbox { Some("sandbox".to_owned()) } else { self.place.as_deref().map(clean) };
        let mut plain = account.clone();
        let mut styled = format!("\x1b[1m{account}\x1b[0m");
        if let Some(place) = place {
            plain.push_str(&format!("@{place}"));
            let code = self.colour.map_or(if self.sandbox { "2" } else { "36" }, Colour::code);
            styled.push_str(&format!("@\x1b[{code}m{place}\x1b[0m"));
        }
        plain.push_str(" >>> ");
        styled.push_str(" >>> ");
        (plain, styled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompt_tells_account_and_place() {
        let plain = |prompt: Prompt| prompt.texts().0;
        assert_eq!(plain(Prompt::default()), "- >>> ");
        let admin = Prompt { account: Some("admin".into()), ..Prompt::default() };
        assert_eq!(plain(admin.clone()), "admin >>> ");
        assert_eq!(plain(Prompt { place: Some("lab\x1b[2J".into()), ..admin.clone() }), "admin@lab[2J >>> ");
        assert_eq!(plain(Prompt { sandbox: true, ..admin }), "admin@sandbox >>> ");
    }

    #[test]
    fn a_context_may_have_a_colour() {
        let prompt = Prompt {
            account: Some("admin".into()),
            place: Some("prod".into()),
            colour: Colour::parse("Red"),
            ..Prompt::default()
        };
        assert_eq!(prompt.texts().1, "\x1b[1madmin\x1b[0m@\x1b[31mprod\x1b[0m >>> ");
    }
}
