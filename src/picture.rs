//! Shows pictures on a terminal: with the terminal's own protocol, or drawn with coloured half blocks.
//!
//! It is meant for small pictures such as a captcha.

use std::io::{self, Cursor, Write};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// How a terminal can show a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawing {
    /// The graphics protocol of kitty, which Ghostty and others support too.
    Kitty,
    /// The inline images of iTerm2, which WezTerm and others support too.
    Inline,
    /// Half blocks, in 2^24 colours or the 256 of a palette.
    Blocks {
        /// Whether the terminal supports 2^24 colours.
        true_colour: bool,
    },
}

impl Drawing {
    /// Returns the best way for the terminal that the environment variables describe; `None` where it cannot show any.
    pub fn of_terminal(mut variable: impl FnMut(&str) -> Option<String>) -> Option<Drawing> {
        let term = variable("TERM").filter(|term| term != "dumb")?;
        let program = variable("TERM_PROGRAM").unwrap_or_default();
        // tmux and screen draw the screen themselves and do not pass pictures on.
        let is_direct = variable("TMUX").is_none() && variable("STY").is_none();
        let is_kitty = variable("KITTY_WINDOW_ID").is_some() || matches!(&*term, "xterm-kitty" | "xterm-ghostty");
        if is_direct && (is_kitty || program == "ghostty") {
            return Some(Drawing::Kitty);
        }
        if is_direct && matches!(&*program, "iTerm.app" | "WezTerm") {
            return Some(Drawing::Inline);
        }
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(&mut variable).unwrap_or_default();
        let locale = locale.to_lowercase();
        let is_coloured = variable("NO_COLOR").is_none();
        let true_colour = matches!(variable("COLORTERM").as_deref(), Some("truecolor" | "24bit"));
        (is_coloured && (locale.contains("utf-8") || locale.contains("utf8")))
            .then_some(Drawing::Blocks { true_colour })
    }
}

/// The maximum width and height of a picture, in pixels.
const LONGEST_SIDE: u32 = 4096;

/// The memory limit for decoding, in bytes.
const DECODING_LIMIT: usize = 64 << 20;

/// The height of a picture that the terminal scales, in lines.
const LINES: u32 = 8;

/// The maximum size of a chunk of data in kitty's protocol, in bytes.
const KITTY_PIECE: usize = 4096;

/// Draws a PNG picture at most `columns` wide, followed by a line end. Returns `false`, without drawing anything, where
/// it is not a valid PNG.
///
/// # Errors
/// When it cannot be written.
pub fn draw(png: &[u8], how: Drawing, columns: usize, out: &mut dyn Write) -> io::Result<bool> {
    // Only data that was decoded here is sent to the terminal.
    let Some(pixels) = Pixels::decode(png) else { return Ok(false) };
    match how {
        Drawing::Kitty => kitty(png, out)?,
        Drawing::Inline => inline(png, out)?,
        Drawing::Blocks { true_colour } => blocks(&pixels.narrowed(columns), true_colour, out)?,
    }
    Ok(true)
}

fn kitty(png: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let data = BASE64_STANDARD.encode(png);
    let pieces: Vec<&[u8]> = data.as_bytes().chunks(KITTY_PIECE).collect();
    for (index, piece) in pieces.iter().enumerate() {
        // `q=2` suppresses the terminal's response, which would be read as typed text.
        let head = if index == 0 { format!("a=T,f=100,q=2,r={LINES},") } else { String::new() };
        let more = u8::from(index + 1 < pieces.len());
        write!(out, "\x1b_G{head}m={more};")?;
        out.write_all(piece)?;
        out.write_all(b"\x1b\\")?;
    }
    out.write_all(b"\n")
}

fn inline(png: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let data = BASE64_STANDARD.encode(png);
    writeln!(out, "\x1b]1337;File=inline=1;size={};height={LINES}:{data}\x07", png.len())
}

/// Draws two pixels, one above the other, in each character.
fn blocks(pixels: &Pixels, true_colour: bool, out: &mut dyn Write) -> io::Result<()> {
    for y in (0..pixels.height).step_by(2) {
        for x in 0..pixels.width {
            let (above, below) = (pixels.at(x, y), pixels.at(x, y + 1));
            write!(out, "\x1b[38;{};48;{}m▀", colour(above, true_colour), colour(below, true_colour))?;
        }
        out.write_all(b"\x1b[0m\n")?;
    }
    Ok(())
}

/// Returns a colour as the parameters of an escape sequence.
fn colour([red, green, blue]: [u8; 3], true_colour: bool) -> String {
    if true_colour {
        return format!("2;{red};{green};{blue}");
    }
    let step = |part: u8| (u16::from(part) * 5 + 127) / 255;
    format!("5;{}", 16 + 36 * step(red) + 6 * step(green) + step(blue))
}

/// A picture without transparency.
struct Pixels {
    width: usize,
    height: usize,
    /// The colours of the pixels, row by row.
    colours: Vec<[u8; 3]>,
}

impl Pixels {
    fn decode(png: &[u8]) -> Option<Pixels> {
        let mut decoder = png::Decoder::new_with_limits(Cursor::new(png), png::Limits { bytes: DECODING_LIMIT });
        decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
        let mut reader = decoder.read_info().ok()?;
        let info = reader.info();
        if info.width > LONGEST_SIDE || info.height > LONGEST_SIDE {
            return None;
        }
        let mut bytes = vec![0; reader.output_buffer_size()?];
        let frame = reader.next_frame(&mut bytes).ok()?;
        let samples = frame.color_type.samples();
        let colours = bytes[..frame.buffer_size()].chunks_exact(samples).map(opaque).collect::<Vec<_>>();
        let (width, height) = (frame.width as usize, frame.height as usize);
        (colours.len() == width * height && !colours.is_empty()).then_some(Pixels { width, height, colours })
    }

    /// Returns the colour of a pixel; white outside the picture.
    fn at(&self, x: usize, y: usize) -> [u8; 3] {
        let inside = x < self.width && y < self.height;
        if inside { self.colours[y * self.width + x] } else { [255; 3] }
    }

    /// Scales the picture down to at most `most` pixels a row. Each new pixel is the mean of those it replaces.
    fn narrowed(self, most: usize) -> Pixels {
        let most = most.max(1);
        if self.width <= most {
            return self;
        }
        let (width, height) = (most, (self.height * most / self.width).max(1));
        let colours = (0..width * height)
            .map(|index| {
                let (x, y) = (index % width, index / width);
                let columns = x * self.width / width..((x + 1) * self.width).div_ceil(width);
                let rows = y * self.height / height..((y + 1) * self.height).div_ceil(height);
                self.mean(columns, rows)
            })
            .collect();
        Pixels { width, height, colours }
    }

    fn mean(&self, columns: std::ops::Range<usize>, rows: std::ops::Range<usize>) -> [u8; 3] {
        let mut sums = [0_u64; 3];
        let count = (columns.len() * rows.len()).max(1) as u64;
        for y in rows {
            for x in columns.clone() {
                for (sum, part) in sums.iter_mut().zip(self.at(x, y)) {
                    *sum += u64::from(part);
                }
            }
        }
        sums.map(|sum| u8::try_from(sum / count).unwrap_or(u8::MAX))
    }
}

/// Returns the colour of a pixel on a white background.
fn opaque(samples: &[u8]) -> [u8; 3] {
    let over_white =
        |part: u8, alpha: u8| 255 - u8::try_from(u16::from(255 - part) * u16::from(alpha) / 255).unwrap_or(u8::MAX);
    match *samples {
        [grey] => [grey; 3],
        [grey, alpha] => [over_white(grey, alpha); 3],
        [red, green, blue] => [red, green, blue],
        [red, green, blue, alpha] => [red, green, blue].map(|part| over_white(part, alpha)),
        _ => [255; 3],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a PNG of these pixels, `width` in each row.
    fn png_of(width: u32, pixels: &[[u8; 4]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let height = u32::try_from(pixels.len()).expect("few") / width;
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Rgba);
        let mut writer = encoder.write_header().expect("a header");
        writer.write_image_data(pixels.as_flattened()).expect("pixels");
        drop(writer);
        bytes
    }

    fn drawn(png: &[u8], how: Drawing, columns: usize) -> Option<String> {
        let mut out = Vec::new();
        let is_drawn = draw(png, how, columns, &mut out).expect("it can be written");
        is_drawn.then(|| String::from_utf8(out).expect("text"))
    }

    const RED: [u8; 4] = [255, 0, 0, 255];
    const CLEAR: [u8; 4] = [0, 0, 0, 0];

    #[test]
    fn half_blocks_show_two_rows_in_a_line() {
        let picture = png_of(2, &[RED, CLEAR, CLEAR, RED, RED, RED]);
        assert_eq!(
            drawn(&picture, Drawing::Blocks { true_colour: true }, 80).expect("a picture"),
            "\x1b[38;2;255;0;0;48;2;255;255;255m▀\x1b[38;2;255;255;255;48;2;255;0;0m▀\x1b[0m\n\
             \x1b[38;2;255;0;0;48;2;255;255;255m▀\x1b[38;2;255;0;0;48;2;255;255;255m▀\x1b[0m\n"
        );
        let one = png_of(1, &[RED]);
        let palette = drawn(&one, Drawing::Blocks { true_colour: false }, 80).expect("a picture");
        assert_eq!(palette, "\x1b[38;5;196;48;5;231m▀\x1b[0m\n");
    }

    #[test]
    fn a_wide_picture_fits_the_terminal() {
        let picture = png_of(4, &[RED; 16]);
        let narrow = drawn(&picture, Drawing::Blocks { true_colour: true }, 2).expect("a picture");
        assert_eq!(narrow, format!("{}\x1b[0m\n", "\x1b[38;2;255;0;0;48;2;255;0;0m▀".repeat(2)));
    }

    #[test]
    fn terminals_get_the_picture_in_their_own_way() {
        let picture = png_of(1, &[RED]);
        let data = BASE64_STANDARD.encode(&picture);
        assert_eq!(
            drawn(&picture, Drawing::Kitty, 80).expect("a picture"),
            format!("\x1b_Ga=T,f=100,q=2,r=8,m=0;{data}\x1b\\\n")
        );
        assert_eq!(
            drawn(&picture, Drawing::Inline, 80).expect("a picture"),
            format!("\x1b]1337;File=inline=1;size={};height=8:{data}\x07\n", picture.len())
        );
    }

    #[test]
    fn the_environment_tells_what_a_terminal_shows() {
        let of = |pairs: &[(&str, &str)]| {
            let value =
                |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            Drawing::of_terminal(value)
        };
        let (xterm, utf8) = (("TERM", "xterm-256color"), ("LANG", "en_US.UTF-8"));
        assert_eq!(of(&[("TERM", "xterm-kitty"), utf8]), Some(Drawing::Kitty));
        assert_eq!(of(&[xterm, ("TERM_PROGRAM", "iTerm.app")]), Some(Drawing::Inline));
        let palette = Some(Drawing::Blocks { true_colour: false });
        assert_eq!(of(&[("TERM", "tmux-256color"), ("KITTY_WINDOW_ID", "1"), ("TMUX", "x"), utf8]), palette);
        assert_eq!(of(&[xterm, utf8, ("COLORTERM", "truecolor")]), Some(Drawing::Blocks { true_colour: true }));
        for plain in [&[xterm][..], &[xterm, utf8, ("LC_ALL", "C")], &[xterm, utf8, ("NO_COLOR", "1")], &[utf8]] {
            assert_eq!(of(plain), None, "{plain:?}");
        }
    }

    #[test]
    fn what_is_no_picture_is_not_drawn() {
        let picture = png_of(2, &[RED, RED]);
        for bytes in [&b""[..], b"\x1b]0;title\x07", b"GIF89a", &picture[..picture.len() / 2]] {
            assert_eq!(drawn(bytes, Drawing::Kitty, 80), None);
        }
        // A few bytes that claim to be a huge picture.
        let mut huge = picture;
        huge[16..20].copy_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(drawn(&huge, Drawing::Blocks { true_colour: true }, 80), None);
    }
}
