//! `table` and `wide`: aligned columns.
//!
//! The first rows are measured, then all rows are printed as they arrive, so that a table of any length needs the
//! memory of those first rows only.

use crate::json;
use crate::width::width;

use super::cell::{self, Cell};
use super::error::Error;
use super::frame::{Layout, Lines};
use super::grid::{Grid, Sample};
use super::output::Output;
use super::rows::{RowKind, RowWriter, Section};
use super::sort::Key;
use super::style::Tone;
use super::vertical::{Blocks, block, title};
use super::view::{Format, Shape, View};

/// Writes rows as an aligned table.
pub(super) struct Table<'a, 'o> {
    shape: &'a Shape,
    view: &'a View,
    out: &'a mut Output<'o>,
    lines: Lines,
    kind: RowKind,
    single: bool,
    name: String,
    started: bool,
    sample: Sample,
    phase: Phase,
    cells: Vec<Cell>,
    hidden: Vec<String>,
    /// What is the same in all rows of the current section: headings and values.
    same: Vec<(String, Cell)>,
}

/// The state of the current section.
enum Phase {
    /// The first rows are collected and measured.
    Measuring,
    /// Rows are printed in these columns.
    Rows(Grid, Layout),
    /// Rows are too wide and are printed as blocks.
    Blocks(Grid),
}

impl<'a, 'o> Table<'a, 'o> {
    pub(super) fn new(shape: &'a Shape, view: &'a View, out: &'a mut Output<'o>) -> Table<'a, 'o> {
        Table {
            shape,
            view,
            out,
            lines: Lines::of(view),
            kind: RowKind::Other,
            single: false,
            name: String::new(),
            started: false,
            sample: Sample::default(),
            phase: Phase::Measuring,
            cells: Vec::new(),
            hidden: Vec::new(),
            same: Vec::new(),
        }
    }

    /// The titles of columns that were left out.
    pub(super) fn into_hidden(self) -> Vec<String> {
        self.hidden
    }

    /// Lays the table out for the rows that are there; `complete` says that these are all.
    fn measured(&mut self, complete: bool) -> Result<(), Error> {
        let sample = std::mem::take(&mut self.sample);
        let name = self.name.clone();
        let section = Section { name: &name, kind: self.kind, single: self.single };
        let shape = &*self.kind.shape(self.shape);
        let mut grid = Grid::with_sample(&self.name, shape, self.view, &sample)?;
        let alone =
            self.single || sample.len() == 1 && self.view.format == Format::Table && self.view.section.is_none();
        if alone && sample.rows().all(|row| json::kind(row) == json::Kind::Map) {
            if self.started {
                self.out.buffer.push(b'\n');
            }
            let mut blocks = Blocks::default();
            blocks.start(section, shape, self.view, &mut self.out.buffer);
            blocks.use_columns(grid, self.view);
            self.write_alone(blocks, &sample);
            return Ok(());
        }
        if self.started {
            self.out.buffer.push(b'\n');
        }
        if !sample.rows().all(|row| json::kind(row) != json::Kind::Map) {
            title(section, false, self.view, &mut self.out.buffer);
        }
        self.started = true;
        let mut table: Vec<Vec<Cell>> = Vec::new();
        for row in sample.rows() {
            let mut cells = Vec::new();
            fill(&grid, row, self.view, &mut cells);
            table.push(cells);
        }
        if complete && self.view.terminal && self.view.format == Format::Table {
            if self.view.by_name {
                by_name(&sample, &mut table);
            }
            if self.view.folds && self.view.border.is_none() && self.view.header {
                self.fold(&mut grid, &mut table);
            }
        }
        match Layout::of(&grid, &table, self.view, &self.lines) {
            None => {
                for cells in table {
                    self.write_block(&grid, cells)?;
                }
                self.phase = Phase::Blocks(grid);
            }
            Some(layout) => {
                let kept = &layout.kept;
                for index in (0..grid.columns.len()).filter(|index| !kept.contains(index)) {
                    self.hidden.extend(grid.names(&grid.columns[index]));
                }
                keep(&mut grid.columns, kept);
                table.iter_mut().for_each(|cells| keep(cells, kept));
                if !grid.columns.is_empty() {
                    self.write_heading(&grid, &layout);
                }
                for cells in table {
                    self.lines.row(&cells, &layout, self.view.wrap, &mut self.out.buffer);
                    self.out.row_done()?;
                }
                self.phase = Phase::Rows(grid, layout);
            }
        }
        Ok(())
    }

    /// Takes the default columns out that are the same in all of several rows, to be told below the table.
    fn fold(&mut self, grid: &mut Grid, table: &mut [Vec<Cell>]) {
        let [first, others @ ..] = &*table else { return };
        let is_same = |index: usize| {
            let column = &grid.columns[index];
            let is_kept = column.rank <= 1 || column.leaf == "uuid" || others.is_empty();
            !is_kept && others.iter().all(|cells| cells[index].text == first[index].text)
        };
        let (same, kept): (Vec<usize>, Vec<usize>) = (0..grid.columns.len()).partition(|index| is_same(*index));
        self.same = same.iter().map(|index| (grid.columns[*index].title.clone(), first[*index].clone())).collect();
        keep(&mut grid.columns, &kept);
        table.iter_mut().for_each(|cells| keep(cells, &kept));
    }

    /// Writes what is the same in all rows, in lines that the terminal does not break.
    fn write_same(&mut self) {
        let room = self.view.limit().unwrap_or(usize::MAX);
        let (empty, filled): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.same).into_iter().partition(|(_, cell)| cell.text.is_empty());
        let filled = filled.into_iter().map(|(title, cell)| ("every row: ", format!("{title} {}", cell.text)));
        let items = filled.chain(empty.into_iter().map(|(title, _)| ("empty: ", title)));
        let mut taken = 0;
        let mut under = "";
        for (heading, text) in items {
            let text = json::escape_unprintable(&text);
            let text = if under == heading { text } else { format!("{heading}{text}").into() };
            let end = if under == heading { "," } else { ";" };
            let breaks = taken > 0 && taken + 3 + width(&text) > room;
            let before = match (taken, breaks) {
                (0, _) => String::new(),
                (_, true) => format!("{end}\n  "),
                (_, false) => format!("{end} "),
            };
            taken = if breaks { 2 } else { taken + before.len() } + width(&text);
            under = heading;
            self.out.buffer.extend_from_slice(before.as_bytes());
            self.out.buffer.extend_from_slice(text.as_bytes());
        }
        if taken > 0 {
            self.out.buffer.push(b'\n');
        }
    }

    /// Writes rows as blocks instead of a table.
    fn write_alone(&mut self, mut blocks: Blocks, sample: &Sample) {
        for row in sample.rows() {
            blocks.write(row, self.view, &mut self.out.buffer);
        }
        self.started = true;
    }

    /// Writes the heading.
    fn write_heading(&mut self, grid: &Grid, layout: &Layout) {
        self.lines.top(layout, &mut self.out.buffer);
        if !self.view.header {
            return;
        }
        let titles = grid.columns.iter().map(|column| {
            let text = json::escape_unprintable(&column.title).into_owned();
            let tone = self.view.colour.then_some(Tone::Heading);
            Cell { width: width(&text), text, tone, ..Cell::default() }
        });
        let titles: Vec<Cell> = titles.collect();
        self.lines.row(&titles, layout, false, &mut self.out.buffer);
        self.lines.rule(layout, &mut self.out.buffer);
    }

    fn write_block(&mut self, grid: &Grid, cells: Vec<Cell>) -> Result<(), Error> {
        if self.out.buffer.ends_with(b"\n") || self.out.is_started() {
            self.out.buffer.push(b'\n');
        }
        let lines: Vec<_> = grid.columns.iter().map(|column| column.title.clone()).zip(cells).collect();
        block(&lines, self.view, &mut self.out.buffer);
        self.out.row_done()
    }
}

/// Sorts the cells of rows by the names of the rows; those without one come last.
fn by_name(sample: &Sample, table: &mut Vec<Vec<Cell>>) {
    let rows = sample.rows().zip(std::mem::take(table));
    let mut rows: Vec<(Key, Vec<Cell>)> =
        rows.map(|(row, cells)| (Key::of(row, &["name".to_owned()]), cells)).collect();
    rows.sort_by(|(a, _), (b, _)| a.compare(b));
    table.extend(rows.into_iter().map(|(_, cells)| cells));
}

/// Drops all elements but those of these indexes.
fn keep<T>(elements: &mut Vec<T>, kept: &[usize]) {
    let mut index = 0;
    elements.retain(|_| {
        index += 1;
        kept.contains(&(index - 1))
    });
}

fn fill(grid: &Grid, row: &[u8], view: &View, cells: &mut Vec<Cell>) {
    cells.resize_with(grid.columns.len(), Cell::default);
    let heads = grid.heads(row);
    for (column, cell) in grid.columns.iter().zip(&mut *cells) {
        match grid.whole(column, &heads) {
            Some(whole) => cell::joint(grid.value(column, row, &heads), whole, cell),
            None => cell::for_people(column, grid.value(column, row, &heads), view, cell),
        }
    }
    if let Some(tone_of) = view.marks.as_ref().and_then(|marks| marks.of_row(row)) {
        for (column, cell) in grid.columns.iter().zip(cells) {
            cell.tone = tone_of(grid.head(column)).or(cell.tone);
        }
    }
}

impl RowWriter for Table<'_, '_> {
    fn begin(&mut self, section: Section<'_>) -> Result<(), Error> {
        self.kind = section.kind;
        self.single = section.single;
        self.name = section.name.to_owned();
        self.phase = Phase::Measuring;
        Ok(())
    }

    fn row(&mut self, row: &[u8]) -> Result<(), Error> {
        match &self.phase {
            Phase::Measuring => {
                self.sample.push(row);
                if self.sample.is_full() { self.measured(false) } else { Ok(()) }
            }
            Phase::Rows(grid, layout) => {
                fill(grid, row, self.view, &mut self.cells);
                self.lines.row(&self.cells, layout, self.view.wrap, &mut self.out.buffer);
                self.out.row_done()
            }
            Phase::Blocks(_) => {
                let Phase::Blocks(grid) = std::mem::replace(&mut self.phase, Phase::Measuring) else { return Ok(()) };
                let mut cells = Vec::new();
                fill(&grid, row, self.view, &mut cells);
                let done = self.write_block(&grid, cells);
                self.phase = Phase::Blocks(grid);
                done
            }
        }
    }

    fn end(&mut self) -> Result<(), Error> {
        if matches!(self.phase, Phase::Measuring) {
            self.measured(true)?;
        }
        if let Phase::Rows(_, layout) = &self.phase {
            self.lines.bottom(layout, &mut self.out.buffer);
        }
        self.write_same();
        self.phase = Phase::Measuring;
        Ok(())
    }

    fn beside(&mut self, record: &[u8]) -> Result<(), Error> {
        if self.started {
            self.out.buffer.push(b'\n');
        }
        let mut blocks = Blocks::default();
        blocks.start(
            Section { name: "", kind: RowKind::Other, single: true },
            &Shape::default(),
            self.view,
            &mut self.out.buffer,
        );
        blocks.write(record, self.view, &mut self.out.buffer);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::columns::Selection;
    use super::super::testing::{print, print_with, try_print, zone_shape};
    use super::super::{Border, Field, FieldKind};
    use super::*;
    use crate::secret::Secrets;

    const UUID: &str = "1ab3b836a88342e1bbc1b1a17d092f0f";

    /// A terminal of that width.
    fn terminal(width: usize) -> View {
        View { width: Some(width), terminal: true, ..View::new(Format::Table) }
    }

    fn with_columns(view: View, columns: &str) -> View {
        View { columns: Some(Selection::parse(columns).expect("a selection")), ..view }
    }

    fn reply(rows: &[&str]) -> String {
        format!(r#"{{"inventories":[{}],"schema":{{}}}}"#, rows.join(","))
    }

    fn storages() -> String {
        reply(&[
            &format!(
                r#"{{"uuid":"{UUID}","name":"image-store","state":"Enabled","size":9992857976832,"nics":[{{}}]}}"#
            ),
            &format!(r#"{{"uuid":"{UUID}","name":"日本の倉庫👍","state":"Disabled","size":512}}"#),
        ])
    }

    #[test]
    fn columns_are_aligned_whatever_is_in_them() {
        let expected = "\
name          uuid                              state        size
------------  --------------------------------  --------  -------
image-store   1ab3b836a88342e1bbc1b1a17d092f0f  Enabled   9.1 TiB
日本の倉庫👍  1ab3b836a88342e1bbc1b1a17d092f0f  Disabled    512 B
";
        assert_eq!(print_with(&storages(), &zone_shape(), &View::new(Format::Table)), expected);
        // Nothing known of the inventory: the same by the look of the rows.
        assert_eq!(print(&storages(), &View::new(Format::Table)), expected);
    }

    #[test]
    fn borders() {
        let view = with_columns(View::new(Format::Table), "name,x=nope|no");
        let rows = reply(&[r#"{"name":"a|b","nope|no":1}"#, r#"{"name":"c"}"#]);
        for (border, expected) in [
            (Border::Ascii, "+------+---+\n| name | x |\n+------+---+\n| a|b  | 1 |\n| c    |   |\n+------+---+\n"),
            (Border::Unicode, "┌──────┬───┐\n│ name │ x │\n├──────┼───┤\n│ a|b  │ 1 │\n│ c    │   │\n└──────┴───┘\n"),
            (Border::Markdown, "| name |   x |\n| ---- | --- |\n| a\\|b |   1 |\n| c    |     |\n"),
            (Border::None, "name  x\na|b   1\nc\n"),
        ] {
            assert_eq!(print(&rows, &View { border: Some(border), ..view.clone() }), expected, "{border:?}");
        }
        let bare = View { border: Some(Border::None), header: false, ..view };
        assert_eq!(print(&rows, &bare), "a|b  1\nc\n");
    }

    #[test]
    fn narrow_terminals_lose_the_last_columns_and_never_a_uuid() {
        let (text, rendered) = try_print(&storages(), &zone_shape(), &terminal(58)).expect("prints");
        assert_eq!(
            text,
            "name          uuid                              state\n────────────  ────────────────────────────────  ────────\n\
             image-store   1ab3b836a88342e1bbc1b1a17d092f0f  Enabled\n日本の倉庫👍  1ab3b836a88342e1bbc1b1a17d092f0f  Disabled\n"
        );
        assert_eq!(rendered.hidden, ["size"]);
        // Narrower still, texts are cut.
        let text = print_with(&storages(), &zone_shape(), &terminal(44));
        assert!(text.contains("image-sto…  1ab3b836a88342e1bbc1b1a17d092f0f\n"), "{text}");
        assert!(text.contains("日本の倉…"), "{text}");
        for line in text.lines() {
            assert!(width(line) <= 44, "{line}");
        }
    }

    /// Hosts as a node describes them.
    fn hosts() -> (String, Shape) {
        let row = |name: &str, state: &str, available: u64, cpus: u32| {
            format!(
                r#"{{"name":"{name}","uuid":"{UUID}","state":"{state}","status":"Connected","managementIp":"172.20.11.{cpus}","hypervisorType":"KVM","cpuNum":{cpus},"availableMemoryCapacity":{available},"totalMemoryCapacity":{},"architecture":"x86_64","clusterUuid":"{UUID}","createDate":"Jan 6, 2026 9:00:00 AM"}}"#,
                128_u64 << 30
            )
        };
        let field = |name: &str| {
            let kind = if name.ends_with("Capacity") { FieldKind::Long } else { FieldKind::Text };
            Field { name: name.to_owned(), kind, secret: false }
        };
        let names = "uuid,name,state,status,managementIp,hypervisorType,cpuNum,availableMemoryCapacity,totalMemoryCapacity,architecture,clusterUuid,createDate";
        let fields = names.split(',').map(field).collect();
        let shape = Shape { inventory: Some("HostInventory".to_owned()), fields, results: Vec::new() };
        (reply(&[&row("host-10", "Enabled", 63 << 30, 32), &row("host-2", "Disabled", 512 << 20, 16)]), shape)
    }

    #[test]
    fn columns_are_left_out_by_worth() {
        let (rows, shape) = hosts();
        let first = |width: usize| {
            let (text, rendered) = try_print(&rows, &shape, &terminal(width)).expect("prints");
            (text.lines().next().map(str::to_owned).unwrap_or_default(), rendered.hidden.join(","))
        };
        let (heading, left_out) = first(80);
        assert_eq!(heading, "name     uuid                              state     status     cpu       memory");
        assert_eq!(left_out, "managementIp,hypervisorType,architecture,clusterUuid");
        // What is left of the space goes to what fits.
        assert_eq!(first(65).0, "name     uuid                              status          memory");
        assert_eq!(first(55).0, "name     uuid                                   memory");
        assert_eq!(first(40), ("name     uuid".to_owned(), "state,status,managementIp,hypervisorType,cpuNum,availableMemoryCapacity,totalMemoryCapacity,architecture,clusterUuid".to_owned()));
    }

    #[test]
    fn what_belongs_together_shares_a_cell_on_terminals_only() {
        let (rows, shape) = hosts();
        let text = print_with(&rows, &shape, &terminal(80));
        assert!(text.contains("   63/128 GiB\n") && text.contains("  0.5/128 GiB\n"), "{text}");
        let piped = print_with(&rows, &shape, &View::new(Format::Table));
        let columns =
            "managementIp  hypervisorType  cpuNum  availableMemoryCapacity  totalMemoryCapacity  architecture";
        assert!(piped.contains(columns) && piped.contains("512 MiB") && !piped.contains('/'), "{piped}");
        let asked = print_with(&rows, &shape, &with_columns(terminal(80), "name,availableMemoryCapacity,managementIp"));
        assert!(asked.starts_with("name     availableMemoryCapacity  managementIp\n"), "{asked}");
    }

    #[test]
    fn what_is_the_same_in_all_rows_is_told_below() {
        let (rows, shape) = hosts();
        let view = View { folds: true, by_name: true, ..terminal(80) };
        assert_eq!(
            print_with(&rows, &shape, &view),
            format!(
                "\
name     uuid                              state     ip                 memory
───────  ────────────────────────────────  ────────  ────────────  ───────────
host-2   {UUID}  Disabled  172.20.11.16  0.5/128 GiB
host-10  {UUID}  Enabled   172.20.11.32   63/128 GiB
every row: status Connected, hypervisor KVM, arch x86_64,
  clusterUuid {UUID}
"
            )
        );
        // What was asked for stays, and so does everything in a pipe and within borders.
        let asked = print_with(&rows, &shape, &with_columns(view.clone(), "name,status"));
        assert_eq!(asked.lines().last(), Some("host-10  Connected"));
        for view in [
            View { terminal: false, width: None, ..view.clone() },
            View { border: Some(Border::Ascii), ..view.clone() },
            View { header: false, ..view },
        ] {
            let text = print_with(&rows, &shape, &view);
            assert!(!text.contains("every row") && text.contains("Connected"), "{text}");
        }
    }

    #[test]
    fn columns_that_were_asked_for_stay() {
        let (rows, shape) = hosts();
        for width in [40, 60, 80, 120, 200] {
            let (text, rendered) =
                try_print(&rows, &shape, &with_columns(terminal(width), "+createDate,architecture,clusterUuid"))
                    .expect("prints");
            for column in ["createDate", "arch", "cluster", "name", "2026-01-06 09:00"] {
                assert!(text.contains(column) && !rendered.hidden.contains(&column.to_owned()), "{width}: {text}");
            }
        }
    }

    #[test]
    fn half_an_address_or_a_date_is_never_shown() {
        let row = |name: &str, nics: &str| {
            format!(
                r#"{{"name":"{name}","uuid":"{UUID}","address":"172.20.11.101","createDate":"Jan 6, 2026 9:00:00 AM","apiName":"APIQueryVmInstanceMsg","nics":[{nics}]}}"#
            )
        };
        let nics: Vec<String> = (1..10).map(|last| format!(r#"{{"ip":"10.0.3.{last}"}}"#)).collect();
        let rows = reply(&[&row("a name that is long enough to be cut", &nics.join(",")), &row("b", &nics[0])]);
        for width in 60..160 {
            let text = print(&rows, &with_columns(terminal(width), "+nics.ip"));
            for line in text.lines().skip(2) {
                let cut = |whole: &str, start: &str| line.contains(start) && !line.contains(whole);
                assert!(!cut("172.20.11.101", "172"), "{width}: {text}");
                assert!(!cut("Jan 6, 2026 9:00:00 AM", "Jan"), "{width}: {text}");
                assert!(!cut("APIQueryVmInstanceMsg", "API"), "{width}: {text}");
            }
        }
        // Of many addresses the first ones are shown, and how many more there are.
        let text = print(&rows, &with_columns(terminal(70), "name,nics.ip"));
        assert!(text.contains("  10.0.3.1, 10.0.3.2, 10.0.3.3 +6\n"), "{text}");
        let narrow = print(&rows, &with_columns(terminal(23), "name,nics.ip"));
        assert!(narrow.contains("a name th…  10.0.3.1 +8\n"), "{narrow}");
    }

    #[test]
    fn what_needs_more_than_two_lines_goes_vertical() {
        let view = with_columns(terminal(40), "name,uuid,a=uuid,b=uuid");
        let text = print(&storages(), &view);
        assert!(text.starts_with(&format!("name | image-store\nuuid | {UUID}\na    | {UUID}\n")), "{text}");
        assert!(text.contains("\n\nname | 日本の倉庫👍\n"), "{text}");
        // Two lines are bearable.
        assert!(print(&storages(), &with_columns(terminal(40), "name,uuid,a=uuid")).starts_with("name "));
        // Through a pipe nothing limits a line.
        assert!(
            print(&storages(), &with_columns(View::new(Format::Table), "name,uuid,a=uuid,b=uuid")).starts_with("name ")
        );
    }

    #[test]
    fn cells_are_cut_or_wrapped_on_terminals_only() {
        let long = "the quick brown fox jumps over the lazy dog";
        let rows = reply(&[&format!(r#"{{"name":"a","text":"{long}"}}"#), r#"{"name":"b","text":"x"}"#]);
        let view = with_columns(View::new(Format::Table), "name,text");
        assert!(print(&rows, &view).contains(long));
        let narrow = View { max_width: Some(20), border: Some(Border::None), header: false, ..view };
        assert_eq!(print(&rows, &narrow), "a  the quick brown…\nb  x\n");
        assert_eq!(
            print(&rows, &View { wrap: true, ..narrow }),
            "a  the quick brown\n   fox jumps over\n   the lazy dog\nb  x\n"
        );
    }

    #[test]
    fn a_single_inventory_prints_vertically() {
        let one = format!(r#"{{"state":"Enabled","name":"a","uuid":"{UUID}","sshPassword":"hunter2","zones":["z"]}}"#);
        let expected = format!(
            "name        | a\nuuid        | {UUID}\nstate       | Enabled\nsshPassword | ******\nzones       | z\n"
        );
        let view = View { is_secret: |name| name == "sshPassword", ..View::new(Format::Table) };
        assert_eq!(print(&reply(&[&one]), &view), expected);
        assert_eq!(print(&format!(r#"{{"inventory":{one}}}"#), &view), expected);
        assert_eq!(
            print(&format!(r#"{{"inventory":{one}}}"#), &View { format: Format::Wide, ..view.clone() }),
            expected
        );
        let shown = View { secrets: Secrets::Shown, ..view.clone() };
        assert!(print(&reply(&[&one]), &shown).contains("| hunter2\n"));
        assert_eq!(print(&reply(&[&one]), &with_columns(view, "state,name")), "state | Enabled\nname  | a\n");
    }

    #[test]
    fn other_replies_look_good_too() {
        let view = View::new(Format::Table);
        for (reply, expected) in [
            ("{}", ""),
            (r#"{"success":true}"#, ""),
            (r#"{"version":"5.2.1","success":true}"#, "version | 5.2.1\n"),
            (r#"{"total":3,"schema":{}}"#, "total | 3\n"),
            (
                r#"{"currentTime":{"Seconds":1,"MillionSeconds":1000},"success":true}"#,
                "Seconds        | 1\nMillionSeconds | 1000\n",
            ),
            (r#"{"supportApis":["a","b"],"success":true}"#, "supportApis\n-----------\na\nb\n"),
            (
                r#"{"zones":[{"name":"z1"},{"name":"z2"}],"hosts":[{"name":"h1"},{"name":"h2"}]}"#,
                "zones:\nname\n----\nz1\nz2\n\nhosts:\nname\n----\nh1\nh2\n",
            ),
            (r#"{"inventories":[{"name":"a"},{"name":"b"}],"total":17}"#, "name\n----\na\nb\n\ntotal | 17\n"),
            (
                r#"{"results":[{"inventories":[{"name":"a"},{"name":"b"}],"total":2,"returnWith":null}]}"#,
                "name\n----\na\nb\n\ntotal | 2\n",
            ),
            (
                r#"{"results":[{"inventories":[{"name":"a"},{"name":"b"}],"name":"x","total":2},{"total":3,"name":"y"}]}"#,
                "x:\nname\n----\na\nb\n\ntotal | 2\n\ny:\ntotal | 3\n",
            ),
            (
                r#"{"results":[{"inventories":[{"name":"a"}],"name":"x"},{"inventories":[{"name":"b"}],"name":"y"}]}"#,
                "x:\nname | a\n\ny:\nname | b\n",
            ),
            (
                r#"{"results":[{"inventories":[{"name":"a"},{"name":"b"}],"returnWith":{"cpu":[{"value":1.5,"time":7,"labels":{"VMUuid":"u","n":"0"}},{"value":2.5,"time":8,"labels":{}}]}}]}"#,
                "name\n----\na\nb\n\ncpu:\ntime  value  labels\n----  -----  -------------\n   7    1.5  VMUuid=u, n=0\n   8    2.5\n",
            ),
            (r#"{"results":[{"total":3}]}"#, "total | 3\n"),
        ] {
            assert_eq!(print(reply, &view), expected, "{reply}");
        }
        assert_eq!(
            print_with(r#"{"inventories":[]}"#, &zone_shape(), &view),
            "name  uuid  state  size\n----  ----  -----  ----\n"
        );
    }

    #[test]
    fn rows_are_counted() {
        for (reply, rows, total) in [
            (r#"{"inventories":[{},{}],"total":17}"#, 2, Some(17)),
            (r#"{"inventories":[]}"#, 0, None),
            (r#"{"total":3}"#, 3, Some(3)),
            (r#"{"total":0}"#, 0, Some(0)),
            (r#"{"inventory":{}}"#, 1, None),
            (r#"{"version":"5"}"#, 1, None),
            ("{}", 0, None),
            (r#"{"results":[{"inventories":[{},{}]},{"inventories":[{}]}]}"#, 3, None),
            (r#"{"results":[{"total":5}]}"#, 5, Some(5)),
        ] {
            for format in Format::ALL {
                let (_, rendered) = try_print(reply, &Shape::default(), &View::new(format)).expect("prints");
                assert_eq!((rendered.rows, rendered.total), (rows, total), "{reply} as {format:?}");
            }
        }
    }

    #[test]
    fn states_are_coloured_and_alignment_does_not_suffer() {
        let view = View { colour: true, border: Some(Border::None), ..View::new(Format::Table) };
        let rows = reply(&[r#"{"name":"a","state":"Running","x":1}"#, r#"{"name":"b","state":"Stopped","x":2}"#]);
        assert_eq!(
            print(&rows, &with_columns(view, "state,x")),
            "\u{1b}[1mstate\u{1b}[0m    \u{1b}[1mx\u{1b}[0m\n\u{1b}[38;5;28mRunning\u{1b}[0m  1\n\u{1b}[38;5;244mStopped\u{1b}[0m  2\n"
        );
    }

    #[test]
    fn nothing_from_the_node_acts_on_the_terminal() {
        let evil = "\\u001b[31m\\u009b31m\\u202e\\u0007\u{202e}\u{9b}\\n";
        let rows = reply(&[&format!(r#"{{"{evil}":"{evil}"}}"#), &format!(r#"{{"{evil}":["{evil}"]}}"#)]);
        for format in Format::ALL {
            for reply in [
                rows.clone(),
                format!(r#"{{"inventory":{{"{evil}":"{evil}"}}}}"#),
                format!(r#"{{"{evil}":["{evil}"]}}"#),
            ] {
                let text = print(&reply, &View { format, width: Some(80), ..terminal(80) });
                let acting = text.chars().find(|c| *c != '\n' && json::is_unprintable(*c));
                assert_eq!(acting, None, "{format:?}: {text:?}");
            }
        }
    }

    #[test]
    fn rows_beyond_the_sample_stream_in_the_same_columns() {
        let mut rows: Vec<String> =
            (0..1500).map(|index| format!(r#"{{"name":"vm-{index:04}","n":{index}}}"#)).collect();
        rows.push(r#"{"name":"a name far longer than all others","n":1}"#.to_owned());
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let text = print(&reply(&rows), &terminal(20));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 1503);
        assert_eq!(lines[1001], "vm-0999  999");
        assert_eq!(lines[1501], "vm-1499  1499");
        assert_eq!(lines[1502], "a name…    1");
        // A pipe gets it whole.
        assert!(print(&reply(&rows), &View::new(Format::Table)).ends_with("a name far longer than all others    1\n"));
    }

    #[test]
    fn a_closed_pipe_stops_the_work_at_once() {
        struct Closed;
        impl std::io::Write for Closed {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        /// Fails the test when too much is read.
        struct Endless(u32, Vec<u8>);
        impl crate::json::Pieces for Endless {
            fn next_piece(&mut self) -> Result<Option<crate::json::Piece<'_>>, crate::json::ReadError> {
                self.0 += 1;
                assert!(self.0 < 3000, "goes on reading");
                Ok(Some(match self.0 {
                    1 => crate::json::Piece::Rows { name: "inventories" },
                    _ => crate::json::Piece::Row(&self.1),
                }))
            }
        }
        let row = format!(r#"{{"name":"{}"}}"#, "a".repeat(200)).into_bytes();
        for format in Format::ALL {
            let endless = &mut Endless(0, row.clone());
            let printed = super::super::render(endless, &Shape::default(), &View::new(format), &mut Closed);
            assert!(
                matches!(&printed, Err(Error::Write(error)) if error.kind() == std::io::ErrorKind::BrokenPipe),
                "{format:?}"
            );
        }
    }
}
