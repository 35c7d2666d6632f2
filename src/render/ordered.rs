//! The members of a reply, sorted by name while its rows are streamed (R17).

use std::cmp::Ordering;

use crate::json;

use super::error::Error;
use super::output::Output;

/// How many bytes of output are held to sort the members of a reply. Rows of a longer reply are streamed, and members
/// that sort before them but arrive later are printed after them. No known reply is affected: queries have only
/// `success` and `total` in addition to their rows.
const HELD: usize = 256 * 1024;

/// The formatted members of a reply, held until it is known which one comes next.
pub(super) struct Ordered {
    /// The text between two members.
    separator: &'static [u8],
    members: Vec<Member>,
    /// Their texts, including the member that is being written.
    text: Vec<u8>,
    /// Whether the rows of the member being written are printed as they come.
    streams: bool,
    /// Whether a member was printed.
    begun: bool,
    limit: usize,
}

struct Member {
    /// Its name as written between the quotes.
    name: Vec<u8>,
    start: usize,
    end: usize,
}

impl Ordered {
    pub(super) fn new(separator: &'static [u8]) -> Ordered {
        Ordered { separator, members: Vec::new(), text: Vec::new(), streams: false, begun: false, limit: HELD }
    }

    /// Starts a member, whose text is written to [`Ordered::buffer`]. The last of several members with the same name
    /// wins.
    pub(super) fn begin(&mut self, name: &str) {
        self.streams = false;
        self.members.retain(|member| member.name != name.as_bytes());
        let start = self.text.len();
        self.members.push(Member { name: name.as_bytes().to_vec(), start, end: start });
    }

    /// Where the text of the member being written goes.
    pub(super) fn buffer<'b>(&'b mut self, out: &'b mut Output<'_>) -> &'b mut Vec<u8> {
        if self.streams { &mut out.buffer } else { &mut self.text }
    }

    /// Ends the member.
    pub(super) fn end(&mut self) {
        if let Some(member) = self.members.last_mut().filter(|_| !self.streams) {
            member.end = self.text.len();
        }
    }

    /// Called after each row of the member being written.
    pub(super) fn row_done(&mut self, out: &mut Output<'_>) -> Result<(), Error> {
        if !self.streams {
            if self.text.len() < self.limit {
                return Ok(());
            }
            let Some(current) = self.members.pop() else { return Ok(()) };
            self.members.sort_by(|a, b| json::compare_names(&a.name, &b.name));
            let before = self
                .members
                .partition_point(|member| json::compare_names(&member.name, &current.name) == Ordering::Less);
            let behind = self.members.split_off(before);
            self.print(out)?;
            self.separate(out);
            out.write(&self.text[current.start..])?;
            self.text.truncate(current.start);
            self.text.shrink_to(self.limit);
            self.members = behind;
            self.streams = true;
        }
        out.row_done()
    }

    /// Prints what is still held.
    pub(super) fn finish(&mut self, out: &mut Output<'_>) -> Result<(), Error> {
        self.members.sort_by(|a, b| json::compare_names(&a.name, &b.name));
        self.print(out)
    }

    /// Prints the held members in their current order.
    fn print(&mut self, out: &mut Output<'_>) -> Result<(), Error> {
        for member in std::mem::take(&mut self.members) {
            self.separate(out);
            out.write(&self.text[member.start..member.end])?;
        }
        Ok(())
    }

    fn separate(&mut self, out: &mut Output<'_>) {
        if std::mem::replace(&mut self.begun, true) {
            out.buffer.extend_from_slice(self.separator);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Prints members of which lists have rows of ten bytes.
    fn printed(limit: usize, members: &[(&str, usize)]) -> String {
        let mut written = Vec::new();
        let mut out = Output::new(&mut written);
        let mut ordered = Ordered { limit, ..Ordered::new(b",") };
        for &(name, rows) in members {
            ordered.begin(name);
            ordered.buffer(&mut out).extend_from_slice(name.as_bytes());
            for row in 0..rows {
                ordered.buffer(&mut out).extend_from_slice(format!("{row:>10}").as_bytes());
                ordered.row_done(&mut out).expect("memory takes it");
            }
            ordered.end();
        }
        ordered.finish(&mut out).expect("memory takes it");
        out.finish().expect("memory takes it");
        String::from_utf8(written).expect("text").replace(' ', "")
    }

    #[test]
    fn members_come_in_order_up_to_the_limit() {
        let reply = [("total", 0), ("inventories", 3), ("success", 0), ("error", 0), ("total", 0)];
        assert_eq!(printed(1000, &reply), "error,inventories012,success,total");
        // Rows that were printed already stay where they are.
        assert_eq!(printed(20, &reply), "inventories012,error,success,total");
        assert_eq!(printed(1000, &[]), "");
        // Several long lists.
        assert_eq!(printed(20, &[("d", 0), ("c", 3), ("a", 0), ("b", 4), ("e", 1)]), "c012,a,b0123,d,e0");
    }
}
