//! Templates: their syntax, and what they mean, with odd arguments everywhere.

use std::sync::Arc;

use playbook::jinja::{Expression, Template};
use playbook::template::{Environment, Options, Renderer, filters, tests};
use playbook_api::{Context, Map, Place, Value, map};

use crate::random::Random;
use crate::watch::{each, run};

/// A fraction of what a run allows: this is a build without optimizations.
const WORK: u64 = 300_000;

fn renderer() -> Renderer {
    let environment = Environment {
        context: Context::default(),
        keyring: Arc::default(),
        options: Options { work: WORK, ..Options::default() },
    };
    let scope: Map = map! {
        "s" => "Some text, é%", "n" => 42, "f" => 1.5, "t" => true, "none" => Value::Null,
        "l" => vec![Value::from(3), 1.into(), "x".into()], "m" => map! { "a" => 1, "b" => vec![1, 2] },
        "ms" => vec![Value::from(map! { "k" => "a", "v" => 1 }), map! { "k" => "b", "v" => 2 }.into()],
        "big" => Value::big("123456789012345678901234567890".parse().expect("a number")),
        "bytes" => Value::Bytes([0xff, 0].as_slice().into()),
    };
    Renderer { environment: Arc::new(environment), scope: Arc::new(scope) }
}

fn render(renderer: &Renderer, text: &str) {
    let place = Place::new("fuzz.yml", 1, 1);
    let template = Template::new(text, place.clone());
    let done = renderer.render(&template).and_then(Renderer::finalize);
    if let Ok(value) = done {
        // Whoever prints a value may do so.
        let _ = value.to_text().len();
    }
    let _ = renderer.condition(&Expression::new(text, place));
}

const TEXTS: &[&str] = &[
    "{{ s | upper ~ n }}",
    "{% for x in l if x %}{{ loop.index }}{{ x }}{% else %}none{% endfor %}",
    "{% macro m(a, b=1) %}{{ a }}{{ caller() if caller }}{% endmacro %}{% call(x) m(1) %}{{ x }}{% endcall %}",
    "{% set ns = namespace(x=0) %}{% for i in range(3) %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}",
    "{%- if a is defined and b not in [1, 2] -%} x {%- elif c %} y {% else %} z {% endif -%}",
    "{{ l[1:2], m.a, m['b'][0], -n ** 2 // 3 % 5, 'a' if t else 'b' }}",
    "{% filter upper %}a{% endfilter %}{% raw %}{{ x }}{% endraw %}{# comment #}{% with a=1 %}{{ a }}{% endwith %}",
    "{% set x %}block{% endset %}{{ '%s-%05.2f' % (s, f) }}{{ '{:>10}'.format(n) }}",
    "{% for a in ms recursive %}{{ a.k }}{{ loop(a.c) if a.c }}{% endfor %}",
    "{{ lookup('sequence', 'start=1 end=3') }}{{ query('dict', m) }}{{ undefined_name | default('x') }}",
];

const WORDS: &[&str] = &[
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "-%}",
    "{%+",
    " | ",
    ".",
    "[",
    "]",
    "(",
    ")",
    "((((((((",
    "{",
    "}",
    ",",
    ":",
    "'",
    "\"",
    "\\",
    "%",
    "**",
    "//",
    "~",
    "==",
    "!=",
    " in ",
    " not in ",
    " is ",
    " is not ",
    " if ",
    " else ",
    "and ",
    "or ",
    "not ",
    "for x in ",
    "endfor",
    "set ",
    "macro ",
    "endmacro",
    "call ",
    "block b",
    "endblock",
    "extends 'x'",
    "include 'x'",
    "import 'x' as y",
    "raw",
    "endraw",
    "filter ",
    "recursive",
    "loop",
    "caller()",
    "self",
    "super()",
    "varargs",
    "999999999",
    "1e308",
    "0x",
    "1_0",
    "lambda",
    "\u{0}",
    "\n",
    "é",
    "|default",
    "|map(",
    "[::-1]",
    "*l",
    "**m",
    "=",
];

#[test]
fn mutated_templates() {
    let renderer = renderer();
    let nested =
        |open: &str, close: &str| format!("{{{{ {}1{} }}}}", open.repeat(20_000), close.repeat(20_000));
    let deep = [
        nested("(", ")"),
        nested("[", "]"),
        nested("not ", ""),
        nested("-", ""),
        format!("{{{{ 1{} }}}}", " + 1".repeat(20_000)),
        format!("{{{{ 1{} }}}}", " | string".repeat(20_000)),
        format!("{{{{ s{} }}}}", ".a".repeat(20_000)),
        "{% if t %}".repeat(20_000),
        "{% for a in l %}".repeat(300) + &"{% endfor %}".repeat(300),
        "{{".repeat(50_000),
    ];
    let deep: Vec<&str> = deep.iter().map(String::as_str).collect();
    run(
        "mutated templates",
        &deep,
        |random| {
            let text = random.pick(TEXTS);
            random.mutate(text, WORDS)
        },
        |text| render(&renderer, text),
    );
}

/// What must not take the machine down.
const GREEDY: &[&str] = &[
    "{{ 'a' * 10**9 }}",
    "{{ 'a' * 10**30 }}",
    "{{ [0] * 10**9 }}",
    "{{ (1,) * 10**10 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ 10 ** 100000000 }}",
    "{{ (2 ** 100000) ** 100000 }}",
    "{{ 7 | pow(999999999) }}",
    "{{ 1 | root(0) }}",
    "{{ range(10**12) | list }}",
    "{{ range(10**12) | sum }}",
    "{{ range(10**7) | map('string') | join(',') | length }}",
    "{{ 'x' | center(10**9) }}",
    "{{ 'x'.ljust(10**9) }}",
    "{{ 'x'.rjust(10**12) }}",
    "{{ 'x'.zfill(10**10) }}",
    "{{ 'x'.center(10**10) }}",
    "{{ 'a\\tb'.expandtabs(10**10) }}",
    "{{ '%999999999d' % 1 }}",
    "{{ '%.999999999f' % 1.5 }}",
    "{{ '%*d' % (10**9, 1) }}",
    "{{ '{:999999999}'.format(1) }}",
    "{{ '{:.999999999f}'.format(1.5) }}",
    "{{ '{0:{1}}'.format('a', 10**10) }}",
    "{{ ('a' * 10**6).replace('a', 'b' * 10**6) }}",
    "{{ ('a' * 10**6) | replace('a', 'b' * 10**6) }}",
    "{{ ('a' * 10**6) | regex_replace('', 'b' * 10**6) }}",
    "{{ ('a,' * 10**6).split(',') | length }}",
    "{{ 'x' | indent(10**9) }}",
    "{{ ('x\\n' * 10**6) | indent(10**6) }}",
    "{{ m | to_nice_json(indent=10**9) }}",
    "{{ m | to_json(indent=10**9) }}",
    "{{ m | to_nice_yaml(indent=10**9) }}",
    "{{ m | to_nice_yaml(width=10**18) }}",
    "{{ m | tojson(indent=10**9) }}",
    "{{ m | pprint(10**9) }}",
    "{{ s | wordwrap(0) }}",
    "{{ s | wordwrap(-1) }}",
    "{{ s | truncate(-5) }}",
    "{{ s | truncate(10**12) }}",
    "{{ s | comment(prefix_count=10**9) }}",
    "{{ s | comment(decoration='x' * 10**6, prefix_count=10**6) }}",
    "{{ l | batch(10**12, 'x') | list }}",
    "{{ l | slice(10**12) | list }}",
    "{{ l | batch(0) | list }}",
    "{{ l | slice(0) | list }}",
    "{{ l | batch(-1, 1) | list }}",
    "{{ range(30) | permutations | list }}",
    "{{ range(100) | combinations(50) | list }}",
    "{{ range(1000) | product(range(1000), range(1000), range(1000)) | list }}",
    "{{ range(10**6) | permutations(2) | list }}",
    "{{ range(10**4) | product(range(10**4)) | list }}",
    "{{ [1] | zip_longest(range(10**7)) | list | length }}",
    "{{ 'a' | password_hash('sha512', rounds=999999999) }}",
    "{{ 'a' | password_hash('bcrypt', rounds=31) }}",
    "{{ 'a' | password_hash('pbkdf2_sha256', rounds=2000000000) }}",
    "{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' | regex_search('(a+)+$') }}",
    "{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' | regex_findall('(a|a)*b') }}",
    "{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' is match('(?=(a+)+b)') }}",
    "{{ 'a' | regex_search('a{1000}{1000}{1000}') }}",
    "{{ 'a' | regex_search('(((a{100}){100}){100}){100}') }}",
    "{{ ('a' * 100000) | regex_replace('(a*)*b', 'x') }}",
    "{{ 'a' | regex_search('(' * 10000) }}",
    "{{ '::/0' | ansible.utils.ipaddr('range_usable') }}",
    "{{ '::/0' | ansible.utils.ipsubnet(128) }}",
    "{{ '10.0.0.0/8' | ansible.utils.ipsubnet(32, -1) }}",
    "{{ '::/0' | ansible.utils.ipaddr(10**40) }}",
    "{{ '10.0.0.0/8' | ansible.utils.next_nth_usable(10**30) }}",
    "{{ ['10.0.0.0/8', '::/0'] | ansible.utils.cidr_merge }}",
    "{{ 10**30 | human_readable }}",
    "{{ '9' * 100000 | int }}",
    "{{ ('9' * 1000000) | int }}",
    "{{ (10 ** 100000) | string | length }}",
    "{{ '1e999999999' | float }}",
    "{{ 10**400 | float }}",
    "{{ 1e308 * 10 | int }}",
    "{{ (1e308 * 10) | int }}",
    "{{ 5 | round(10**9) }}",
    "{{ 5.5 | round(-10**9) }}",
    "{{ 1.5 | round(400, 'ceil') }}",
    "{{ '%Y' | strftime(10**18) }}",
    "{{ '%Y' | strftime(-10**18) }}",
    "{{ '%1000000000Y' | strftime(0) }}",
    "{{ now().strftime('%Y' * 1000000) | length }}",
    "{{ 'x' | random(start=1) }}",
    "{{ 10**30 | random(step=0) }}",
    "{{ lookup('sequence', 'count=1000000000') }}",
    "{{ lookup('sequence', 'start=0 end=1000000000 stride=1 format=%0999999999d') }}",
    "{{ lookup('random_string', length=10**10) }}",
    "{{ lipsum(n=10**9) }}",
    "{{ lipsum(n=10, min=10**9, max=10**9 + 1) }}",
    "{{ cycler(*range(10**9)) }}",
    "{{ dict(a=1) | dictsort | list * 10**9 }}",
    "{% for a in range(10**7) %}{% for b in range(10**7) %}{% endfor %}{% endfor %}",
    "{% set ns = namespace(x='a') %}{% for i in range(100) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x='a') %}{% for i in range(100) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ \
    ns.x | length }}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ \
    ns.x == ns.x }}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ \
    ns.x | to_json }}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ \
    ns.x | flatten }}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(100000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(100000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ \
    ns.x | to_json }}",
    "{% set ns = namespace(x={}) %}{% for i in range(100000) %}{% set ns.x = {'a': ns.x} %}{% endfor %}{{ \
    ns.x == {} }}",
    "{% set ns = namespace(x=2) %}{% for i in range(100) %}{% set ns.x = ns.x * ns.x %}{% endfor %}{{ ns.x }}",
    "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(100) }}",
    "{% for a in l recursive %}{{ loop(l) }}{% endfor %}",
    "{{ range(10**7) | map('regex_replace', 'a', 'b') | list | length }}",
    "{{ ['a' * 10**6] * 10**6 }}",
    "{{ (['a' * 10**6] * 10**6) | join }}",
    "{{ ('a' * 10**7) | b64encode | b64encode | b64encode | length }}",
    "{{ ('<' * 10**7) | e | e | e | e | e | e | length }}",
    "{{ ('a ' * 10**6) | title | urlize | length }}",
    "{{ ('[' * 10**6) | from_json }}",
    "{{ ('[' * 10**6) | from_yaml }}",
    "{{ m | json_query('a' ~ '.a' * 100000) }}",
    "{{ m | json_query('[' * 10000) }}",
    "{{ (range(3000) | list) | unique | length }}",
    "{{ range(10**6) | list | sort | reverse | list | length }}",
    "{{ 1 << 3 }}",
    "{{ s.encode().hex() * 10**9 }}",
    "{{ s.join(range(10**7) | map('string')) | length }}",
    "{{ s.format(*range(10**6)) }}",
    "{{ s.translate(m) }}{{ s.maketrans('a', 'b') }}",
    "{{ l.index(5, 10**30) }}{{ s.find('x', -10**30, 10**30) }}",
    "{{ l[10**30:] }}{{ l[::10**30] }}{{ l[-10**30] }}{{ s[10**30:10**31] }}",
    "{{ l[::0] }}",
    "{{ n.to_bytes(10**10, 'big') }}",
    "{{ (n).bit_length() }}{{ f.as_integer_ratio() }}{{ 1e308.hex() }}",
];

#[test]
fn greedy_templates() {
    let renderer = renderer();
    each(GREEDY, |text| render(&renderer, text));
}

/// Expressions out of everything there is.
struct Maker<'r> {
    random: &'r mut Random,
}

const LITERALS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "3.7",
    "-0.0",
    "1e308",
    "10**9",
    "10**12",
    "10**30",
    "-10**30",
    "9223372036854775807",
    "-9223372036854775808",
    "true",
    "false",
    "none",
    "''",
    "'a'",
    "'a b,c'",
    "'é😀'",
    "'%s %d'",
    "'{} {a!r:>{b}}'",
    "'(a'",
    "'(a*)*b'",
    "'%Y-%m-%d'",
    "'2001-01-01 10:00:00'",
    "'10.0.0.0/8'",
    "'2001:db8::/32'",
    "'utf-8'",
    "'md5'",
    "'\\x00'",
    "'[1, {\"a\": 2}]'",
    "'a: [1, 2]'",
    "'a,b\\nc,d'",
    "'1.2.3'",
    "'sha512'",
    "[]",
    "[1, 'a', none]",
    "[[1, 2], [3]]",
    "{}",
    "{'a': 1, 'b': [2]}",
    "[{'k': 'a', 'v': 1}]",
    "()",
    "(1, 2)",
    "s",
    "n",
    "f",
    "t",
    "none",
    "l",
    "m",
    "ms",
    "big",
    "bytes",
    "undefined_name",
    "m.zz",
    "omit",
    "range(5)",
    "dict(a=1)",
    "namespace(a=1)",
    "cycler(1, 2)",
    "joiner(',')",
    "now()",
    "lookup",
    "s.upper",
    "m.items()",
    "'10MB'",
    "'00:11:22:33:44:55'",
];

const NAMED: &[&str] = &[
    "width",
    "indent",
    "count",
    "length",
    "default",
    "attribute",
    "fillchar",
    "reverse",
    "case_sensitive",
    "by",
    "n",
    "sep",
    "ignorecase",
    "multiline",
    "encoding",
    "key_name",
    "start",
    "step",
    "seed",
    "rounds",
    "salt",
    "recursive",
    "list_merge",
    "wantlist",
    "errors",
    "base",
    "method",
    "precision",
    "boolean",
    "unit",
    "isbits",
    "levels",
    "skip_missing",
    "decoration",
    "prefix",
    "postfix",
    "sort_keys",
    "fill_with",
    "leeway",
    "killwords",
    "first",
    "blank",
    "default_value",
    "version_type",
];

const METHODS: &[&str] = &[
    "upper",
    "split",
    "rsplit",
    "splitlines",
    "replace",
    "format",
    "join",
    "center",
    "ljust",
    "zfill",
    "find",
    "index",
    "count",
    "strip",
    "startswith",
    "encode",
    "decode",
    "partition",
    "expandtabs",
    "translate",
    "title",
    "isdigit",
    "items",
    "keys",
    "get",
    "update",
    "pop",
    "append",
    "extend",
    "insert",
    "sort",
    "copy",
    "setdefault",
    "hex",
    "bit_length",
    "is_integer",
    "strftime",
    "total_seconds",
    "next",
    "rindex",
    "casefold",
    "removeprefix",
    "format_map",
];

const OPERATORS: &[&str] = &[
    " + ", " - ", " * ", " / ", " // ", " % ", " ** ", " ~ ", " == ", " < ", " >= ", " in ", " not in ",
    " and ", " or ",
];

impl Maker<'_> {
    fn expression(&mut self, depth: usize) -> String {
        if depth == 0 || self.random.one_in(5) {
            return self.random.pick(LITERALS).to_owned();
        }
        let inner = depth - 1;
        match self.random.below(12) {
            0..=4 => {
                let names: Vec<&str> = filters::names().filter(|name| !SLOW.contains(name)).collect();
                let name = self.random.pick(&names);
                format!("({} | {name}{})", self.expression(inner), self.arguments(inner))
            }
            5 => {
                let names: Vec<&str> = tests::names()
                    .filter(|name| name.chars().all(|c| c.is_alphabetic() || c == '_'))
                    .collect();
                let name = self.random.pick(&names);
                format!("({} is {name}{})", self.expression(inner), self.arguments(inner))
            }
            6 | 7 => {
                let operator = self.random.pick(OPERATORS);
                format!("({}{operator}{})", self.expression(inner), self.expression(inner))
            }
            8 => {
                let method = self.random.pick(METHODS);
                format!("({}).{method}{}", self.expression(inner), self.arguments(inner))
            }
            9 => format!("({})[{}]", self.expression(inner), self.expression(inner)),
            10 => {
                let (a, b, c) = (self.expression(inner), self.expression(inner), self.expression(inner));
                format!("({a})[{b}:{c}]")
            }
            _ => format!("[{}, {}]", self.expression(inner), self.expression(inner)),
        }
    }

    fn arguments(&mut self, depth: usize) -> String {
        let mut arguments: Vec<String> =
            (0..self.random.below(3)).map(|_| self.expression(depth.min(1))).collect();
        if self.random.one_in(3) {
            let name = self.random.pick(NAMED);
            arguments.push(format!("{name}={}", self.expression(0)));
        }
        format!("({})", arguments.join(", "))
    }
}

/// Costly by their nature; [`GREEDY`] holds what they must refuse.
const SLOW: &[&str] = &["password_hash", "vault", "unvault"];

#[test]
fn made_expressions() {
    let renderer = renderer();
    run(
        "made expressions",
        &[],
        |random| {
            let text = Maker { random }.expression(3);
            format!("{{{{ {text} }}}}")
        },
        |text| render(&renderer, text),
    );
}
