//! From text to a syntax tree.
//!
//! ```text
//! sum     = product (("+" | "-") product)*
//! product = unary (("*" | "/") unary)*
//! unary   = ("-" | "+") unary | power
//! power   = postfix ("^" exponent)?        exponent = ("-" | "+") exponent | power
//! postfix = primary "'"*
//! primary = number | name | name "(" sum ")" | "(" sum ")"
//! ```
//!
//! `'` binds tighter than `^`, `^` tighter than the unary signs and to the right. Sums and products
//! are lists, so the depth of the tree is the depth of the nesting, which is limited.

use crate::error::{Error, Place, Result, Span};
use winnow::ascii::{digit1, multispace0};
use winnow::combinator::{alt, opt};
use winnow::prelude::*;
use winnow::stream::LocatingSlice;
use winnow::token::{any, one_of, take_while};

/// Deepest nesting of brackets, signs and exponents.
pub(crate) const MAX_DEPTH: usize = 256;

/// One part of a syntax tree with its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ast {
    pub(crate) span: Span,
    pub(crate) kind: AstKind,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AstKind {
    Number(f64),
    Name(String),
    /// `name(argument)`; the span is that of the name.
    Call(String, Span, Box<Ast>),
    /// Terms, negated where `true`.
    Sum(Vec<(bool, Ast)>),
    /// Factors, divided by where `true`.
    Product(Vec<(bool, Ast)>),
    Power(Box<Ast>, Box<Ast>),
    Transpose(Box<Ast>),
    Negative(Box<Ast>),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Name(String),
    Sign(char),
    Unknown(char),
    End,
}

fn number(input: &mut LocatingSlice<&str>) -> winnow::Result<Token> {
    let digits = alt(((digit1, opt(('.', opt(digit1)))).take(), ('.', digit1).take()));
    let exponent = (one_of(['e', 'E']), opt(one_of(['+', '-'])), digit1);
    (digits, opt(exponent)).take().try_map(str::parse).map(Token::Number).parse_next(input)
}

fn name(input: &mut LocatingSlice<&str>) -> winnow::Result<Token> {
    (
        take_while(1, |c: char| c.is_alphabetic() || c == '_'),
        take_while(0.., |c: char| c.is_alphanumeric() || c == '_'),
    )
        .take()
        .map(|text: &str| Token::Name(text.to_owned()))
        .parse_next(input)
}

fn token(input: &mut LocatingSlice<&str>) -> winnow::Result<Token> {
    let sign = one_of(['+', '-', '*', '/', '^', '\'', '(', ')']).map(Token::Sign);
    alt((number, name, sign, any.map(Token::Unknown))).parse_next(input)
}

fn tokens(text: &str) -> Vec<(Token, Span)> {
    let mut input = LocatingSlice::new(text);
    let mut out = Vec::new();
    loop {
        let blank: winnow::Result<&str> = multispace0.parse_next(&mut input);
        let next: winnow::Result<_> = token.with_span().parse_next(&mut input);
        match (blank, next) {
            (Ok(_), Ok((token, range))) => {
                out.push((token, Span { start: range.start, end: range.end }));
            }
            // `token` takes any character: only the end of the text fails.
            _ => {
                out.push((Token::End, Span { start: text.len(), end: text.len() }));
                return out;
            }
        }
    }
}

/// Whether `text` is one name of the language.
pub(crate) fn is_name(text: &str) -> bool {
    matches!(&tokens(text)[..], [(Token::Name(name), _), (Token::End, _)] if name == text)
}

/// The tree of a whole text; `key` is the input key that errors name.
pub(crate) fn parse(key: &str, text: &str) -> Result<Ast> {
    let mut parser = Descent { key, text, tokens: tokens(text), at: 0, depth: 0 };
    if let Some((Token::Unknown(c), span)) =
        parser.tokens.iter().find(|(t, _)| matches!(t, Token::Unknown(_)))
    {
        let hint = match c {
            '’' | '′' | 'ᵀ' => "; write the transpose as '",
            '·' | '×' | '@' => "; write the product as *",
            '−' | '–' => "; write the minus sign as -",
            '[' | '{' => "; use round brackets",
            _ => "",
        };
        return Err(parser.error(*span, format!("`{c}` is not part of the language{hint}")));
    }
    let ast = parser.sum()?;
    match parser.peek() {
        Token::End => Ok(ast),
        Token::Sign(')') => Err(parser.error(parser.span(), "this bracket closes nothing")),
        _ => Err(parser.error(
            parser.span(),
            "expected an operator (+ - * / ^ ') here; products need an explicit *",
        )),
    }
}

struct Descent<'a> {
    key: &'a str,
    text: &'a str,
    tokens: Vec<(Token, Span)>,
    at: usize,
    depth: usize,
}

impl Descent<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn span(&self) -> Span {
        self.tokens[self.at].1
    }

    /// Takes the next token; the end stays.
    fn next(&mut self) -> (Token, Span) {
        let token = self.tokens[self.at].clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn accept(&mut self, signs: &[char]) -> Option<char> {
        match *self.peek() {
            Token::Sign(c) if signs.contains(&c) => {
                self.next();
                Some(c)
            }
            _ => None,
        }
    }

    fn error(&self, span: Span, message: impl Into<String>) -> Error {
        let place = Place { key: self.key.to_owned(), text: self.text.to_owned(), span };
        Error::Syntax { place, message: message.into() }
    }

    /// Runs `part` one level deeper.
    fn nested(&mut self, part: impl FnOnce(&mut Self) -> Result<Ast>) -> Result<Ast> {
        if self.depth == MAX_DEPTH {
            let message = format!("nested deeper than {MAX_DEPTH} levels; split the expression");
            return Err(self.error(self.span(), message));
        }
        self.depth += 1;
        let out = part(self);
        self.depth -= 1;
        out
    }

    fn sum(&mut self) -> Result<Ast> {
        self.list(['+', '-'], Self::product, AstKind::Sum)
    }

    fn product(&mut self) -> Result<Ast> {
        self.list(['*', '/'], Self::unary, AstKind::Product)
    }

    /// `part (sign part)*`, flagged where the sign is the second one.
    fn list(
        &mut self,
        signs: [char; 2],
        part: fn(&mut Self) -> Result<Ast>,
        make: fn(Vec<(bool, Ast)>) -> AstKind,
    ) -> Result<Ast> {
        let first = part(self)?;
        let mut items = vec![(false, first)];
        while let Some(sign) = self.accept(&signs) {
            items.push((sign == signs[1], part(self)?));
        }
        if items.len() == 1 {
            return Ok(items.remove(0).1);
        }
        let span = items[0].1.span.to(items[items.len() - 1].1.span);
        Ok(Ast { span, kind: make(items) })
    }

    fn unary(&mut self) -> Result<Ast> {
        self.signed(Self::power)
    }

    fn signed(&mut self, inner: fn(&mut Self) -> Result<Ast>) -> Result<Ast> {
        let start = self.span();
        match self.accept(&['+', '-']) {
            None => inner(self),
            Some(sign) => self.nested(|parser| {
                let ast = parser.signed(inner)?;
                let span = start.to(ast.span);
                Ok(if sign == '-' {
                    Ast { span, kind: AstKind::Negative(Box::new(ast)) }
                } else {
                    ast
                })
            }),
        }
    }

    fn power(&mut self) -> Result<Ast> {
        let base = self.postfix()?;
        if self.accept(&['^']).is_none() {
            return Ok(base);
        }
        let exponent = self.nested(|parser| parser.signed(Self::power))?;
        let span = base.span.to(exponent.span);
        Ok(Ast { span, kind: AstKind::Power(Box::new(base), Box::new(exponent)) })
    }

    fn postfix(&mut self) -> Result<Ast> {
        let mut ast = self.primary()?;
        let mut end = self.span();
        let mut count = 0;
        while self.accept(&['\'']).is_some() {
            count += 1;
            let span = ast.span.to(end);
            end = self.span();
            // Two transposes cancel, so a long row of them does not deepen the tree.
            ast = match ast.kind {
                AstKind::Transpose(inner) if count > 1 => Ast { span, kind: inner.kind },
                _ => Ast { span, kind: AstKind::Transpose(Box::new(ast)) },
            };
        }
        Ok(ast)
    }

    fn primary(&mut self) -> Result<Ast> {
        let (token, span) = self.next();
        match token {
            Token::Number(x) if x.is_finite() => Ok(Ast { span, kind: AstKind::Number(x) }),
            Token::Number(_) => Err(self.error(span, "this number is too large for f64")),
            Token::Name(name) => {
                let open = self.span();
                if self.accept(&['(']).is_none() {
                    return Ok(Ast { span, kind: AstKind::Name(name) });
                }
                let (argument, close) = self.bracket(open)?;
                let kind = AstKind::Call(name, span, Box::new(argument));
                Ok(Ast { span: span.to(close), kind })
            }
            Token::Sign('(') => {
                let (inner, close) = self.bracket(span)?;
                Ok(Ast { span: span.to(close), kind: inner.kind })
            }
            Token::End => {
                let at = Span { start: span.start.saturating_sub(1), end: span.end };
                Err(self.error(at, "the expression ends where an operand should follow"))
            }
            Token::Sign(c) | Token::Unknown(c) => {
                Err(self
                    .error(span, format!("expected a name, a number or a bracket, found `{c}`")))
            }
        }
    }

    /// What stands in a bracket opened at `open`, and the place of the closing one.
    fn bracket(&mut self, open: Span) -> Result<(Ast, Span)> {
        let inner = self.nested(Self::sum)?;
        let close = self.span();
        if self.accept(&[')']).is_none() {
            return Err(match self.peek() {
                Token::End => self.error(open, "this bracket is never closed"),
                _ => self.error(close, "expected an operator or a closing bracket"),
            });
        }
        Ok((inner, close))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(ast: &Ast) -> String {
        let list = |items: &[(bool, Ast)], signs: [&str; 2]| {
            let parts: Vec<String> = items
                .iter()
                .map(|(second, a)| format!("{}{}", signs[usize::from(*second)], show(a)))
                .collect();
            format!("[{}]", parts.join(" "))
        };
        match &ast.kind {
            AstKind::Number(x) => x.to_string(),
            AstKind::Name(n) => n.clone(),
            AstKind::Call(n, _, a) => format!("{n}({})", show(a)),
            AstKind::Sum(items) => list(items, ["+", "-"]),
            AstKind::Product(items) => list(items, ["*", "/"]),
            AstKind::Power(a, b) => format!("({}^{})", show(a), show(b)),
            AstKind::Transpose(a) => format!("{}'", show(a)),
            AstKind::Negative(a) => format!("-{}", show(a)),
        }
    }

    #[test]
    fn precedence() {
        for (text, tree) in [
            ("-S^2", "-(S^2)"),
            ("X'^2", "(X'^2)"),
            ("S^-0.5", "(S^-0.5)"),
            ("2^3^2", "(2^(3^2))"),
            ("a-b-c", "[+a -b -c]"),
            ("a/b*c", "[*a /b *c]"),
            ("-a*b'", "[*-a *b']"),
            ("x'''", "x'"),
            (" inv( A + .5e-1 ) ", "inv([+A +0.05])"),
        ] {
            assert_eq!(show(&parse("expression", text).unwrap()), tree, "{text}");
        }
    }

    #[test]
    fn errors_point_at_the_token() {
        for (text, start, end) in [
            ("tr(A", 2, 3),
            ("tr(A))", 5, 6),
            ("2 A", 2, 3),
            ("a + ", 3, 4),
            ("a + * b", 4, 5),
            ("a·b", 1, 3),
            ("1e999", 0, 5),
        ] {
            let Err(Error::Syntax { place, .. }) = parse("expression", text) else {
                panic!("{text} was accepted")
            };
            assert_eq!((place.span.start, place.span.end), (start, end), "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_and_long_chains_are_not() {
        let deep = |n: usize| format!("{}a{}", "(".repeat(n), ")".repeat(n));
        assert!(parse("expression", &deep(200)).is_ok());
        assert!(matches!(parse("expression", &deep(100_000)), Err(Error::Syntax { .. })));
        assert!(parse("expression", &vec!["a"; 20_000].join("+")).is_ok());
        assert!(parse("expression", &format!("a{}", "'".repeat(20_000))).is_ok());
        assert!(parse("expression", &"-".repeat(20_000)).is_err());
    }
}
