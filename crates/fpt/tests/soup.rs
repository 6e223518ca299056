//! Random texts and mutated expressions through the parser, the type checker and the linearisation:
//! an answer or an error, never a panic. (A coverage-guided twin is the fuzz target `fpt`.)

use rmt_fpt::{Model, Problem, gallery};
use rmt_task::Draw;
use serde_json::json;
use std::time::{Duration, Instant};

const TOKENS: [&str; 40] = [
    "+",
    "-",
    "*",
    "/",
    "^",
    "'",
    "(",
    ")",
    "inv(",
    "tr(",
    "Tr(",
    "I(",
    "sqrt(",
    "I(p)",
    "I(n)",
    "Z",
    "Z'",
    "H",
    "S",
    "D",
    "R",
    "lam",
    "n",
    "p",
    "0",
    "1",
    "2",
    "0.5",
    "-1",
    "1e308",
    "1e-320",
    ".",
    " ",
    "\n",
    "é",
    "\u{1f600}",
    "Z'*Z",
    "inv(Z'*Z+I(p))",
    "S^-0.5",
    "q",
];

struct Random(Draw);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0.index += 1;
        (self.0.stream() >> 13) as usize % n
    }
}

/// Token soup, or an expression with a few tokens cut, doubled or replaced.
fn text(random: &mut Random, start: &str) -> String {
    if random.below(4) == 0 {
        let length = 1 + random.below(30);
        return (0..length).map(|_| TOKENS[random.below(TOKENS.len())]).collect();
    }
    let mut characters: Vec<String> = start.chars().map(String::from).collect();
    for _ in 0..random.below(4) {
        let at = random.below(characters.len());
        let token = TOKENS[random.below(TOKENS.len())].to_owned();
        match random.below(4) {
            0 => drop(characters.remove(at)),
            1 => characters.insert(at, token),
            2 => characters[at] = token,
            _ => {
                let end = (at + random.below(20)).min(characters.len());
                let copy: Vec<String> = characters[at..end].to_vec();
                characters.splice(at..at, copy);
            }
        }
        if characters.is_empty() {
            break;
        }
    }
    characters.concat()
}

/// Every construction of the language at sizes that take no time.
const SMALL: [&str; 6] = [
    "tr(inv(Z'*Z/n + lam*I(p)))",
    "Tr(S*inv(sqrt(S)*Z'*Z*sqrt(S)/n - H + 3*I(p))*S^0.3)^2/p",
    "tr(inv((R + Z)'*(R + Z) + lam*I(p))*inv(H^2 + S + I(p)))",
    "sqrt(lam)*tr(Z*S*Z') - tr(H*S*H)/tr(S + I(p))",
    "tr(inv(4*I(n) - Z*inv(2*I(p) + H)*Z'/n))",
    "-Tr(R'*Z*inv(lam*I(p) + Z'*R*R'*Z)) + n^2/p",
];

fn soup(seed: u64, budget: Duration, least: usize) -> (usize, usize) {
    let mut random = Random(Draw { seed, index: 0 });
    let start = Instant::now();
    let (mut texts, mut typed) = (0, 0);
    while texts < least || start.elapsed() < budget {
        let mut problem: Problem = gallery()[random.below(gallery().len())].problem().unwrap();
        if random.below(2) == 0 {
            problem = serde_json::from_value(json!({
                "dims": {"n": 5, "p": 4, "m": 2}, "parameters": {"lam": 0.1},
                "random": {"Z": {"rows": "n", "cols": "p", "variance": "1"},
                           "H": {"rows": "p", "cols": "p", "variance": "lam/p", "kind": "goe"}},
                "deterministic": {
                    "S": {"kind": "linear", "p": 4, "from": 0.0, "to": 1.0},
                    "D": {"kind": "dense", "values": [[1.0, 0.5], [0.5, 1.0]]},
                    "R": {"kind": "dct_rectangular", "rows": 5, "cols": 4, "rank": 2, "scale": 1.0}},
                "expression": SMALL[random.below(SMALL.len())]
            }))
            .unwrap();
        }
        problem.expression = text(&mut random, &problem.expression);
        let begin = Instant::now();
        if let Ok(model) = Model::new(&problem) {
            typed += 1;
            // Solving is tried on a few: most of the time goes there.
            if typed % 50 == 0 {
                let answer = model.evaluate();
                assert!(
                    answer.is_err() || answer.is_ok_and(|a| a.value.is_finite() && a.rho < 1.0)
                );
            }
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "{}", problem.expression);
        texts += 1;
    }
    (texts, typed)
}

#[test]
fn random_texts() {
    let (texts, typed) = soup(0, Duration::ZERO, 2000);
    println!("{texts} texts, {typed} well typed");
    // Unchanged starts alone are a sixth; a broken generator or checker falls far below.
    assert!(typed > texts / 10, "too few texts are well typed to test anything: {typed}");
    assert!(typed < texts * 9 / 10, "too few texts are wrong to test anything: {typed}");
}

#[test]
#[ignore = "ten minutes"]
fn random_texts_for_ten_minutes() {
    let (texts, typed) = soup(1, Duration::from_secs(600), 0);
    println!("{texts} texts, {typed} well typed, no panic");
}
