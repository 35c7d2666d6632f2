//! `vertical`: a block of `field | value` lines a row, and how a single inventory looks in a table.

use std::collections::HashMap;

use crate::json::{self, Kind};
use crate::width::width;

use super::cell::{self, Cell};
use super::columns::Column;
use super::defaults;
use super::error::Error;
use super::fit::{cut, wrapped};
use super::grid::{Grid, GridColumn, Sample};
use super::output::Output;
use super::rows::{RowKind, RowWriter, Section};
use super::style::{PLAIN, Tone};
use super::view::{Border, Shape, View};

/// Writes rows as blocks.
pub(super) struct Vertical<'a, 'o> {
    shape: &'a Shape,
    view: &'a View,
    out: &'a mut Output<'o>,
    blocks: Blocks,
    kind: RowKind,
    name: String,
    /// Rows that are held until it is known whether the requested columns exist.
    sample: Option<Sample>,
}

impl<'a, 'o> Vertical<'a, 'o> {
    pub(super) fn new(shape: &'a Shape, view: &'a View, out: &'a mut Output<'o>) -> Vertical<'a, 'o> {
        Vertical {
            shape,
            view,
            out,
            blocks: Blocks::default(),
            kind: RowKind::Other,
            name: String::new(),
            sample: None,
        }
    }

    fn drain(&mut self) -> Result<(), Error> {
        let Some(sample) = self.sample.take() else { return Ok(()) };
        let shape = self.kind.shape(self.shape);
        self.blocks.use_columns(Grid::with_sample(&self.name, &shape, self.view, &sample)?, self.view);
        for row in sample.rows() {
            self.blocks.write(row, self.view, &mut self.out.buffer);
            self.out.row_done()?;
        }
        Ok(())
    }
}

impl RowWriter for Vertical<'_, '_> {
    fn begin(&mut self, section: Section<'_>) -> Result<(), Error> {
        self.kind = section.kind;
        self.name = section.name.to_owned();
        self.blocks.start(section, &section.kind.shape(self.shape), self.view, &mut self.out.buffer);
        self.sample = self.view.columns.as_ref().map(|_| Sample::default());
        Ok(())
    }

    fn row(&mut self, row: &[u8]) -> Result<(), Error> {
        if let Some(sample) = &mut self.sample {
            sample.push(row);
            return if sample.is_full() { self.drain() } else { Ok(()) };
        }
        self.blocks.write(row, self.view, &mut self.out.buffer);
        self.out.row_done()
    }

    fn end(&mut self) -> Result<(), Error> {
        self.drain()
    }

    fn beside(&mut self, record: &[u8]) -> Result<(), Error> {
        let section = Section { name: "", kind: RowKind::Other, single: true };
        self.blocks.start(section, &Shape::default(), self.view, &mut self.out.buffer);
        self.blocks.write(record, self.view, &mut self.out.buffer);
        Ok(())
    }
}

/// Blocks of `field | value` lines.
#[derive(Default)]
pub(super) struct Blocks {
    shape: Shape,
    /// The requested columns; without them each row shows all its members.
    grid: Option<Grid>,
    /// The default columns of a table of such rows, which come first.
    important: Option<Grid>,
    /// Columns that `+COLUMN` adds to the members.
    added: Option<Grid>,
    /// How the members seen so far are printed, by name.
    known: HashMap<Vec<u8>, GridColumn>,
    /// The name of the list, for rows that are no maps.
    name: String,
    started: bool,
}

impl Blocks {
    /// Starts a list or record.
    pub(super) fn start(&mut self, section: Section<'_>, shape: &Shape, view: &View, out: &mut Vec<u8>) {
        self.shape = shape.clone();
        self.known.clear();
        self.grid = None;
        self.added = None;
        let chosen = shape.inventory.as_deref().and_then(defaults::chosen);
        self.important = chosen.map(|columns| Grid::of(columns, shape, view));
        self.name = if section.name.is_empty() { "value".to_owned() } else { section.name.to_owned() };
        title(section, self.started, view, out);
    }

    /// Prints the requested columns, which `grid` has, or all members and those that were to be added.
    pub(super) fn use_columns(&mut self, grid: Grid, view: &View) {
        match &view.columns {
            None => {}
            Some(selection) if selection.added => {
                let added = selection.columns.iter().filter(|column| grid.has(column)).cloned().collect();
                self.added = Some(Grid::of(added, &self.shape, view));
            }
            Some(_) => self.grid = Some(grid).filter(|grid| !grid.fallback),
        }
    }

    /// Prints the block of a row.
    pub(super) fn write(&mut self, row: &[u8], view: &View, out: &mut Vec<u8>) {
        if self.started {
            out.push(b'\n');
        }
        self.started = true;
        let mut lines: Vec<(String, Cell)> = Vec::new();
        let tone_of = view.marks.as_ref().and_then(|marks| marks.of_row(row));
        let first = self.important.as_ref();
        if let Some(grid) = &self.grid {
            push_columns(grid, row, view, &mut lines);
        } else if json::kind(row) == Kind::Map {
            for (name, value) in json::members(row) {
                if !self.known.contains_key(name) {
                    let text = String::from_utf8_lossy(name).into_owned();
                    if let Some(column) = member_column(text, &self.shape, view) {
                        self.known.insert(name.to_vec(), column);
                    }
                }
                let Some(column) = self.known.get(name) else { continue };
                let mut cell = Cell::default();
                cell::for_people(column, Some(value), view, &mut cell);
                cell.tone = tone_of.as_ref().and_then(|tone_of| tone_of(&column.title)).or(cell.tone);
                lines.push((column.title.clone(), cell));
            }
            // The default columns come first: the order of members in a reply has no meaning (N2).
            // The name of a resource follows its uuid.
            let key_of = |name: &'_ str| view.named.iter().find(|(_, member)| member == name).map(|(key, _)| key);
            let place = |name: &str| match first {
                Some(grid) => {
                    let is_it =
                        |column: &GridColumn| column.title == name || !column.is_list() && grid.head(column) == name;
                    grid.columns.iter().position(is_it).unwrap_or(usize::MAX)
                }
                None => ["name", "uuid", "state", "status"].iter().position(|known| *known == name).unwrap_or(4),
            };
            if let Some(grid) = first {
                for column in grid.columns.iter().filter(|column| column.is_list()) {
                    let mut cell = Cell::default();
                    cell::for_people(column, json::member(row, grid.head(column)), view, &mut cell);
                    if cell.width > 0 && !lines.iter().any(|(title, _)| *title == column.title) {
                        lines.push((column.title.clone(), cell));
                    }
                }
            }
            lines.sort_by_key(|(name, _)| place(key_of(name).unwrap_or(name)));
        } else if let Some(column) = member_column(self.name.clone(), &Shape::default(), view) {
            let mut cell = Cell::default();
            cell::for_people(&column, Some(row), view, &mut cell);
            lines.push((self.name.clone(), cell));
        }
        if let Some(grid) = &self.added {
            push_columns(grid, row, view, &mut lines);
        }
        block(&lines, view, out);
    }
}

fn push_columns(grid: &Grid, row: &[u8], view: &View, lines: &mut Vec<(String, Cell)>) {
    let heads = grid.heads(row);
    let tone_of = view.marks.as_ref().and_then(|marks| marks.of_row(row));
    for column in &grid.columns {
        // A member is not shown twice.
        if lines.iter().any(|(title, _)| *title == column.title) {
            continue;
        }
        let mut cell = Cell::default();
        cell::for_people(column, grid.value(column, row, &heads), view, &mut cell);
        cell.tone = tone_of.as_ref().and_then(|tone_of| tone_of(grid.head(column))).or(cell.tone);
        lines.push((column.title.clone(), cell));
    }
}

fn member_column(name: String, shape: &Shape, view: &View) -> Option<GridColumn> {
    let column = Column { title: name.clone(), path: vec![name], at: 0 };
    Grid::of(vec![column], shape, view).columns.pop()
}

/// A blank line between sections, and the name of a list that is not simply the reply's inventories.
pub(super) fn title(section: Section<'_>, started: bool, view: &View, out: &mut Vec<u8>) {
    let is_alone = section.single || matches!(section.kind, RowKind::Parts);
    if matches!(section.name, "" | "inventories" | "inventory") || is_alone && !started {
        return;
    }
    if started {
        out.push(b'\n');
    }
    let name = json::escape_unprintable(section.name);
    if view.colour {
        out.extend_from_slice(format!("{}{name}{PLAIN}\n", Tone::Heading.start()).as_bytes());
    } else {
        out.extend_from_slice(format!("{name}:\n").as_bytes());
    }
}

/// Writes the lines of one row.
pub(super) fn block(lines: &[(String, Cell)], view: &View, out: &mut Vec<u8>) {
    let titles: Vec<String> = lines.iter().map(|(title, _)| json::escape_unprintable(title).into_owned()).collect();
    let label = titles.iter().map(|title| width(title)).max().unwrap_or(0);
    let bar = match view.border {
        Some(Border::Unicode) => " │ ",
        Some(Border::None) => "  ",
        _ => " | ",
    };
    let (open, close) = if view.border == Some(Border::Markdown) { ("| ", " |") } else { ("", "") };
    if view.border == Some(Border::Markdown) {
        out.extend_from_slice(format!("| field | value |\n| {} | --- |\n", "-".repeat(label.max(3))).as_bytes());
    }
    // A value gets at least the width of a uuid, however narrow the terminal is.
    let room = view.limit().map(|limit| limit.saturating_sub(label + 3).max(36));
    for (title, (_, cell)) in titles.iter().zip(lines) {
        let pieces = match room {
            Some(room) if cell.width > room => {
                if view.wrap || view.max_width.is_none() {
                    wrapped(&cell.text, room)
                } else {
                    vec![cut(&cell.text, room, view.ellipsis()).into_owned()]
                }
            }
            _ => vec![cell.text.clone()],
        };
        for (index, piece) in pieces.iter().enumerate() {
            out.extend_from_slice(open.as_bytes());
            let title = if index == 0 { title.as_str() } else { "" };
            if view.colour && !title.is_empty() {
                out.extend_from_slice(format!("{}{title}{PLAIN}", Tone::Heading.start()).as_bytes());
            } else {
                out.extend_from_slice(title.as_bytes());
            }
            let piece = if view.border == Some(Border::Markdown) { piece.replace('|', "\\|") } else { piece.clone() };
            out.resize(out.len() + label - width(title), b' ');
            out.extend_from_slice(if piece.is_empty() && close.is_empty() { bar.trim_end() } else { bar }.as_bytes());
            match cell.tone {
                Some(tone) => out.extend_from_slice(format!("{}{piece}{PLAIN}", tone.start()).as_bytes()),
                None => out.extend_from_slice(piece.as_bytes()),
            }
            out.extend_from_slice(close.as_bytes());
            out.push(b'\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{REPLY, print, print_with, zone_shape};
    use super::super::{Format, Selection, View};
    use super::*;

    fn view() -> View {
        View::new(Format::Vertical)
    }

    #[test]
    fn each_row_is_a_block_of_its_own_members() {
        let expected = "name | a\nsize | 1 GiB\nnics | 2 nics\n\nname  | b\nstate | Running\n";
        assert_eq!(print(REPLY, &view()), expected);
        assert_eq!(print_with(REPLY, &zone_shape(), &view()), expected);
        assert_eq!(print(r#"{"inventories":["x",1]}"#, &view()), "inventories | x\n\ninventories | 1\n");
        assert_eq!(print(r#"{"inventories":[{"a":""}],"total":4}"#, &view()), "a |\n\ntotal | 4\n");
    }

    #[test]
    fn what_a_table_shows_comes_first() {
        let shape = Shape { inventory: Some("VmInstanceInventory".to_owned()), ..Shape::default() };
        let reply = r#"{"inventory":{"zoneUuid":"z","vmNics":[{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}],"cpuNum":2,"uuid":"u","state":"Running","name":"a"}}"#;
        assert_eq!(
            print_with(reply, &shape, &view()),
            "name     | a\nuuid     | u\nstate    | Running\nip       | 10.0.0.1, 10.0.0.2\ncpuNum   | 2\n\
             zoneUuid | z\nvmNics   | 2 nics\n"
        );
        // Rows without addresses have no line for them.
        assert_eq!(
            print_with(r#"{"inventory":{"state":"Running","name":"a"}}"#, &shape, &view()),
            "name  | a\nstate | Running\n"
        );
    }

    #[test]
    fn columns_are_chosen_or_added() {
        let with = |columns: &str| View { columns: Some(Selection::parse(columns).expect("a selection")), ..view() };
        assert_eq!(print(REPLY, &with("ip=nics.ip,name")), "ip   | 1, 2\nname | a\n\nip   |\nname | b\n");
        assert!(
            print(REPLY, &with("+ip=nics.ip,name")).starts_with("name | a\nsize | 1 GiB\nnics | 2 nics\nip   | 1, 2\n")
        );
        let table = View { format: Format::Table, ..with("+ip=nics.ip") };
        assert_eq!(
            print(r#"{"inventory":{"name":"a","nics":[{"ip":"1"}]}}"#, &table),
            "name | a\nnics | 1 nic\nip   | 1\n"
        );
    }

    #[test]
    fn long_values_are_wrapped_on_a_terminal() {
        let uuid = "1ab3b836a88342e1bbc1b1a17d092f0f";
        let reply =
            format!(r#"{{"inventory":{{"uuid":"{uuid}","text":"the quick brown fox jumps over the lazy dog"}}}}"#);
        let narrow = View { width: Some(20), ..view() };
        assert_eq!(
            print(&reply, &narrow),
            format!("uuid | {uuid}\ntext | the quick brown fox jumps over the\n     | lazy dog\n")
        );
        let cut = View { max_width: Some(20), ..view() };
        assert!(print(&reply, &cut).ends_with("text | the quick brown fox jumps over the…\n"));
        assert!(print(&reply, &view()).ends_with("lazy dog\n"));
    }

    #[test]
    fn borders() {
        let reply = r#"{"inventory":{"a":"x|y"}}"#;
        let with = |border| View { border: Some(border), ..view() };
        assert_eq!(print(reply, &with(Border::Unicode)), "a │ x|y\n");
        assert_eq!(print(reply, &with(Border::None)), "a  x|y\n");
        assert_eq!(print(reply, &with(Border::Ascii)), "a | x|y\n");
        assert_eq!(print(reply, &with(Border::Markdown)), "| field | value |\n| --- | --- |\n| a | x\\|y |\n");
    }
}
