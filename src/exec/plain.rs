//! The text of an output without the escape sequences that colour it. A program that believes that it writes to a
//! terminal may put them in the middle of a text for which the harness waits.

/// A reader of bytes that leaves out escape sequences, which may be cut anywhere.
#[derive(Debug, Default)]
pub(super) struct Plain(At);

/// Where the next byte is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum At {
    /// In the text.
    #[default]
    Text,
    /// Right after an escape.
    Escape,
    /// In a control sequence, which ends with a byte from `@` to `~`.
    Control,
    /// In a string, such as the title of a window, which ends with a bell or with an escape and a backslash.
    String,
    /// Right after an escape in a string.
    StringEscape,
}

const ESCAPE: u8 = 0x1b;
const BELL: u8 = 0x07;

impl Plain {
    /// Returns the text of the next bytes.
    pub(super) fn text(&mut self, bytes: &[u8]) -> Vec<u8> {
        bytes.iter().copied().filter(|&byte| self.is_text(byte)).collect()
    }

    fn is_text(&mut self, byte: u8) -> bool {
        let is_text = self.0 == At::Text && byte != ESCAPE;
        self.0 = match self.0 {
            At::Text if byte == ESCAPE => At::Escape,
            At::Text => At::Text,
            At::Escape => match byte {
                b'[' => At::Control,
                b']' | b'P' | b'X' | b'^' | b'_' => At::String,
                // Other sequences have one more byte, after any number of these.
                b' '..=b'/' => At::Escape,
                _ => At::Text,
            },
            At::Control if (b'@'..=b'~').contains(&byte) => At::Text,
            At::Control => At::Control,
            At::String if byte == ESCAPE => At::StringEscape,
            At::String if byte == BELL => At::Text,
            At::StringEscape if byte == b'\\' => At::Text,
            At::String | At::StringEscape => At::String,
        };
        is_text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_titles_are_left_out_wherever_they_are_cut() {
        let coloured =
            b"\x1b[32mlisten\x1b[0;1ming\x1b[0m on \x1b]0;title\x07port\x1b(B \x1b]8;;url\x1b\\80";
        assert_eq!(Plain::default().text(coloured), b"listening on port 80");
        for cut in 0..coloured.len() {
            let mut plain = Plain::default();
            let text = [plain.text(&coloured[..cut]), plain.text(&coloured[cut..])].concat();
            assert_eq!(text, b"listening on port 80", "cut at {cut}");
        }
    }
}
