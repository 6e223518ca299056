//! Samples as pictures in a PNG grid.

use crate::failure::{Failure, Result};
use png::{BitDepth, ColorType, Encoder};

/// How a flat sample is laid out as an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    height: usize,
    width: usize,
    channels: usize,
    /// Channels before rows and columns.
    planar: bool,
}

impl Shape {
    /// From `HxW` or `HxWxC` and the shape of the samples.
    pub(crate) fn new(text: &str, own: &[usize]) -> Result<Self> {
        let size: usize = own.iter().product();
        let wrong = |why: String| Failure::input(format!("--image {text}: {why}"));
        let parts: Option<Vec<usize>> = text
            .split(['x', '×'])
            .map(|part| part.trim().parse().ok().filter(|n| *n > 0))
            .collect();
        let (height, width, given) = match parts.as_deref() {
            Some([h, w]) => (*h, *w, None),
            Some([h, w, c]) => (*h, *w, Some(*c)),
            _ => return Err(wrong("give HEIGHTxWIDTH or HEIGHTxWIDTHxCHANNELS, as 28x28".into())),
        };
        let channels = given.unwrap_or(size / (height * width).max(1));
        if channels == 0
            || height.checked_mul(width).and_then(|n| n.checked_mul(channels)) != Some(size)
        {
            return Err(wrong(format!(
                "{height}×{width}{} pixels are not the {size} values of a sample (shape {own:?})",
                given.map(|c| format!("×{c}")).unwrap_or_default()
            )));
        }
        let planar = own.len() == 3 && own[0] == channels && own[1] == height && own[2] == width;
        Ok(Self { height, width, channels, planar: planar && channels > 1 })
    }

    fn at(&self, row: usize, column: usize, channel: usize) -> usize {
        if self.planar {
            (channel * self.height + row) * self.width + column
        } else {
            (row * self.width + column) * self.channels + channel
        }
    }
}

/// Space between pictures.
const GAP: usize = 2;
/// Side to which small pictures are enlarged.
const SIDE: usize = 64;

/// A grid of rows of pictures; each row of samples is scaled to its own range, `signed` ones
/// symmetrically around grey. Three channels are colour, other numbers are shown side by side.
pub(crate) fn grid(shape: Shape, rows: &[(Vec<Vec<f64>>, bool)]) -> Result<Vec<u8>> {
    let zoom = SIDE.div_ceil(shape.height.max(shape.width)).max(1);
    let panels = if shape.channels == 3 { 1 } else { shape.channels };
    let (cell_height, cell_width) = (shape.height * zoom, shape.width * zoom * panels);
    let across = rows.iter().map(|(row, _)| row.len()).max().unwrap_or(0);
    let width = across * (cell_width + GAP) + GAP;
    let height = rows.len() * (cell_height + GAP) + GAP;
    let mut pixels = vec![255_u8; 3 * width * height];
    for (r, (row, signed)) in rows.iter().enumerate() {
        for (c, sample) in row.iter().enumerate() {
            // Eigenvectors have no common scale, generated samples do.
            let among: Vec<&f64> =
                if *signed { sample.iter().collect() } else { row.iter().flatten().collect() };
            let low = among.iter().fold(f64::INFINITY, |m, v| m.min(**v));
            let high = among.iter().fold(f64::NEG_INFINITY, |m, v| m.max(**v));
            let (low, high) = if *signed {
                let most = high.abs().max(low.abs());
                (-most, most)
            } else {
                (low, high)
            };
            let level = |value: f64| {
                let share = if high > low { (value - low) / (high - low) } else { 0.5 };
                (255.0 * share).round().clamp(0.0, 255.0) as u8
            };
            for y in 0..cell_height {
                for x in 0..cell_width {
                    let (i, j) = (y / zoom, (x / zoom) % shape.width);
                    let panel = x / zoom / shape.width;
                    let top = GAP + r * (cell_height + GAP) + y;
                    let left = GAP + c * (cell_width + GAP) + x;
                    for colour in 0..3 {
                        let channel = if shape.channels == 3 { colour } else { panel };
                        pixels[3 * (top * width + left) + colour] =
                            level(sample[shape.at(i, j, channel)]);
                    }
                }
            }
        }
    }
    let failed = |e: png::EncodingError| Failure::result(format!("cannot encode the picture: {e}"));
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(&pixels).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(bytes)
}
