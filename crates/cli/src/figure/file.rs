use crate::failure::{Failure, Result};
use crate::files::extension;
use std::path::Path;

/// How a figure is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Svg,
    Png,
    Pdf,
    /// Python with Matplotlib, reading the data beside it.
    Script,
}

/// How wide it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    Screen,
    /// One column of a two-column journal.
    Column,
    /// Both columns.
    Page,
}

/// A figure's file as the user names it: `risk.svg`, `risk.pdf:column`, `risk.py:page`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FigureFile {
    pub(super) path: String,
    pub(super) format: Format,
    pub(super) width: Width,
}

impl FigureFile {
    /// Reads a name; formats that this build cannot write are refused.
    pub(crate) fn parse(name: &str) -> Result<Self> {
        let (path, width) = match name.rsplit_once(':') {
            Some((path, "column")) => (path, Width::Column),
            Some((path, "page")) => (path, Width::Page),
            _ => (name, Width::Screen),
        };
        let without = |feature: &str| {
            Err(Failure::input(format!(
                "{name}: this rmt was built without {feature}; name a .svg file, or build with \
                 `--features {feature}`"
            )))
        };
        let format = match extension(path).as_str() {
            "svg" => Format::Svg,
            "py" => Format::Script,
            "png" if cfg!(feature = "png") => Format::Png,
            "pdf" if cfg!(feature = "pdf") => Format::Pdf,
            "png" => return without("png"),
            "pdf" => return without("pdf"),
            _ => {
                return Err(Failure::input(format!(
                    "{name}: name a file that ends in .svg, .pdf, .png or .py (a Matplotlib script), \
                     with `:column` or `:page` after it for print"
                )));
            }
        };
        Ok(Self { path: path.to_owned(), format, width })
    }

    /// Where the data of the figure are written.
    pub(crate) fn data(&self) -> String {
        Path::new(&self.path).with_extension("csv").to_string_lossy().into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_format_and_width() {
        let file = |name| FigureFile::parse(name).unwrap_or_else(|e| panic!("{e:?}"));
        assert_eq!((file("a/b.svg").format, file("a/b.svg").width), (Format::Svg, Width::Screen));
        let script = file("a/b.py:column");
        assert_eq!((script.format, script.width), (Format::Script, Width::Column));
        assert_eq!((script.path.as_str(), script.data().as_str()), ("a/b.py", "a/b.csv"));
        assert_eq!(file("b.SVG:page").width, Width::Page);
        for bad in ["b", "b.gif", "b.svg:poster", ""] {
            assert!(FigureFile::parse(bad).is_err(), "{bad}");
        }
    }
}
