//! The picture of the shell in the README, drawn from a real run: `cargo test --test it -- --ignored picture`.

use std::fmt::Write as _;

use crate::harness::Home;
use crate::terminal::{TAB, Terminal};

const COLUMNS: u16 = 100;
const ROWS: u16 = 26;
/// The size of a character, in pixels.
const WIDTH: f32 = 8.4;
const HEIGHT: u16 = 18;
const MARGIN: u16 = 14;
/// What the title above the screen takes.
const TITLE: u16 = 22;

const PAPER: &str = "#1e2127";
const INK: &str = "#d7dae0";
/// The first 16 colours of a terminal.
const PALETTE: [&str; 16] = [
    "#3f4451", "#e06c75", "#98c379", "#d19a66", "#61afef", "#c678dd", "#56b6c2", "#d7dae0", "#7f848e", "#ef8a92",
    "#b1d295", "#e5c07b", "#80c1ff", "#d7a1e8", "#7fd3dd", "#ffffff",
];

/// A colour as SVG takes it.
fn colour(colour: vt100::Color, plain: &str) -> String {
    match colour {
        vt100::Color::Default => plain.to_owned(),
        vt100::Color::Idx(index @ 0..16) => PALETTE[usize::from(index)].to_owned(),
        vt100::Color::Idx(index @ 16..232) => {
            let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
            let cube = index - 16;
            format!("#{:02x}{:02x}{:02x}", level(cube / 36), level(cube / 6 % 6), level(cube % 6))
        }
        vt100::Color::Idx(index) => {
            let grey = 8 + 10 * (index - 232);
            format!("#{grey:02x}{grey:02x}{grey:02x}")
        }
        vt100::Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
    }
}

/// The style of a cell: text colour, background if it has one, weight and opacity.
#[derive(Clone, PartialEq, Eq)]
struct Style {
    text: String,
    behind: Option<String>,
    is_bold: bool,
    is_dim: bool,
}

impl Style {
    fn of(cell: &vt100::Cell) -> Style {
        let (mut text, mut behind) = (colour(cell.fgcolor(), INK), colour(cell.bgcolor(), PAPER));
        if cell.inverse() {
            std::mem::swap(&mut text, &mut behind);
        }
        Style { text, behind: (behind != PAPER).then_some(behind), is_bold: cell.bold(), is_dim: cell.dim() }
    }
}

/// Draws a piece of a row that has one style.
fn draw(svg: &mut String, row: u16, from: u16, text: &str, style: &Style) {
    let characters = text.chars().count() as f32;
    let (x, y) = (f32::from(MARGIN) + f32::from(from) * WIDTH, TITLE + MARGIN + row * HEIGHT);
    if let Some(behind) = &style.behind {
        let _ = writeln!(
            svg,
            r#"<rect x="{x:.1}" y="{y}" width="{:.1}" height="{HEIGHT}" fill="{behind}"/>"#,
            characters * WIDTH
        );
    }
    if text.trim().is_empty() {
        return;
    }
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let weight = if style.is_bold { r#" font-weight="bold""# } else { "" };
    let opacity = if style.is_dim { r#" opacity="0.6""# } else { "" };
    let _ = writeln!(
        svg,
        r#"<text x="{x:.1}" y="{}" fill="{}" textLength="{:.1}" xml:space="preserve"{weight}{opacity}>{text}</text>"#,
        y + 13,
        style.text,
        characters * WIDTH
    );
}

/// The screen as an SVG picture of a window.
fn svg(screen: &vt100::Screen) -> String {
    let width = f32::from(COLUMNS) * WIDTH + 2.0 * f32::from(MARGIN);
    let height = ROWS * HEIGHT + 2 * MARGIN + TITLE;
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height}" viewBox="0 0 {width:.0} {height}" font-family="Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">
<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>
<circle cx="18" cy="18" r="6" fill="#e06c75"/><circle cx="38" cy="18" r="6" fill="#e5c07b"/><circle cx="58" cy="18" r="6" fill="#98c379"/>
"##
    );
    for row in 0..ROWS {
        let mut piece: Option<(u16, String, Style)> = None;
        for column in 0..COLUMNS {
            let cell = screen.cell(row, column).expect("a cell of the screen");
            let (text, style) = (if cell.has_contents() { cell.contents() } else { " " }, Style::of(cell));
            match &mut piece {
                Some((_, so_far, its)) if *its == style => so_far.push_str(text),
                _ => {
                    if let Some((from, so_far, its)) = piece.replace((column, text.to_owned(), style)) {
                        draw(&mut svg, row, from, so_far.trim_end(), &its);
                    }
                }
            }
        }
        if let Some((from, so_far, its)) = piece {
            draw(&mut svg, row, from, so_far.trim_end(), &its);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

#[test]
#[ignore = "writes doc/shell.svg"]
fn the_picture_of_the_shell() {
    let home = Home::with_cloud();
    let terminal = Terminal::run_with(
        &home,
        (COLUMNS, ROWS),
        env!("CARGO_BIN_EXE_zstack-cli"),
        &["--sandbox", "--no-pager"],
        &[("LANG", "en_US.UTF-8")],
    );
    terminal.prompt("admin@sandbox >>>");
    terminal.line("QueryHost");
    terminal.sees("status");
    terminal.prompt("admin@sandbox >>>");
    terminal.line("QueryVmInstance memory>1");
    terminal.sees("did you mean");
    terminal.prompt("admin@sandbox >>>");
    terminal.keys(&format!("QueryVmInstance hostUuid={TAB}"));
    terminal.sees("\n> host-1");
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("doc/shell.svg");
    std::fs::write(path, svg(&terminal.screen())).expect("the picture is written");
}
