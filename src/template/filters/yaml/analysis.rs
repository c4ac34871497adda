//! Which styles a text can be written in.

/// What a text allows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Analysis {
    pub multiline: bool,
    pub flow_plain: bool,
    pub block_plain: bool,
    pub single_quoted: bool,
    pub block: bool,
}

pub fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_blank_or_end(c: Option<char>) -> bool {
    c.is_none_or(|c| c == ' ' || c == '\t' || c == '\0' || is_break(c))
}

/// What libyaml writes as it is; everything else is escaped.
pub fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

impl Analysis {
    pub fn of(text: &str) -> Analysis {
        let characters: Vec<char> = text.chars().collect();
        if characters.is_empty() {
            return Analysis { block_plain: true, single_quoted: true, ..Analysis::default() };
        }
        let mut block_indicators = text.starts_with("---") || text.starts_with("...");
        let mut flow_indicators = block_indicators;
        let (mut special, mut line_breaks) = (false, false);
        let (mut break_space, mut space_break) = (false, false);
        let (mut after_space, mut after_break) = (false, false);
        let mut after_blank = true;
        for (at, c) in characters.iter().copied().enumerate() {
            let before_blank = is_blank_or_end(characters.get(at + 1).copied());
            let (flow, block) = match c {
                '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@'
                | '`'
                    if at == 0 =>
                {
                    (true, true)
                }
                '?' | ':' if at == 0 => (true, before_blank),
                '-' if at == 0 => (before_blank, before_blank),
                ',' | '?' | '[' | ']' | '{' | '}' => (true, false),
                ':' => (true, before_blank),
                '#' => (after_blank, after_blank),
                _ => (false, false),
            };
            flow_indicators |= flow;
            block_indicators |= block;
            special |= !is_printable(c);
            line_breaks |= is_break(c);
            break_space |= c == ' ' && after_break;
            space_break |= is_break(c) && after_space;
            (after_space, after_break) = (c == ' ', is_break(c));
            after_blank = is_blank_or_end(Some(c));
        }
        let edge = |c: Option<&char>| c.is_some_and(|c| *c == ' ' || is_break(*c));
        let edges = edge(characters.first()) || edge(characters.last());
        let odd = break_space || space_break || special;
        let plain = !edges && !odd && !line_breaks;
        Analysis {
            multiline: line_breaks,
            flow_plain: plain && !flow_indicators,
            block_plain: plain && !block_indicators,
            single_quoted: !odd,
            block: characters.last() != Some(&' ') && !space_break && !special,
        }
    }
}
