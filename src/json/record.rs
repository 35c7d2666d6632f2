//! Writing the text of a map, member by member.

/// The text of a map that is being written.
#[derive(Default)]
pub struct MapWriter {
    text: Vec<u8>,
}

impl MapWriter {
    /// Adds a member; `name` is escaped already.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        self.text.extend_from_slice(if self.text.is_empty() { b"{\"" } else { b",\"" });
        self.text.extend_from_slice(name);
        self.text.extend_from_slice(b"\":");
        self.text.extend_from_slice(value);
    }

    /// Adds a list; `name` is escaped already.
    pub fn push_list(&mut self, name: &[u8], items: impl IntoIterator<Item = impl AsRef<[u8]>>) {
        self.push(name, b"[");
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.text.push(b',');
            }
            self.text.extend_from_slice(item.as_ref());
        }
        self.text.push(b']');
    }

    /// The text.
    pub fn finish(mut self) -> Vec<u8> {
        if self.text.is_empty() {
            self.text.push(b'{');
        }
        self.text.push(b'}');
        self.text
    }
}
