/// What a task is: shown by `rmt models`, `rmt explain`, `rmt cite`.
#[derive(Clone, Copy, Debug)]
pub struct Card {
    /// Contract name, as in `"task": "ridge"`.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Setting and equations, plain text with Unicode symbols, one per line.
    pub equations: &'static str,
    /// The same equations for LaTeX (the body of an `align*`).
    pub latex: &'static str,
    /// What to cite.
    pub references: &'static [Reference],
    /// Contract name and meaning of each observable, in printing order.
    pub observables: &'static [(&'static str, &'static str)],
    /// The observables that a default table or figure shows.
    pub headline: &'static [&'static str],
    /// Complete, small, interesting inputs as JSON: the default of `rmt predict`, the template of
    /// `rmt init`, the starting point of the shared property suite.
    pub example: &'static str,
}

/// A publication.
#[derive(Clone, Copy, Debug)]
pub struct Reference {
    /// BibTeX key.
    pub key: &'static str,
    /// Authors, separated by " and ".
    pub authors: &'static str,
    /// Title.
    pub title: &'static str,
    /// Year of publication.
    pub year: u16,
    /// Journal with volume and pages, or arXiv number (`arXiv:2408.04607`).
    pub venue: &'static str,
}

impl Reference {
    /// The entry in BibTeX.
    pub fn bibtex(&self) -> String {
        let Self { key, authors, title, year, venue } = self;
        let kind = if venue.starts_with("arXiv") { "misc" } else { "article" };
        let place = match venue.strip_prefix("arXiv:") {
            Some(id) => format!("eprint = {{{id}}},\n  archivePrefix = {{arXiv}}"),
            None => format!("journal = {{{venue}}}"),
        };
        format!(
            "@{kind}{{{key},\n  author = {{{authors}}},\n  title = {{{{{title}}}}},\n  year = {{{year}}},\n  {place}\n}}"
        )
    }

    /// One line for people.
    pub fn line(&self) -> String {
        format!(
            "{} ({}). {}. {}.",
            self.authors.replace(" and ", ", "),
            self.year,
            self.title,
            self.venue
        )
    }
}
