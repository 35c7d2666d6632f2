//! `csv`, `tsv` and `value`: one line a row, for programs.

use std::borrow::Cow;

use crate::json;

use super::cell;
use super::error::Error;
use super::grid::{Grid, Sample};
use super::output::Output;
use super::rows::{RowKind, RowWriter, Section};
use super::view::{Format, Shape, View};

/// RFC 4180 ends lines with CR LF. Tools that follow it accept LF as well, and shell tools accept only LF.
const END: u8 = b'\n';

/// Writes rows as lines of delimited cells.
pub(super) struct Delimited<'a, 'o> {
    shape: &'a Shape,
    view: &'a View,
    out: &'a mut Output<'o>,
    sections: usize,
    kind: RowKind,
    name: String,
    grid: Option<Grid>,
    sample: Sample,
    cell: String,
}

impl<'a, 'o> Delimited<'a, 'o> {
    pub(super) fn new(shape: &'a Shape, view: &'a View, out: &'a mut Output<'o>) -> Delimited<'a, 'o> {
        Delimited {
            shape,
            view,
            out,
            sections: 0,
            kind: RowKind::Other,
            name: String::new(),
            grid: None,
            sample: Sample::default(),
            cell: String::new(),
        }
    }

    fn shape(&self) -> Cow<'a, Shape> {
        self.kind.shape(self.shape)
    }

    fn start(&mut self, grid: Grid) -> Result<(), Error> {
        if self.sections > 1 && self.view.format != Format::Value {
            self.out.buffer.push(b'\n');
        }
        if self.view.header && self.view.format != Format::Value && !grid.columns.is_empty() {
            for (index, column) in grid.columns.iter().enumerate() {
                separate(self.view.format, index, &mut self.out.buffer);
                write_cell(self.view, &column.title, grid.columns.len() == 1, &mut self.out.buffer);
            }
            self.out.buffer.push(END);
        }
        let sample = std::mem::take(&mut self.sample);
        for row in sample.rows() {
            write_row(&grid, self.view, row, &mut self.cell, &mut self.out.buffer);
            self.out.row_done()?;
        }
        self.grid = Some(grid);
        Ok(())
    }
}

impl RowWriter for Delimited<'_, '_> {
    fn begin(&mut self, section: Section<'_>) -> Result<(), Error> {
        self.sections += 1;
        self.kind = section.kind;
        self.name = section.name.to_owned();
        self.grid = None;
        match Grid::without_sample(&self.shape(), self.view) {
            Some(grid) => self.start(grid),
            None => Ok(()),
        }
    }

    fn row(&mut self, row: &[u8]) -> Result<(), Error> {
        match &self.grid {
            Some(grid) => {
                write_row(grid, self.view, row, &mut self.cell, &mut self.out.buffer);
                self.out.row_done()
            }
            None => {
                self.sample.push(row);
                if self.sample.is_full() {
                    let grid = Grid::with_sample(&self.name, &self.shape(), self.view, &self.sample)?;
                    self.start(grid)?;
                }
                Ok(())
            }
        }
    }

    fn end(&mut self) -> Result<(), Error> {
        if self.grid.is_none() {
            let grid = Grid::with_sample(&self.name, &self.shape(), self.view, &self.sample)?;
            self.start(grid)?;
        }
        Ok(())
    }

    fn beside(&mut self, _: &[u8]) -> Result<(), Error> {
        // A total is left out: every line is a row.
        Ok(())
    }
}

fn write_row(grid: &Grid, view: &View, row: &[u8], cell: &mut String, out: &mut Vec<u8>) {
    let heads = grid.heads(row);
    for (index, column) in grid.columns.iter().enumerate() {
        separate(view.format, index, out);
        cell.clear();
        cell::for_programs(column, grid.value(column, row, &heads), cell);
        write_cell(view, cell, grid.columns.len() == 1, out);
    }
    out.push(END);
}

fn separate(format: Format, index: usize, out: &mut Vec<u8>) {
    if index > 0 {
        out.push(if format == Format::Csv { b',' } else { b'\t' });
    }
}

/// `alone` is set for the only cell of a line.
fn write_cell(view: &View, text: &str, alone: bool, out: &mut Vec<u8>) {
    let escaped;
    let text = match view.format {
        Format::Tsv if text.contains(['\t', '\n', '\r', '\\']) => {
            let doubled = text.replace('\\', "\\\\").replace('\t', "\\t");
            escaped = doubled.replace('\n', "\\n").replace('\r', "\\r");
            escaped.as_str()
        }
        _ => text,
    };
    let safe;
    let text = if view.terminal {
        safe = json::escape_unprintable(text);
        &*safe
    } else {
        text
    };
    let special = |byte: u8| matches!(byte, b'"' | b',' | b'\n' | b'\r');
    // Leading and trailing spaces are quoted since some readers strip them, and an empty line since most readers skip
    // it.
    let quoted = view.format == Format::Csv
        && (text.bytes().any(special) || text.starts_with(' ') || text.ends_with(' ') || alone && text.is_empty());
    if !quoted {
        return out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
    for part in text.split_inclusive('"') {
        out.extend_from_slice(part.as_bytes());
        if part.ends_with('"') {
            out.push(b'"');
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::super::testing::{REPLY, print, print_with, zone_shape};
    use super::*;

    #[test]
    fn csv_of_a_known_inventory_has_its_scalar_fields_whatever_the_rows_hold() {
        let view = View::new(Format::Csv);
        assert_eq!(
            print_with(
                r#"{"inventories":[{"name":"a","new":1},{"uuid":"u","state":"x,\"y\"\n"}]}"#,
                &zone_shape(),
                &view
            ),
            "uuid,name,state,size\n,a,,\nu,,\"x,\"\"y\"\"\n\",\n"
        );
        assert_eq!(print_with(r#"{"inventories":[]}"#, &zone_shape(), &view), "uuid,name,state,size\n");
    }

    #[test]
    fn csv_of_an_unknown_inventory_has_the_scalars_of_all_rows() {
        assert_eq!(
            print(r#"{"inventories":[{"a":1,"l":[1]},{"b":" x","a":null}]}"#, &View::new(Format::Csv)),
            "a,b\n1,\n,\" x\"\n"
        );
        assert_eq!(print(r#"{"inventories":[]}"#, &View::new(Format::Csv)), "");
    }

    #[test]
    fn tsv_and_value_stay_on_one_line() {
        let reply = r#"{"inventories":[{"name":"a\tb\\c\nd","x":"1"},{"name":"e","x":"2"}]}"#;
        assert_eq!(print(reply, &View::new(Format::Tsv)), "name\tx\na\\tb\\\\c\\nd\t1\ne\t2\n");
        assert_eq!(print(reply, &View::new(Format::Value)), "a\tb\\c\nd\ne\n");
        let view = View { terminal: true, ..View::new(Format::Value) };
        assert_eq!(print(reply, &view), "a\\tb\\c\\nd\ne\n");
    }

    #[test]
    fn columns_asked_for_are_printed_in_their_order() {
        let view = View {
            columns: Some(super::super::Selection::parse("size,ip=nics.ip,name").expect("a selection")),
            ..View::new(Format::Csv)
        };
        assert_eq!(print(REPLY, &view), "size,ip,name\n1.073741824E9,\"1,2\",a\n,,b\n");
        let view = View { header: false, format: Format::Value, ..view };
        assert_eq!(print(REPLY, &view), "1.073741824E9\t1,2\ta\n\t\tb\n");
    }

    #[test]
    fn replies_without_rows_are_a_record() {
        assert_eq!(print(r#"{"version":"5.2.1","success":true}"#, &View::new(Format::Csv)), "version\n5.2.1\n");
        assert_eq!(print(r#"{"total":3,"schema":{}}"#, &View::new(Format::Value)), "3\n");
        assert_eq!(print("{}", &View::new(Format::Csv)), "");
    }
}
