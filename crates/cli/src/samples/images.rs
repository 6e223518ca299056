//! A folder of .png and .jpg images, decoded as they are read.

use super::Part;
use crate::failure::{Failure, Result};
use crate::files::extension;
use png::{ColorType, Decoder, Transformations};
use rmt_estimators::consistency::RowSource;
use rmt_estimators::{Error, Result as Outcome};
use std::fs::{self, File};
use std::io::BufReader;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;

/// An image, channels last, values 0 to 255.
struct Image {
    height: usize,
    width: usize,
    channels: usize,
    values: Vec<f64>,
}

struct Folder {
    files: Vec<String>,
    shape: (usize, usize, usize),
    /// Whether images of other sizes are brought to this shape.
    resized: bool,
}

/// Opens all images of a folder, in the order of their names.
pub(super) fn open(path: &str, resize: Option<(usize, usize)>) -> Result<Part> {
    let failed = |e: std::io::Error| Failure::file(path, "read", &e);
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path().to_string_lossy().into_owned();
        if matches!(extension(&file).as_str(), "png" | "jpg" | "jpeg") {
            files.push(file);
        }
    }
    files.sort();
    let Some(first) = files.first() else {
        return Err(Failure::input(format!("{path}: no .png or .jpg images in this folder")));
    };
    let image = decode(first).map_err(Failure::input)?;
    let (height, width) = resize.unwrap_or((image.height, image.width));
    let shape = (height, width, image.channels);
    Ok(Part {
        rows: Box::new(Folder { files, shape, resized: resize.is_some() }),
        shape: vec![height, width, image.channels],
        labels: None,
        range: Some((0.0, 255.0)),
    })
}

impl RowSource for Folder {
    fn rows(&self) -> usize {
        self.files.len()
    }

    fn columns(&self) -> usize {
        self.shape.0 * self.shape.1 * self.shape.2
    }

    fn read(&self, start: usize, count: usize) -> Outcome<Vec<f64>> {
        let mut values = Vec::with_capacity(count * self.columns());
        let (height, width, channels) = self.shape;
        for (row, file) in self.files.iter().enumerate().skip(start).take(count) {
            let failed = |reason| Error::Unreadable { row, reason };
            let image = decode(file).map_err(failed)?.with_channels(channels);
            if (image.height, image.width) == (height, width) {
                values.extend(image.values);
            } else if self.resized {
                values.extend(image.resized(height, width));
            } else {
                return Err(failed(format!(
                    "{file} has {}×{} pixels, the first image {height}×{width}; bring them to one \
                     size with --resize {height}x{width}",
                    image.height, image.width
                )));
            }
        }
        Ok(values)
    }
}

impl Image {
    /// Grey to colour by repetition, colour to grey by Rec. 601 luma.
    fn with_channels(self, channels: usize) -> Self {
        let values = match (self.channels, channels) {
            (1, 3) => self.values.iter().flat_map(|v| [*v; 3]).collect(),
            (3, 1) => self
                .values
                .chunks_exact(3)
                .map(|c| 0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2])
                .collect(),
            _ => self.values,
        };
        Self { channels, values, ..self }
    }

    /// Averages over the area of each new pixel.
    fn resized(&self, height: usize, width: usize) -> Vec<f64> {
        let rows = overlaps(self.height, height);
        let columns = overlaps(self.width, width);
        let mut out = Vec::with_capacity(height * width * self.channels);
        for row in &rows {
            for column in &columns {
                for channel in 0..self.channels {
                    let mut sum = 0.0;
                    for (i, a) in row {
                        for (j, b) in column {
                            let at = (i * self.width + j) * self.channels + channel;
                            sum += a * b * self.values[at];
                        }
                    }
                    out.push(sum);
                }
            }
        }
        out
    }
}

/// For each of `to` equal cells, the cells out of `from` that it covers, with weights of sum 1.
fn overlaps(from: usize, to: usize) -> Vec<Vec<(usize, f64)>> {
    let step = from as f64 / to as f64;
    (0..to)
        .map(|cell| {
            let (low, high) = (cell as f64 * step, (cell + 1) as f64 * step);
            let last = (high.ceil() as usize).min(from);
            (low as usize..last)
                .map(|i| (i, (high.min((i + 1) as f64) - low.max(i as f64)) / step))
                .filter(|(_, weight)| *weight > 0.0)
                .collect()
        })
        .collect()
}

fn decode(path: &str) -> std::result::Result<Image, String> {
    let broken = |e: &dyn std::fmt::Display| format!("{path}: not a readable image: {e}");
    if extension(path) == "png" {
        let file = File::open(path).map_err(|e| broken(&e))?;
        let mut decoder = Decoder::new(BufReader::new(file));
        decoder.set_transformations(Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().map_err(|e| broken(&e))?;
        let size = reader.output_buffer_size().ok_or_else(|| broken(&"too large"))?;
        let mut bytes = vec![0; size];
        let info = reader.next_frame(&mut bytes).map_err(|e| broken(&e))?;
        let (samples, channels) = match info.color_type {
            ColorType::Grayscale => (1, 1),
            ColorType::GrayscaleAlpha => (2, 1),
            ColorType::Rgb => (3, 3),
            _ => (4, 3),
        };
        let values = bytes[..info.buffer_size()]
            .chunks_exact(samples)
            .flat_map(|pixel| &pixel[..channels])
            .map(|v| f64::from(*v))
            .collect();
        let (height, width) = (info.height as usize, info.width as usize);
        return Ok(Image { height, width, channels, values });
    }
    let bytes = fs::read(path).map_err(|e| broken(&e))?;
    let mut decoder = JpegDecoder::new(ZCursor::new(bytes));
    let pixels = decoder.decode().map_err(|e| broken(&e))?;
    let (width, height) = decoder.dimensions().ok_or_else(|| broken(&"no size"))?;
    let channels = pixels.len() / (width * height).max(1);
    if !matches!(channels, 1 | 3) {
        return Err(broken(&format!("{channels} channels")));
    }
    let values = pixels.into_iter().map(f64::from).collect();
    Ok(Image { height, width, channels, values })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Averages keep the mean and reproduce whole blocks.
    #[test]
    fn resizing_averages() {
        let values: Vec<f64> = (0..24).map(f64::from).collect();
        let image = Image { height: 4, width: 6, channels: 1, values };
        assert_eq!(image.resized(2, 3), [3.5, 5.5, 7.5, 15.5, 17.5, 19.5]);
        let odd = image.resized(3, 4);
        assert!((odd.iter().sum::<f64>() / 12.0 - 11.5).abs() < 1e-12);
        assert_eq!(image.resized(4, 6), image.values);
    }
}
