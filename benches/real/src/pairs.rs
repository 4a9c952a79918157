//! The pairs of versions, and the work on them.

/// Two versions of a crate, and work that uses it.
pub(crate) struct Pair {
    pub(crate) krate: &'static str,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    /// More of the dependency, as TOML: `, features = ["std"]`.
    pub(crate) features: &'static str,
    /// Rust items that the work uses.
    pub(crate) items: &'static str,
    pub(crate) works: &'static [Work],
}

/// One workload: what an operation does.
pub(crate) struct Work {
    pub(crate) name: &'static str,
    pub(crate) body: &'static str,
}

impl Pair {
    pub(crate) fn name(&self) -> String {
        format!("{} {} to {}", self.krate, self.from, self.to)
    }
}

const fn work(name: &'static str, body: &'static str) -> Work {
    Work { name, body }
}

const SMALLVEC: &[Work] = &[
    work(
        "push",
        "let mut all = smallvec::SmallVec::<[u64; 16]>::new();
        for n in 0..64_u64 { all.push(std::hint::black_box(n)); }
        std::hint::black_box(&all);",
    ),
    work(
        "extend",
        "let mut all = smallvec::SmallVec::<[u64; 16]>::new();
        all.extend(std::hint::black_box(0..100_u64));
        std::hint::black_box(&all);",
    ),
];

const TIME: &[Work] = &[
    work(
        "rfc3339",
        "let at = std::hint::black_box(datetime!(2026-11-29 10:11:12.345 UTC));
        std::hint::black_box(at.format(&time::format_description::well_known::Rfc3339).unwrap());",
    ),
    work(
        "custom",
        "let at = std::hint::black_box(datetime!(2026-11-29 10:11:12.345 UTC));
        let how = format_description!(\"[year]-[month]-[day] [hour]:[minute]:[second].[subsecond]\");
        std::hint::black_box(at.format(&how).unwrap());",
    ),
];

const TIME_ITEMS: &str = "use time::macros::{datetime, format_description};";
const TIME_FEATURES: &str = ", features = [\"formatting\", \"macros\"]";

const BYTES: &[Work] = &[
    work(
        "records",
        "let mut out = BytesMut::with_capacity(4096);
        for n in 0..64_u32 { out.put_u32(n); out.put_u16_le(7); out.put_slice(b\"abcdefgh\"); }
        let mut read = out.freeze();
        let mut sum = 0_u64;
        while read.remaining() >= 14 { sum += u64::from(read.get_u32()) + u64::from(read.get_u16_le()); read.advance(8); }
        std::hint::black_box(sum);",
    ),
    work(
        "varints",
        "let mut out = BytesMut::with_capacity(1024);
        for n in 0..128_u64 {
            let mut n = std::hint::black_box(n * 1_000_003);
            while n >= 0x80 { out.put_u8((n as u8) | 0x80); n >>= 7; }
            out.put_u8(n as u8);
        }
        std::hint::black_box(out.freeze());",
    ),
];

const BYTES_ITEMS: &str = "use bytes::{Buf, BufMut, BytesMut};";

/// All pairs: those in which something got slower, then those in which nothing relevant changed.
pub(crate) const PAIRS: &[Pair] = &[
    Pair {
        krate: "time",
        from: "0.3.41",
        to: "0.3.42",
        features: TIME_FEATURES,
        items: TIME_ITEMS,
        works: TIME,
    },
    Pair {
        krate: "jiff",
        from: "0.2.13",
        to: "0.2.14",
        features: "",
        items: "",
        works: &[work(
            "parse",
            "let at: jiff::Zoned = std::hint::black_box(\"2026-11-29T10:11:12[Europe/Paris]\").parse().unwrap();
            std::hint::black_box(at);",
        )],
    },
    Pair {
        krate: "arrayvec",
        from: "0.6.0",
        to: "0.6.1",
        features: "",
        items: "use arrayvec::ArrayVec;",
        works: &[
            work("new", "std::hint::black_box(ArrayVec::<u64, 256>::new());"),
            work(
                "push",
                "let mut all = ArrayVec::<u64, 256>::new();
                for n in 0..256_u64 { all.push(std::hint::black_box(n)); }
                std::hint::black_box(&all);",
            ),
            // The old version's loop is slow at multiples of 64 bytes, and the new one's is not.
            work(
                "drain",
                "let mut all: ArrayVec<u64, 256> = std::hint::black_box(0..256_u64).collect();
                let sum: u64 = all.drain(..100).sum();
                std::hint::black_box((&all, sum));",
            ),
        ],
    },
    Pair {
        krate: "unicode-width",
        from: "0.1.12",
        to: "0.1.13",
        features: "",
        items: "use unicode_width::UnicodeWidthStr;\n\
                const ASCII: &str = \"the quick brown fox jumps over the lazy dog, again and again\";\n\
                const MIXED: &str = \"le cœur déçu mais l'âme plutôt naïve, 你好世界 и ещё раз\";",
        works: &[
            work("ascii", "std::hint::black_box(std::hint::black_box(ASCII).width());"),
            work("mixed", "std::hint::black_box(std::hint::black_box(MIXED).width());"),
        ],
    },
    Pair {
        krate: "base64",
        from: "0.21.7",
        to: "0.22.0",
        features: "",
        items: "use std::sync::OnceLock;\nuse base64::Engine as _;\n\
                use base64::engine::general_purpose::STANDARD;\n\
                static TEXT: OnceLock<String> = OnceLock::new();\n\
                fn text() -> &'static str {\n\
                TEXT.get_or_init(|| STANDARD.encode((0..48_000_u32).map(|n| (n * 31) as u8).collect::<Vec<u8>>()))\n}",
        works: &[work(
            "read",
            "use std::io::Read as _;
            let mut all = Vec::with_capacity(48_000);
            let source = std::hint::black_box(text().as_bytes());
            base64::read::DecoderReader::new(source, &STANDARD).read_to_end(&mut all).unwrap();
            std::hint::black_box(&all);",
        )],
    },
    Pair {
        krate: "smallvec",
        from: "1.15.0",
        to: "1.15.1",
        features: "",
        items: "",
        works: SMALLVEC,
    },
    Pair {
        krate: "time",
        from: "0.3.42",
        to: "0.3.43",
        features: TIME_FEATURES,
        items: TIME_ITEMS,
        works: TIME,
    },
    Pair {
        krate: "smallvec",
        from: "1.8.1",
        to: "1.9.0",
        features: "",
        items: "",
        works: SMALLVEC,
    },
    Pair {
        krate: "arrayvec",
        from: "0.7.6",
        to: "0.7.6",
        features: "",
        items: "use arrayvec::ArrayVec;",
        works: &[
            work(
                "push",
                "let mut all = ArrayVec::<u64, 256>::new();
                for n in 0..256_u64 { all.push(std::hint::black_box(n)); }
                std::hint::black_box(&all);",
            ),
            work(
                "collect",
                "let all: ArrayVec<u64, 256> = std::hint::black_box(0..256_u64).collect();
                std::hint::black_box(&all);",
            ),
        ],
    },
    Pair {
        krate: "bytes",
        from: "1.12.0",
        to: "1.12.1",
        features: "",
        items: BYTES_ITEMS,
        works: BYTES,
    },
    Pair {
        krate: "bytes",
        from: "1.12.2",
        to: "1.12.2",
        features: "",
        items: BYTES_ITEMS,
        works: BYTES,
    },
    Pair {
        krate: "chrono",
        from: "0.4.37",
        to: "0.4.38",
        features: ", default-features = false, features = [\"std\"]",
        items: "",
        works: &[work(
            "parse",
            "let text = std::hint::black_box(\"2026-11-29 10:11:12\");
            std::hint::black_box(chrono::NaiveDateTime::parse_from_str(text, \"%Y-%m-%d %H:%M:%S\").unwrap());",
        )],
    },
    Pair {
        krate: "hex",
        from: "0.4.2",
        to: "0.4.3",
        features: "",
        items: "",
        works: &[work(
            "encode",
            "std::hint::black_box(hex::encode(std::hint::black_box([0x5a_u8; 256])));",
        )],
    },
    Pair {
        krate: "fnv",
        from: "1.0.6",
        to: "1.0.7",
        features: "",
        items: "use std::hash::Hasher as _;",
        works: &[work(
            "hash",
            "let mut hasher = fnv::FnvHasher::default();
            hasher.write(std::hint::black_box(&[0x5a_u8; 256]));
            std::hint::black_box(hasher.finish());",
        )],
    },
    Pair {
        krate: "strsim",
        from: "0.11.0",
        to: "0.11.1",
        features: "",
        items: "",
        works: &[work(
            "jaro",
            "std::hint::black_box(strsim::jaro(std::hint::black_box(\"friedrich nietzsche\"), \"jean-paul sartre\"));",
        )],
    },
    Pair {
        krate: "percent-encoding",
        from: "2.3.0",
        to: "2.3.1",
        features: "",
        items: "",
        works: &[work(
            "decode",
            "let text = std::hint::black_box(\"a%20b%2Fc%3Fd%3De%26f%20g%20h%20i%2Cj%20k%20l\");
            std::hint::black_box(percent_encoding::percent_decode_str(text).decode_utf8().unwrap());",
        )],
    },
    Pair {
        krate: "semver",
        from: "1.0.25",
        to: "1.0.26",
        features: "",
        items: "",
        works: &[work(
            "parse",
            "std::hint::black_box(semver::Version::parse(std::hint::black_box(\"1.22.333-alpha.4+build.5\")).unwrap());",
        )],
    },
];
