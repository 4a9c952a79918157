//! The escaping of text from outcomes on the page.

use maud::Render;

use crate::text::{between_backticks, visible};

/// Text from outside. Markup is escaped, invisible characters are made visible, and a line feed becomes a character
/// reference. So no line of the page begins with text from outside; otherwise a page that is printed in a GitHub job
/// could contain workflow commands.
pub(crate) struct Text<'t>(pub(crate) &'t str);

impl Render for Text<'_> {
    fn render_to(&self, page: &mut String) {
        for c in visible(self.0).chars() {
            match c {
                '&' => page.push_str("&amp;"),
                '<' => page.push_str("&lt;"),
                '>' => page.push_str("&gt;"),
                '"' => page.push_str("&quot;"),
                '\'' => page.push_str("&#39;"),
                '\n' => page.push_str("&#10;"),
                c => page.push(c),
            }
        }
    }
}

/// A sentence. What stands between backticks is code, as it is in Markdown.
pub(crate) struct Prose<'t>(pub(crate) &'t str);

impl Render for Prose<'_> {
    fn render_to(&self, page: &mut String) {
        let mut rest = self.0;
        while let Some((before, code, after)) = between_backticks(rest) {
            Text(before).render_to(page);
            page.push_str("<code>");
            Text(code).render_to(page);
            page.push_str("</code>");
            rest = after;
        }
        Text(rest).render_to(page);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, html: &str) {
        assert_eq!(Text(text).render().into_string(), html);
    }

    #[test]
    fn code_has_no_backticks() {
        let check = |text: &str, html: &str| assert_eq!(Prose(text).render().into_string(), html);
        check("run `a < b` and `c`.", "run <code>a &lt; b</code> and <code>c</code>.");
        check("a ` alone", "a ` alone");
        check("none", "none");
        check("`</code><b>`", "<code>&lt;/code&gt;&lt;b&gt;</code>");
        check("``", "``");
    }

    #[test]
    fn text_is_never_markup() {
        check("</script><b x='\"'>&", "&lt;/script&gt;&lt;b x=&#39;&quot;&#39;&gt;&amp;");
        check("a\n::error::b", "a&#10;::error::b");
        check("\u{202e}a\u{0}", "\\u{202e}a\\u{0}");
    }
}
